// SPDX-License-Identifier: Apache-2.0
#include "agent/identity.h"

#include "base/arena.h"
#include "base/scope.h"

#include <sodium.h>
#include <string.h>

enum { CLAIMS_MAX = 2048 };

void identity_make(Identity *ret_identity) {
    uint8_t seed[SEED_LEN];
    randombytes_buf(seed, sizeof(seed));
    identity_from_seed(seed, ret_identity);
    sodium_memzero(seed, sizeof(seed));
}

void identity_from_seed(const uint8_t seed[SEED_LEN], Identity *ret_identity) {
    memcpy(ret_identity->seed, seed, SEED_LEN);
    jws_key_from_seed(seed, &ret_identity->key);
}

void identity_wipe(Identity *identity) {
    sodium_memzero(identity, sizeof(*identity));
}

Str identity_public_key(const Identity *identity, Arena *arena) {
    return base64_encode(arena, (Bytes){identity->key.public, JWS_PUBLIC_KEY_LEN}, BASE64);
}

Err identity_prove(const Identity *identity, const Proof *claims, Arena *arena, Str *ret_proof) {
    SCOPED(text_done) Text json;
    text_init(&json, CLAIMS_MAX);
    schema_encode(&Proof_schema, claims, ENCODE_REPLY, &json);
    TRY(text_check(&json));
    SCOPED(text_done) Text token;
    text_init(&token, JWS_TOKEN_MAX);
    jws_sign(&identity->key, text_str(&json), &token);
    TRY(text_check(&token));
    Str proof = str_dup(arena, text_str(&token));
    TRY(arena_check(arena));
    *ret_proof = proof;
    return SUCCESS;
}
