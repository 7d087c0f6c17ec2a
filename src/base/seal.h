// SPDX-License-Identifier: Apache-2.0
/// Secrets at rest: sealed under a key, bound to what they are for.
///
/// A seal is XChaCha20-Poly1305 with a random nonce:
///
///     "muster-seal-1\n"   key's id (8 bytes)   nonce (24)   ciphertext and tag
///
/// All before the nonce, and the purpose, are authenticated: what is sealed as one thing does not
/// open as another, and a seal says which key it needs.
#pragma once

#include "base/arena.h"
#include "base/str.h"

enum {
    SEAL_KEY_LEN = 32,
    SEAL_ID_LEN = 8,
    SEAL_PURPOSE_MAX = 64, ///< bytes of what a seal is for
};

typedef struct SealKey {
    uint8_t bytes[SEAL_KEY_LEN];
    char id[2 * SEAL_ID_LEN + 1]; ///< hex, made from the key; tells nothing of it
} SealKey;

/// A new random key.
void seal_key_make(SealKey *ret_key);
/// The key that `text` is: 64 hex digits, with white space around. ERR_INVALID: anything else.
Err seal_key_parse(Str text, SealKey *ret_key);
/// The key as a line of text that seal_key_parse takes, in `arena`; absent when it is exhausted.
Str seal_key_text(const SealKey *key, Arena *arena);
/// Overwrite it. Fits SCOPED.
void seal_key_wipe(SealKey *key);

/// Whether `data` begins like a seal.
bool seal_is(Str data);
/// Whether `data` is a seal by this key, as far as it says so itself.
bool seal_is_by(Str data, const SealKey *key);
/// Seal `plain` for `purpose`, at most SEAL_PURPOSE_MAX bytes, in `arena`.
Err seal_make(const SealKey *key, Str purpose, Str plain, Arena *arena, Str *ret_sealed);
/// What was sealed for `purpose`, NUL-terminated in `arena`. ERR_STATE: by another key; the Reason
/// has the ids of both. ERR_INVALID: no seal, a damaged one, or one for another purpose.
Err seal_open(
    const SealKey *key, Str purpose, Str sealed, Arena *arena, Str *ret_plain, Reason *reason);
