// SPDX-License-Identifier: Apache-2.0
/// For the tests of the workload: a world with one engine, on which the machine's actions are
/// performed as an engine would. What goes wrong in here is an assertion that fails.
#pragma once

#include "agent/workload/workload.h"

extern Arena arena; ///< for everything in a test; the test program's main owns it

#define DIGEST "@sha256:0000000000000000000000000000000000000000000000000000000000000001"
#define NOW 1'000'000

/// The engine's containers and the machine that looks at them, in a time of their own.
typedef struct World {
    Workload workload;
    Seen items[WORKLOAD_SEEN_MAX];
    SeenList seen;
    uint64_t now_ms;
    unsigned made;
} World;

/// The desired state `version` of `manifest`.
Desired desired_of(uint64_t version, const Manifest *manifest);
/// Aim the world's workload at these services, as a new desired state.
void aim(World *world, uint64_t version, Service *services, size_t count);
/// A service whose configuration differs by `version`.
Service service_of(const char *name, const char *version);
/// The service, published on the port `host`.
Service with_port(Service service, uint64_t host);
/// The service, with a volume that it writes.
Service with_store(Service service, const char *name);
/// The service, behind another one.
Service with_need(Service service, const char *name, DependsOn condition);
/// The container with this id; fails if it is not there.
Seen *seen_at(World *world, Str id);
/// The container with this name; NULL if it is not there.
Seen *container_of(World *world, const char *name);
/// What the machine wants now.
Action next(World *world);
/// The engine has started the container.
void started(World *world, Seen *seen);
/// Perform the action on the world and say that it worked.
void did(World *world, const Action *action);
/// Say that the action failed.
void refused(World *world, const Action *action, Str reason);
/// The next action must be this one; perform it.
Action expect(World *world, ActionKind kind);
/// Perform until there is nothing to do but wait for something that never comes.
void settle(World *world);
/// The account as it is now.
Reported report(World *world);
