// SPDX-License-Identifier: Apache-2.0
/// Nonces for devices to sign: fresh, ours, and kept nowhere.
///
/// A nonce is its time, random bytes, and a keyed hash of both and of the connection that it was
/// given to. The key comes from the installation's own, so every process over the same data gives
/// and checks them, and a restart invalidates none.
///
/// Nothing remembers that a nonce was used. A proof over it is nevertheless worth little to whoever
/// gets hold of one: it is good for NONCE_LIFE_MS; for one use (enrol, hello, rotate) and, when
/// enrolling, one token; on a channel only in the connection that the nonce was given to, whose
/// TLS session the proof must name as well; and all that it can do a second time is what the device
/// did with it: joining again with one key and token, saying hello and replacing a key are
/// idempotent.
#pragma once

#include "base/arena.h"
#include "base/jws.h"

/// The connection that a nonce is for, in the words of who holds it; absent: any (a request by
/// POST has no connection of its own).
typedef Str ChallengeFor;

/// A new nonce, in `arena`. `key`: the installation's. ERR_MEMORY: arena exhausted.
Err challenge_make(
    const JwsKey *key, ChallengeFor connection, uint64_t now_ms, Arena *arena, Str *ret_nonce);
/// The nonce is ours, for this connection, and not too old. ERR_UNAUTHENTICATED: it is not.
Err challenge_check(const JwsKey *key, ChallengeFor connection, uint64_t now_ms, Str nonce);
