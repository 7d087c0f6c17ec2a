// SPDX-License-Identifier: Apache-2.0
/// `muster-simulate`: many devices in one process, for tests and measurements. Real protocol,
/// an identity each, no engine: what they are told to run, they say that they run.
#pragma once

#include "base/err.h"

enum { SIMULATE_MAX = 100'000 };

typedef struct SimulateOptions {
    const char *server; ///< URL
    const char *token;  ///< enrolment token that allows so many
    uint64_t count;     ///< devices, 1..SIMULATE_MAX
    uint64_t seconds;   ///< how long they stay after all have come, or have not; 0: until a signal
    uint64_t rate;      ///< enrolments a second, at most; 0: as many as go
    uint64_t poll_s;    ///< 0: channels
} SimulateOptions;

/// Enrol, connect, stay, leave; the result is one line of JSON on standard output. OK also when
/// some devices failed: the line says how many. Errors of the first contact as enrol_server.
Err simulate(const SimulateOptions *options, Reason *reason);
