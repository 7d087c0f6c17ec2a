// SPDX-License-Identifier: Apache-2.0
/// Access tokens that were verified, so that the next call with one costs neither a signature nor a
/// read.
///
/// Bounded: a new token takes the place of one of its bucket that has ended, or else was used
/// longest ago. Kept is the SHA-256 of a token, never the token. What was found out of the store
/// holds until it is revoked: whoever commits that a sign-in ends, or that who signed in is
/// another, revokes here before anybody hears of it. A call that read the store before that commit
/// may still be on its way here: access_cache_find counts the revocations before its caller reads,
/// and access_cache_add keeps nothing that is older than the last. Thread-safe.
#pragma once

#include "http/route.h"

typedef struct AccessCache AccessCache;

/// The SHA-256 of a token.
typedef struct AccessKey {
    uint8_t sha256[32];
} AccessKey;
/// That of this one.
AccessKey access_key(Str token);

enum {
    ACCESS_CACHE_WAYS = 4,       ///< tokens of a bucket
    ACCESS_CACHE_MAX = 4096,     ///< tokens; about 1 MiB
    ACCESS_CACHE_NAME_MAX = 127, ///< bytes; a principal of a longer name is not kept
};

/// An empty one. ERR_MEMORY.
Err access_cache_open(AccessCache **ret_cache);
/// NULL-safe; returns NULL.
AccessCache *access_cache_close(AccessCache *cache);
/// Who the token is for, if that is known and the token has not ended; its name goes into `arena`,
/// which may be exhausted by it. Always `*ret_revocations`, for access_cache_add.
bool access_cache_find(AccessCache *cache,
                       const AccessKey *key,
                       uint64_t now_ms,
                       Arena *arena,
                       Principal *ret_principal,
                       uint64_t *ret_revocations);
/// Keep it until `ends_at_ms` (Unix time), unless something was revoked since `revocations` was
/// read.
void access_cache_add(AccessCache *cache,
                      const AccessKey *key,
                      const Principal *principal,
                      uint64_t now_ms,
                      uint64_t ends_at_ms,
                      uint64_t revocations);
/// How often something was revoked: whoever relies on a principal for longer than a call looks
/// again when this has grown.
uint64_t access_cache_revocations(AccessCache *cache);
/// Forget every token of this sign-in or this subject.
void access_cache_revoke(AccessCache *cache, const Id *id);
