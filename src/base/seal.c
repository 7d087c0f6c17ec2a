// SPDX-License-Identifier: Apache-2.0
#include "base/seal.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

enum {
    NONCE_LEN = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    TAG_LEN = crypto_aead_xchacha20poly1305_ietf_ABYTES,
};
_Static_assert(SEAL_KEY_LEN == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "XChaCha20 key");

static const char magic[] = "muster-seal-1\n";
enum {
    MAGIC_LEN = sizeof(magic) - 1,
    HEAD_LEN = MAGIC_LEN + SEAL_ID_LEN,
    SEALED_MIN = HEAD_LEN + NONCE_LEN + TAG_LEN,
};

/// Magic, id and purpose: what is authenticated, but not hidden.
typedef struct SealBound {
    uint8_t bytes[HEAD_LEN + SEAL_PURPOSE_MAX];
    size_t len;
} SealBound;

static void seal_id(const uint8_t key[SEAL_KEY_LEN], uint8_t ret_id[SEAL_ID_LEN]) {
    static const char words[] = "muster seal: id of a key";
    uint8_t hash[crypto_generichash_BYTES];
    int rc = crypto_generichash(
        hash, sizeof(hash), (const uint8_t *)words, sizeof(words) - 1, key, SEAL_KEY_LEN);
    assert(rc == 0);
    memcpy(ret_id, hash, SEAL_ID_LEN);
}

static void seal_key_name(SealKey *key) {
    uint8_t id[SEAL_ID_LEN];
    seal_id(key->bytes, id);
    sodium_bin2hex(key->id, sizeof(key->id), id, sizeof(id));
}

void seal_key_make(SealKey *ret_key) {
    randombytes_buf(ret_key->bytes, sizeof(ret_key->bytes));
    seal_key_name(ret_key);
}

Err seal_key_parse(Str text, SealKey *ret_key) {
    const Err bad = FAIL(ERR_INVALID, "the key is not 64 hex digits");
    SealKey key;
    size_t len = 0;
    Str hex = str_trim(text);
    if (hex.len != 2 * (size_t)SEAL_KEY_LEN) return bad;
    if (sodium_hex2bin(key.bytes, sizeof(key.bytes), hex.ptr, hex.len, NULL, &len, NULL) != 0)
        return bad;
    seal_key_name(&key);
    *ret_key = key;
    seal_key_wipe(&key);
    return SUCCESS;
}

Str seal_key_text(const SealKey *key, Arena *arena) {
    char hex[2 * SEAL_KEY_LEN + 1];
    sodium_bin2hex(hex, sizeof(hex), key->bytes, sizeof(key->bytes));
    Str text = str_print(arena, "%s\n", hex);
    sodium_memzero(hex, sizeof(hex));
    return text;
}

void seal_key_wipe(SealKey *key) {
    sodium_memzero(key, sizeof(*key));
}

bool seal_is(Str data) {
    return str_starts(data, (Str){magic, MAGIC_LEN});
}

bool seal_is_by(Str data, const SealKey *key) {
    uint8_t id[SEAL_ID_LEN];
    if (!seal_is(data) || data.len < HEAD_LEN) return false;
    seal_id(key->bytes, id);
    return memcmp(data.ptr + MAGIC_LEN, id, sizeof(id)) == 0;
}

static SealBound seal_bind(const SealKey *key, Str purpose) {
    assert(purpose.len <= SEAL_PURPOSE_MAX);
    SealBound bound = {.len = HEAD_LEN + purpose.len};
    memcpy(bound.bytes, magic, MAGIC_LEN);
    seal_id(key->bytes, bound.bytes + MAGIC_LEN);
    memcpy(bound.bytes + HEAD_LEN, purpose.ptr, purpose.len);
    return bound;
}

Err seal_make(const SealKey *key, Str purpose, Str plain, Arena *arena, Str *ret_sealed) {
    SealBound bound = seal_bind(key, purpose);
    size_t len = SEALED_MIN + plain.len;
    uint8_t *out = ARENA_ARRAY(arena, uint8_t, len);
    if (!out) return arena_check(arena);
    uint8_t *nonce = out + HEAD_LEN;
    memcpy(out, bound.bytes, HEAD_LEN);
    randombytes_buf(nonce, NONCE_LEN);
    int rc = crypto_aead_xchacha20poly1305_ietf_encrypt(nonce + NONCE_LEN,
                                                        NULL,
                                                        (const uint8_t *)plain.ptr,
                                                        plain.len,
                                                        bound.bytes,
                                                        bound.len,
                                                        NULL,
                                                        nonce,
                                                        key->bytes);
    assert(rc == 0);
    *ret_sealed = (Str){(const char *)out, len};
    return SUCCESS;
}

static Err seal_fail_by_other(const SealKey *key, Str sealed, Reason *reason) {
    char id[2 * SEAL_ID_LEN + 1];
    sodium_bin2hex(id, sizeof(id), (const uint8_t *)sealed.ptr + MAGIC_LEN, SEAL_ID_LEN);
    return reason_fail(reason,
                       FAIL(ERR_STATE, "it is sealed under another key"),
                       "needed is %s, given is %s",
                       id,
                       key->id);
}

Err seal_open(
    const SealKey *key, Str purpose, Str sealed, Arena *arena, Str *ret_plain, Reason *reason) {
    if (!seal_is(sealed) || sealed.len < SEALED_MIN) return FAIL(ERR_INVALID, "it is not a seal");
    if (!seal_is_by(sealed, key)) return seal_fail_by_other(key, sealed, reason);
    SealBound bound = seal_bind(key, purpose);
    size_t len = sealed.len - SEALED_MIN;
    uint8_t *plain = ARENA_ARRAY(arena, uint8_t, len + 1);
    if (!plain) return arena_check(arena);
    const uint8_t *nonce = (const uint8_t *)sealed.ptr + HEAD_LEN;
    int rc = crypto_aead_xchacha20poly1305_ietf_decrypt(plain,
                                                        NULL,
                                                        NULL,
                                                        nonce + NONCE_LEN,
                                                        len + TAG_LEN,
                                                        bound.bytes,
                                                        bound.len,
                                                        nonce,
                                                        key->bytes);
    if (rc != 0) return FAIL(ERR_INVALID, "the seal is damaged, or of something else");
    plain[len] = '\0';
    *ret_plain = (Str){(const char *)plain, len};
    return SUCCESS;
}
