// SPDX-License-Identifier: Apache-2.0
/// Nonces for devices to sign: fresh, ours, and good once.
///
/// A nonce carries its time and a keyed hash, so nothing is kept for those that are never used;
/// used ones are remembered until they would have ended anyway. The memory is fixed.
#pragma once

#include "base/arena.h"
#include "base/str.h"

typedef struct Challenges Challenges;

/// With a fresh random key. `life_ms`: of a nonce. ERR_MEMORY: no memory.
Err challenges_open(uint64_t life_ms, Challenges **ret_challenges);
/// NULL-safe; returns NULL.
Challenges *challenges_close(Challenges *challenges);
/// A new nonce, in `arena`. Thread-safe, as below. ERR_LIMIT: arena exhausted.
Err challenge_make(Challenges *challenges, uint64_t now_ms, Arena *arena, Str *ret_nonce);
/// Spend a nonce on behalf of `user` (a request id): the same user may spend it again, for a call
/// that runs twice. ERR_UNAUTHENTICATED: not ours, too old, or spent. ERR_BUSY: too many spent
/// nonces to remember.
Err challenge_spend(Challenges *challenges, Str nonce, Str user, uint64_t now_ms);
