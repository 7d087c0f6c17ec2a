// SPDX-License-Identifier: Apache-2.0
/// The applications of a device side by side: a pure machine over those of workload.h.
///
/// Each looks at its own containers only. One application switches at a time: while one that has
/// begun to change is neither up nor failing, the others only mend what they run already. What no
/// application wants is removed, before anything new is made, for it may hold a port: containers
/// here, networks by the owner, volumes never.
#pragma once

#include "agent/workload/workload.h"

typedef struct Workloads {
    uint64_t generation; ///< 0: it is not known what is wanted, touch nothing
    Workload *items;     ///< in the order of their names
    size_t count;
    size_t active;      ///< the application that switches; `count`: none
    Str policy_refused; ///< why the policy is not the one that was asked for; absent: it is
    ServiceTry rest;    ///< of removing what no application wants
} Workloads;

/// Aim at `aim`; its texts are borrowed, the rest is made in `arena`. `last`: the account before
/// the agent was started, or all zero. ERR_MEMORY: arena exhausted.
Err workloads_aim(
    const Aim *aim, const Reported *last, uint64_t seed, Arena *arena, Workloads *ret_workloads);
/// The application's containers among `seen`, which is ordered by application.
SeenList workloads_seen(const SeenList *seen, Str application);
/// The application called so is wanted.
bool workloads_want(const Workloads *workloads, Str application);
/// Something is there that no application wants.
const Seen *workloads_rest(const Workloads *workloads, const SeenList *seen);
/// What to do next; `seen`: every container of the device, by application. An action of no
/// application has `application` == `count`.
Action workloads_step(Workloads *workloads, const SeenList *seen, uint64_t now_ms);
/// How `action` went. `reason`: one line for an operator, of a failure.
void workloads_did(
    Workloads *workloads, const Action *action, Err result, Str reason, uint64_t now_ms);
/// The account for the server; texts borrow from `workloads`, `seen` and `arena`.
/// ERR_MEMORY: arena exhausted.
Err workloads_report(const Workloads *workloads,
                     const SeenList *seen,
                     Arena *arena,
                     Reported *ret_reported);
