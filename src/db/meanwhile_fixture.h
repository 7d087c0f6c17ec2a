// SPDX-License-Identifier: Apache-2.0
/// A store in which something happens in the middle of a call: after what it has read, and before
/// its commit. So a test has the interleaving that it is about, each time.
#pragma once

#include "db/engine.h"

#include <stdatomic.h>

typedef struct Meanwhile {
    void (*act)(void *ctx); ///< what happens; what it does itself to the store is left alone
    void *ctx;
    const char *after; ///< it follows a read of this table; NULL: it comes before a commit
    bool loses;        ///< instead of it a commit that only expects a row is a lost race
    bool unanswered;   ///< instead of it a commit is done and seems to have failed
    atomic_uint left;  ///< so often still
    atomic_uint selects, applies; ///< calls of the engine so far
    const Engine *real;
    Engine engine; ///< what the store has instead
} Meanwhile;

/// Nothing happens until `left` is set. The store must be closed before `meanwhile` goes.
void meanwhile_open(Meanwhile *meanwhile, Db *db);
