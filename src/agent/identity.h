// SPDX-License-Identifier: Apache-2.0
/// Who the device is: an Ed25519 key that never leaves it, and what it signs.
///
/// Proofs are over a nonce of the server and carry no time of ours, so that a device with a wrong
/// clock can join and come back.
#pragma once

#include "base/jws.h"
#include "wire/state.h"

typedef struct Identity {
    uint8_t seed[SEED_LEN];
    JwsKey key;
} Identity;

/// A new random identity.
void identity_make(Identity *ret_identity);
/// The identity of a seed.
void identity_from_seed(const uint8_t seed[SEED_LEN], Identity *ret_identity);
/// Overwrite the secrets. Fits SCOPED.
void identity_wipe(Identity *identity);
/// Base64 of the public key, in `arena`; absent when it is exhausted.
Str identity_public_key(const Identity *identity, Arena *arena);
/// The JWS over these claims (docs/protocol.md, section 4). ERR_MEMORY: arena exhausted.
Err identity_prove(const Identity *identity, const Proof *claims, Arena *arena, Str *ret_proof);
