// SPDX-License-Identifier: Apache-2.0
/// Who the device is: an Ed25519 key that never leaves it, and what it signs.
///
/// Proofs are over a nonce of the server and carry no time of ours, so that a device with a wrong
/// clock can join and come back.
#pragma once

#include "base/id.h"
#include "base/jws.h"

typedef struct Challenge Challenge;

enum { IDENTITY_SEED_LEN = 32 };

typedef struct Identity {
    uint8_t seed[IDENTITY_SEED_LEN];
    JwsKey key;
} Identity;

/// A new random identity.
void identity_make(Identity *ret_identity);
/// The identity of a seed.
void identity_from_seed(const uint8_t seed[IDENTITY_SEED_LEN], Identity *ret_identity);
/// Overwrite the secrets. Fits SCOPED.
void identity_wipe(Identity *identity);
/// Base64 of the public key, in `arena`.
Str identity_public_key(const Identity *identity, Arena *arena);
/// The JWS that shows possession of the key to join with the enrolment token `token`.
/// ERR_LIMIT: arena exhausted.
Err identity_enrol_proof(
    const Identity *identity, const Challenge *challenge, Str token, Arena *arena, Str *ret_proof);
/// The JWS (RFC 7523) to exchange for an access token. ERR_LIMIT: arena exhausted.
Err identity_assertion(const Identity *identity,
                       const Id *device_id,
                       const Challenge *challenge,
                       Arena *arena,
                       Str *ret_assertion);
