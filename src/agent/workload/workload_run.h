// SPDX-License-Identifier: Apache-2.0
/// The thread that makes the containers what is desired: it looks at the engine, asks the machine
/// (workloads.h) what to do, does it, and looks again.
///
/// Newest wins: a desired state that comes meanwhile cancels a pull and is taken up before the next
/// action. An engine that cannot be reached is waited for; nothing is ever stopped because of it.
#pragma once

#include "base/id.h"

typedef struct Slot Slot;
typedef struct State State;
typedef struct WorkloadRun WorkloadRun;

enum {
    WORKLOAD_AIM_MAX = 4 * 1024 * 1024,      ///< bytes of an Aim as JSON
    WORKLOAD_REPORTED_MAX = 2 * 1024 * 1024, ///< of a Reported
};

typedef struct WorkloadRunOptions {
    const char *engine_path; ///< the engine's unix socket
    Id device_id;
    const State *state; ///< where the last account is kept
    Slot *aim;          ///< in: an Aim as JSON, newest wins; its end stops the thread
    Slot *reported;     ///< out: a Reported as JSON, when it changes
    Slot *facts;        ///< out: version of the engine, when it changes
    uint64_t seed;      ///< for the jitter
} WorkloadRunOptions;

/// Start the thread; everything in `options` must outlive it. ERR_SYSTEM, ERR_MEMORY.
Err workload_run_open(const WorkloadRunOptions *options, WorkloadRun **ret_run);
/// Ends `aim` and waits until the action under way is done. NULL-safe; returns NULL.
WorkloadRun *workload_run_close(WorkloadRun *run);
