// SPDX-License-Identifier: Apache-2.0
#include "base/jws.h"

#include "base/arena.h"

#include <assert.h>
#include <sodium.h>

_Static_assert(JWS_SECRET_KEY_LEN == crypto_sign_SECRETKEYBYTES, "Ed25519 secret key");
_Static_assert(JWS_PUBLIC_KEY_LEN == crypto_sign_PUBLICKEYBYTES, "Ed25519 public key");

enum { SECRET_MAX_BYTES = 64, URL_SAFE = sodium_base64_VARIANT_URLSAFE_NO_PADDING };

/// base64url of {"alg":"EdDSA","typ":"JWT"}
static const char header[] = "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9";

void jws_key_make(JwsKey *ret_key) {
    int rc = crypto_sign_keypair(ret_key->public, ret_key->secret);
    assert(rc == 0);
}

void jws_key_from_seed(const uint8_t seed[32], JwsKey *ret_key) {
    int rc = crypto_sign_seed_keypair(ret_key->public, ret_key->secret, seed);
    assert(rc == 0);
}

void jws_key_wipe(JwsKey *key) {
    sodium_memzero(key, sizeof(*key));
}

static void jws_add_base64url(Text *out, const void *bytes, size_t len) {
    char text[sodium_base64_ENCODED_LEN(JWS_TOKEN_MAX, URL_SAFE)];
    assert(len <= JWS_TOKEN_MAX);
    sodium_bin2base64(text, sizeof(text), bytes, len, URL_SAFE);
    text_add(out, str_from(text));
}

void jws_sign(const JwsKey *key, Str claims, Text *out) {
    size_t start = out->len;
    text_add(out, str_from(header));
    text_add_char(out, '.');
    jws_add_base64url(out, claims.ptr, claims.len);
    Str signing_input = str_slice(text_str(out), start, out->len);
    uint8_t signature[crypto_sign_BYTES];
    crypto_sign_detached(
        signature, NULL, (const uint8_t *)signing_input.ptr, signing_input.len, key->secret);
    text_add_char(out, '.');
    jws_add_base64url(out, signature, sizeof(signature));
}

/// Decode base64url into `arena`; strict: no padding, no other characters.
static Err jws_from_base64url(Str text, Arena *arena, Str *ret_bytes) {
    char *bytes = ARENA_ARRAY(arena, char, text.len + 1);
    if (!bytes) return arena_check(arena);
    size_t len;
    if (base64_decode(text, BASE64URL, (uint8_t *)bytes, text.len, &len).code != OK)
        return FAIL(ERR_UNAUTHENTICATED, "the signed text is malformed");
    *ret_bytes = (Str){bytes, len};
    return SUCCESS;
}

/// The three parts of a compact token whose header is ours.
static Err jws_token_split(Str token, Str *ret_claims, Str *ret_signed, Str *ret_signature) {
    const Err bad = FAIL(ERR_UNAUTHENTICATED, "the signed text is malformed");
    if (token.len > JWS_TOKEN_MAX) return bad;
    Str rest = token;
    Str head, claims, signature;
    if (!str_cut(&rest, '.', &head) || !str_cut(&rest, '.', &claims)) return bad;
    if (!str_cut(&rest, '.', &signature) || rest.ptr) return bad;
    if (!str_eq(head, str_from(header)))
        return FAIL(ERR_UNAUTHENTICATED,
                    "the header of the signed text is not {\"alg\":\"EdDSA\",\"typ\":\"JWT\"}");
    *ret_claims = claims;
    *ret_signed = str_slice(token, 0, head.len + 1 + claims.len);
    *ret_signature = signature;
    return SUCCESS;
}

Err jws_peek(Str token, Arena *arena, Str *ret_claims) {
    Str claims, signing_input, signature;
    TRY(jws_token_split(token, &claims, &signing_input, &signature));
    return jws_from_base64url(claims, arena, ret_claims);
}

Err jws_verify(const uint8_t public_key[JWS_PUBLIC_KEY_LEN],
               Str token,
               Arena *arena,
               Str *ret_claims) {
    Str claims, signing_input, encoded, signature = {};
    TRY(jws_token_split(token, &claims, &signing_input, &encoded));
    TRY(jws_from_base64url(encoded, arena, &signature));
    if (signature.len != crypto_sign_BYTES
        || crypto_sign_verify_detached((const uint8_t *)signature.ptr,
                                       (const uint8_t *)signing_input.ptr,
                                       signing_input.len,
                                       public_key)
               != 0)
        return FAIL(ERR_UNAUTHENTICATED, "the signature is wrong");
    return jws_from_base64url(claims, arena, ret_claims);
}

Str secret_make(Arena *arena, size_t count) {
    assert(count <= SECRET_MAX_BYTES);
    uint8_t bytes[SECRET_MAX_BYTES];
    char text[sodium_base64_ENCODED_LEN(SECRET_MAX_BYTES, URL_SAFE)];
    randombytes_buf(bytes, count);
    sodium_bin2base64(text, sizeof(text), bytes, count, URL_SAFE);
    return str_dup(arena, str_from(text));
}

Str sha256_hex(Arena *arena, Str data) {
    uint8_t hash[crypto_hash_sha256_BYTES];
    char hex[2 * sizeof(hash) + 1];
    crypto_hash_sha256(hash, (const uint8_t *)data.ptr, data.len);
    sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
    return str_dup(arena, str_from(hex));
}
