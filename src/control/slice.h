// SPDX-License-Identifier: Apache-2.0
/// One noun of the control plane: its routes, its tables, and what it keeps in memory.
///
/// The folder of a noun defines one, NOUN_slice. `slices` is the one list of them: router, store
/// and the parts of App are made from it.
#pragma once

#include "control/app.h"
#include "db/journal.h"
#include "http/router.h"

typedef struct Slice {
    const char *noun;
    RouteTable routes;
    const Schema *const *stored; ///< its tables, in an array called `stored`, which check.py reads
    size_t stored_count;
    Err (*open)(App *app);   ///< make what it keeps in memory; NULL: nothing
    void (*close)(App *app); ///< free that; safe where open failed or never ran
    /// Hear of a note of a commit, in the process that made it, whoever it was: a hint, which may
    /// be lost. On the thread that committed, so it must not block. NULL: nothing.
    /// `is_sure`: false where the commit failed in a way that leaves open whether it was done.
    void (*noted)(App *app, const Note *note, bool is_sure);
    /// Hear that this organisation's journal has grown by what this process sealed: a hint, as
    /// above. On the sealer's thread, so it must not block. NULL: nothing.
    void (*sealed)(App *app, const Id *org_id);
    /// Collect in `tx`, which sees every organisation, the removal of a bounded number of rows that
    /// have ended; `*ret_more`: there may be others, call again. Not on a thread that serves. NULL:
    /// nothing ends.
    Err (*tidy)(App *app, Tx *tx, uint64_t now_ms, bool *ret_more);
} Slice;
/// For the members `stored` and `stored_count`.
#define SLICE_STORED(array) .stored = (array), .stored_count = sizeof(array) / sizeof((array)[0])

enum { SLICE_SCHEMAS_MAX = 64 };

extern const Slice *const slices[];
extern const size_t slice_count;

/// The note is of what is done at this endpoint.
bool slice_note_is(const Note *note, const Endpoint *endpoint);
/// Every table of every slice.
size_t slices_stored(const Schema *ret_schemas[SLICE_SCHEMAS_MAX]);
