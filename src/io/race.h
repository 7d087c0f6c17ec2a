// SPDX-License-Identifier: Apache-2.0
/// A lost race is run again: after a pause that grows, and that no two of those who lost have the
/// same. No thread that serves waits: it asks a WorkerPool to run it again, after the pause.
#pragma once

#include "base/err.h"

#include <stdbool.h>

enum {
    RACE_TRIES_MAX = 40,
    RACE_PAUSE_MAX_MS = 64, ///< so that all of them are about a second
};

/// `{}` before the first try.
typedef struct Race {
    uint32_t tries;
} Race;

/// Whether what has just ended with `err` shall be run again: it lost a race (ERR_CONFLICT), and
/// has not been run too often. Then `*ret_pause_ms` is how long to wait before, 0 or more.
bool race_again(Race *race, Err err, uint32_t *ret_pause_ms);
/// The same for a thread of its own, which waits here.
bool race_again_here(Race *race, Err err);
