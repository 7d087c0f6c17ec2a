// SPDX-License-Identifier: Apache-2.0
/// For the tests of the workload: a world with one engine, on which the machine's actions are
/// performed as an engine would. What goes wrong in here is an assertion that fails.
#pragma once

#include "agent/workload/workload.h"
#include "base/arena.h"

extern Arena arena; ///< for everything in a test; the test program's main owns it

#define DIGEST "@sha256:0000000000000000000000000000000000000000000000000000000000000001"
#define NOW 1'000'000

enum { WORLD_SEEN_MAX = 64 };

/// The engine's containers and the machine that looks at them, in a time of their own.
typedef struct World {
    Workload workload;
    Seen items[WORLD_SEEN_MAX];
    SeenList seen;
    uint64_t now_ms;
    unsigned made;
} World;

/// The application `name` with these services, in its deployment `serial`.
Application application_of(const char *name, uint64_t serial, Service *services, size_t count);
/// Aim the world's workload at these services of the application "shop", as a new deployment.
void aim(World *world, uint64_t serial, Service *services, size_t count);
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
/// A container of this service, the newest; NULL if there is none.
Seen *container_of(World *world, const char *service);
/// What the machine wants now.
Action next(World *world);
/// The engine has started the container.
void started(World *world, Seen *seen);
/// Perform the action of a workload on the world's containers.
void perform(World *world, const Workload *workload, const Action *action);
/// Perform the action on the world and say that it worked.
void did(World *world, const Action *action);
/// Say that the action failed.
void refused(World *world, const Action *action, Str reason);
/// The next action must be this one; perform it.
Action expect(World *world, ActionKind kind);
/// Perform until there is nothing to do but wait for something that never comes.
void settle(World *world);
/// The account as it is now.
ApplicationReport report(World *world);
