// SPDX-License-Identifier: Apache-2.0
/// `muster-simulate`: many devices on one machine, for tests and measurements. Real protocol, an
/// identity each, no engine: what they are told to run, they say that they run.
///
/// They are shared out over processes, each with a loop of its own, so that no device waits for
/// all the others and none runs into the limit of open files:
///
///     simulate (starts, counts, ends) -- shared memory -- share (a process) --> simulated (a
///     device)
#pragma once

#include "fault_plan.h"

enum { SIMULATE_MAX = 100'000, SIMULATE_PROCESSES_MAX = 64, SIMULATE_SHARE_AIM = 500 };

typedef struct SimulateOptions {
    const char *token;  ///< enrolment token that allows so many
    uint64_t count;     ///< devices, 1..SIMULATE_MAX
    uint64_t processes; ///< 0: one for each SIMULATE_SHARE_AIM devices
    uint64_t addresses; ///< so many source addresses for all, if the server is on loopback; 0: one
                        ///< each
    uint64_t seconds;   ///< how long they stay after all have come, or have not; 0: until a signal
    uint64_t rate;      ///< enrolments a second, at most; 0: as many as go
    uint64_t poll_s;    ///< 0: channels
    bool is_alone;      ///< each enrols over a connection of its own, with a full handshake
    bool only_enrols;   ///< leave as soon as all have enrolled, or have not
    bool is_steady;     ///< what a device measures never changes
    FaultPlan faults;
} SimulateOptions;

/// Enrol, connect, stay, leave; the result is one line of JSON on standard output. OK also when
/// some devices failed: the line says how many. Errors of the first contact as enrol_reach.
Err simulate(const SimulateOptions *options, Reason *reason);
