// SPDX-License-Identifier: Apache-2.0
/// The machine's actions (workload.h), performed on the engine.
#pragma once

#include "agent/engine/engine.h"
#include "agent/workload/workloads.h"

/// Perform it. Errors as the engine's calls. `scratch`: for texts of this call.
Err act_perform(Engine *engine,
                Str device_id,
                const Workloads *workloads,
                const Action *action,
                Arena *scratch,
                Reason *reason);
/// Remove the networks of applications that are not wanted. Errors as the engine's calls.
Err act_sweep(
    Engine *engine, Str device_id, const Workloads *workloads, Arena *scratch, Reason *reason);
/// The action in a word. Static text.
const char *act_name(ActionKind kind);
