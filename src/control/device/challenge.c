// SPDX-License-Identifier: Apache-2.0
#include "control/device/challenge.h"

#include "base/base64.h"
#include "wire/agent.h"

#include <sodium.h>
#include <string.h>

enum {
    TIME_BYTES = 8,
    RANDOM_BYTES = 16,
    MAC_BYTES = 16,
    HASHED_BYTES = TIME_BYTES + RANDOM_BYTES,
    NONCE_BYTES = HASHED_BYTES + MAC_BYTES,
    SKEW_MS = 5'000, ///< how far the clocks of an installation's servers may be apart
    NONCE_KEY = 1,   ///< which of the keys below the installation's
};

static const char key_context[crypto_kdf_CONTEXTBYTES + 1] = "muster.n";

static void
challenge_mac(const JwsKey *key, ChallengeFor connection, const uint8_t *nonce, uint8_t *ret_mac) {
    _Static_assert(crypto_kdf_KEYBYTES <= JWS_SECRET_KEY_LEN / 2, "the seed is a whole key");
    uint8_t nonce_key[crypto_generichash_KEYBYTES];
    crypto_kdf_derive_from_key(nonce_key, sizeof(nonce_key), NONCE_KEY, key_context, key->secret);
    crypto_generichash_state state;
    crypto_generichash_init(&state, nonce_key, sizeof(nonce_key), MAC_BYTES);
    crypto_generichash_update(&state, nonce, HASHED_BYTES);
    crypto_generichash_update(&state, (const uint8_t *)connection.ptr, connection.len);
    crypto_generichash_final(&state, ret_mac, MAC_BYTES);
    sodium_memzero(nonce_key, sizeof(nonce_key));
    sodium_memzero(&state, sizeof(state));
}

Err challenge_make(
    const JwsKey *key, ChallengeFor connection, uint64_t now_ms, Arena *arena, Str *ret_nonce) {
    uint8_t nonce[NONCE_BYTES];
    for (size_t i = 0; i < TIME_BYTES; i++)
        nonce[i] = (uint8_t)(now_ms >> 8 * i);
    randombytes_buf(nonce + TIME_BYTES, RANDOM_BYTES);
    challenge_mac(key, connection, nonce, nonce + HASHED_BYTES);
    Str text = base64_encode(arena, (Bytes){nonce, sizeof(nonce)}, BASE64URL);
    TRY(arena_check(arena));
    *ret_nonce = text;
    return SUCCESS;
}

static bool challenge_is_fresh(const uint8_t *nonce, uint64_t now_ms) {
    uint64_t made_ms = 0;
    for (size_t i = 0; i < TIME_BYTES; i++)
        made_ms |= (uint64_t)nonce[i] << 8 * i;
    return made_ms <= now_ms + SKEW_MS && now_ms <= made_ms + NONCE_LIFE_MS;
}

Err challenge_check(const JwsKey *key, ChallengeFor connection, uint64_t now_ms, Str nonce) {
    uint8_t bytes[NONCE_BYTES];
    uint8_t mac[MAC_BYTES];
    size_t len = 0;
    bool is_ours = base64_decode(nonce, BASE64URL, bytes, sizeof(bytes), &len).code == OK
                   && len == sizeof(bytes);
    if (is_ours) challenge_mac(key, connection, bytes, mac);
    if (!is_ours || sodium_memcmp(mac, bytes + HASHED_BYTES, MAC_BYTES) != 0)
        return FAIL(ERR_UNAUTHENTICATED, "the challenge is not one of ours for this connection");
    if (!challenge_is_fresh(bytes, now_ms))
        return FAIL(ERR_UNAUTHENTICATED, "the challenge is too old");
    return SUCCESS;
}
