// SPDX-License-Identifier: Apache-2.0
/// Every change leaves an entry in the same commit, chained to the one before (api/audit.h).
#pragma once

#include "api/audit.h"
#include "control/slice.h"

typedef struct Tx Tx;

/// Collect `entry` in `tx`: its id, seq and hashes are set at commit. What its subject became is
/// taken from `record`, one of `schema`; NULL when it is gone. What is computed, counted, hidden
/// or a secret is not in it. Handlers go by control/call.h:call_note.
Err audit_add(
    Tx *tx, Arena *arena, const AuditEntry *entry, const Schema *schema, const void *record);

extern const Slice audit_slice;
