// SPDX-License-Identifier: Apache-2.0
/// Organisations: who shares a control plane without seeing each other.
#pragma once

#include "api/org.h"
#include "control/slice.h"

typedef struct Db Db;
typedef struct Tx Tx;

/// Collect in `tx`, which sees all, a new organisation. At commit ERR_EXISTS: its name is
/// taken.
Err org_add(Tx *tx, const Org *org);
/// The organisation that a sign-in means: the one called `name`, or the only one where that is
/// absent. `tx` sees all. ERR_NOT_FOUND: there is none. ERR_INVALID: which of several?
Err org_find(Tx *tx, Str name, Org *ret_org);
/// Collect in `tx` that the organisation has one owner more (`by` is 1) or less (-1). ERR_STATE: it
/// would have none. At commit ERR_LIMIT: the same, meanwhile.
Err org_count_owner(Tx *tx, const Id *id, int by);
/// How many organisations there are.
Err org_count(Db *db, Arena *arena, uint64_t *ret_count);

extern const Slice org_slice;
