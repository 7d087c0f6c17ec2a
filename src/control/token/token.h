// SPDX-License-Identifier: Apache-2.0
/// Enrolment tokens: let devices join a fleet, a number of times, for a time. Only a hash is kept.
#pragma once

#include "api/token.h"
#include "control/slice.h"

typedef struct Tx Tx;

/// The token with this secret, be it good or not. `tx` sees all, for a joining device has no scope
/// yet. ERR_UNAUTHENTICATED: there is none.
Err token_find(Tx *tx, Str secret, Arena *arena, Token *ret_token);
/// Spend one use: collects it in `tx`. ERR_UNAUTHENTICATED: it has ended or is used up; the answer
/// does not say which to a stranger. At commit ERR_LIMIT: others have spent the last one;
/// ERR_NOT_FOUND: the token is gone.
Err token_spend(Tx *tx, uint64_t now_ms, const Token *token);
/// Collect the end of every token for this fleet, with one note about them, whose subject is the
/// fleet. Who makes a token for it gives the fleet a new revision, so the deletion of both loses
/// against that.
Err token_delete_all(Call *call, const Id *fleet_id);

extern const Slice token_slice;
