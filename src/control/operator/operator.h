// SPDX-License-Identifier: Apache-2.0
/// Operators sign in with a password and stay signed in by refresh tokens.
///
/// Passwords are kept as Argon2id. A refresh token is random, kept as its hash, and good once:
/// using it gives the next one. A used one that comes back means that somebody else has it, and
/// ends the session for both: so it ends too where one token is used by several at once, one of
/// whom gets the next. Access tokens (control/access.h) live as long as their session.
#pragma once

#include "api/session.h"
#include "control/slice.h"
#include "db/tx.h"

enum { SESSION_LIFE_DAYS = 30 };

/// One sign-in; stored, never shown.
typedef struct Session {
    Id id;
    Id org_id;
    uint64_t rev;
    Id operator_id;
    Str refresh_sha256; ///< of the refresh token that is good now
    Str used_sha256;    ///< of the one before it
    Time expires_at;
    Str address; ///< it was used from last, as login_address has it
} Session;
extern const Schema Session_schema;

/// The operator with this id. ERR_NOT_FOUND.
Err operator_get(Tx *tx, const Id *id, Operator *ret_operator);
/// The session with this id. ERR_NOT_FOUND.
Err session_get(Tx *tx, const Id *id, Session *ret_session);
/// Collect in `tx` a new session.
Err session_add(Tx *tx, const Session *session);
/// Collect in `tx` a new operator.
Err operator_add(Tx *tx, const Operator *operator);

/// The PHC string of a password, in `arena` (Argon2id, 19 MiB, 2 passes). ERR_MEMORY: no memory.
Err password_hash(Str password, Arena *arena, Str *ret_hash);
/// The password is the one that was hashed.
bool password_matches(Str hash, Str password);

extern const Slice operator_slice;
