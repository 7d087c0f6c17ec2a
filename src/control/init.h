// SPDX-License-Identifier: Apache-2.0
/// Setting up: the server's folder, and an organisation with its owner.
#pragma once

#include "base/arena.h"
#include "base/str.h"

typedef struct Db Db;

/// What a new organisation's owner signs in with; shown once, kept only as a hash.
typedef struct Credentials {
    Str org;
    Str owner;
    Str password;
} Credentials;

/// Make the organisation `org` with the owner `owner` and a random password, in one commit.
/// ERR_INVALID: a name that is not a slug. ERR_EXISTS: the organisation's name is taken.
Err org_make(
    Db *db, Str org, Str owner, uint64_t now_ms, Arena *arena, Credentials *ret_credentials);
