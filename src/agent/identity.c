// SPDX-License-Identifier: Apache-2.0
#include "agent/identity.h"

#include "base/arena.h"
#include "base/scope.h"
#include "wire/agent.h"

#include <sodium.h>
#include <string.h>

enum { CLAIMS_MAX = 2048 };

void identity_make(Identity *ret_identity) {
    uint8_t seed[IDENTITY_SEED_LEN];
    randombytes_buf(seed, sizeof(seed));
    identity_from_seed(seed, ret_identity);
    sodium_memzero(seed, sizeof(seed));
}

void identity_from_seed(const uint8_t seed[IDENTITY_SEED_LEN], Identity *ret_identity) {
    memcpy(ret_identity->seed, seed, IDENTITY_SEED_LEN);
    jws_key_from_seed(seed, &ret_identity->key);
}

void identity_wipe(Identity *identity) {
    sodium_memzero(identity, sizeof(*identity));
}

Str identity_public_key(const Identity *identity, Arena *arena) {
    return base64_encode(arena, (Bytes){identity->key.public, JWS_PUBLIC_KEY_LEN});
}

static Err sign(const Identity *identity,
                const Schema *schema,
                const void *claims,
                Arena *arena,
                Str *ret_token) {
    SCOPED(text_done) Text json;
    text_init(&json, CLAIMS_MAX);
    schema_encode(schema, claims, ENCODE_REPLY, &json);
    TRY(text_check(&json));
    SCOPED(text_done) Text token;
    text_init(&token, JWS_TOKEN_MAX);
    jws_sign(&identity->key, text_str(&json), &token);
    TRY(text_check(&token));
    Str copy = str_dup(arena, text_str(&token));
    TRY(arena_check(arena));
    *ret_token = copy;
    return SUCCESS;
}

Err identity_enrol_proof(
    const Identity *identity, const Challenge *challenge, Str token, Arena *arena, Str *ret_proof) {
    EnrolProof proof = {
        .aud = S("muster-enrol"),
        .nonce = challenge->nonce,
        .token_sha256 = sha256_hex(arena, token),
    };
    return sign(identity, &EnrolProof_schema, &proof, arena, ret_proof);
}

Err identity_assertion(const Identity *identity,
                       const Id *device_id,
                       const Challenge *challenge,
                       Arena *arena,
                       Str *ret_assertion) {
    AssertionClaims claims = {
        .iss = id_str(device_id),
        .sub = id_str(device_id),
        .aud = S("muster-token"),
        .jti = challenge->nonce,
        .exp = (challenge->now.ms + NONCE_LIFE_MS) / 1000,
    };
    return sign(identity, &AssertionClaims_schema, &claims, arena, ret_assertion);
}
