// SPDX-License-Identifier: Apache-2.0
/// Signed tokens: JSON Web Signature (RFC 7515), compact, with EdDSA over Ed25519 (RFC 8037).
///
/// One algorithm, one header, so there is nothing to negotiate and nothing to confuse: a token
/// whose header is not exactly ours is refused before its signature is looked at. Claims are JSON
/// that the caller encodes and decodes by a Schema and judges (audience, expiry).
#pragma once

#include "base/base64.h"
#include "base/text.h"

enum {
    JWS_SECRET_KEY_LEN = 64, ///< libsodium's Ed25519 secret key: seed and public key
    JWS_PUBLIC_KEY_LEN = 32,
    JWS_TOKEN_MAX = 4096, ///< longest token that is looked at
};

typedef struct JwsKey {
    uint8_t secret[JWS_SECRET_KEY_LEN];
    uint8_t public[JWS_PUBLIC_KEY_LEN];
} JwsKey;

/// A new random key pair.
void jws_key_make(JwsKey *ret_key);
/// The key pair of a 32-byte Ed25519 seed.
void jws_key_from_seed(const uint8_t seed[32], JwsKey *ret_key);
/// Overwrite the secret. Fits SCOPED.
void jws_key_wipe(JwsKey *key);
/// Append the token that signs `claims` (a JSON object) to `out`.
void jws_sign(const JwsKey *key, Str claims, Text *out);
/// The claims of `token`, if `public_key` signed it. ERR_UNAUTHENTICATED: malformed, another
/// algorithm, or a wrong signature. ERR_LIMIT: arena exhausted.
Err jws_verify(const uint8_t public_key[JWS_PUBLIC_KEY_LEN],
               Str token,
               Arena *arena,
               Str *ret_claims);
/// The claims of `token` before anything is proved: only to find out whose key to verify with.
/// Errors as jws_verify.
Err jws_peek(Str token, Arena *arena, Str *ret_claims);

/// Random bytes as base64url without padding (RFC 4648 section 5), for secrets; `count` <= 64.
Str secret_make(Arena *arena, size_t count);
/// SHA-256 of `data` as 64 lower-case hex digits, in `arena`: how secrets are stored and content
/// is named.
Str sha256_hex(Arena *arena, Str data);
