// SPDX-License-Identifier: Apache-2.0
/// Every change leaves a note in the same commit; the journal of the notes can be read and proved.
#pragma once

#include "api/audit.h"
#include "control/slice.h"

/// Collect `note` in `tx`: `id` is made at the commit, and the rest of what is not set is made
/// here, from the record of `schema` that its subject was (`before`; NULL: nothing) and has become
/// (`after`; NULL: nothing). `after` counts as it will be stored: an update has the revision that
/// follows `before`'s, whoever raises it in the handler's own copy. What is computed, counted,
/// hidden or a secret is not in the detail. Handlers go by control/call.h:call_note.
Err audit_note(Tx *tx,
               Arena *arena,
               const Note *note,
               const Schema *schema,
               const void *before,
               const void *after);

extern const Slice audit_slice;
