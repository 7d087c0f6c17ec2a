// SPDX-License-Identifier: Apache-2.0
/// A lost race is run again: after a pause that grows, and that no two of those who lost have the
/// same. Nobody waits in here: who runs it again asks a WorkerPool to, after the pause.
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
