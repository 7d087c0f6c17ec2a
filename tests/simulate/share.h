// SPDX-License-Identifier: Apache-2.0
/// One process's share of the devices.
#pragma once

#include "simulate.h"

#include <stdatomic.h>

/// What a share tells, in memory that it shares with simulate.c.
typedef struct ShareCount {
    atomic_uint_fast64_t enrolled; ///< that the server accepted
    atomic_uint_fast64_t open;     ///< in touch now
    atomic_uint_fast64_t acked;    ///< whose account the server has
    atomic_uint_fast64_t errors;   ///< failed calls and lost ties
    atomic_uint_fast64_t faults;   ///< that were made
    atomic_uint_fast64_t messages; ///< that were sent and acknowledged
    atomic_uint_fast64_t accounts; ///< that the server has, one for each generation of each device
    atomic_uint_fast64_t accounts_at_ms; ///< Unix time; when the last of them was seen
    atomic_bool has_enrolled;            ///< it has tried to enrol all of its devices
    Err err;                             ///< why it ended; to be read when it has
    Reason reason;                       ///< of `err`
} ShareCount;

/// What all shares are told, in the same memory. Times are monotonic.
typedef struct ShareStage {
    uint64_t begun_ms;               ///< before the first was started
    atomic_uint_fast64_t started_ms; ///< all have enrolled: be in touch from now on; 0: not yet
    atomic_bool is_ending;           ///< leave
    ShareCount counts[SIMULATE_PROCESSES_MAX];
} ShareStage;

/// Be every `of`-th device from number `index` on, until the stage ends. Errors as simulate.
Err share_run(const SimulateOptions *options, uint64_t index, uint64_t of, ShareStage *stage);
