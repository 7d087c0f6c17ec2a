// SPDX-License-Identifier: Apache-2.0
#include "agent/workload/workload_fixture.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

Arena arena;

static void must(Err err) {
    assert(err.code == OK);
}

Application application_of(const char *name, uint64_t serial, Service *services, size_t count) {
    Manifest manifest = {
        .services = {services, count}
    };
    Application application = {
        .name = str_from(name),
        .serial = serial,
        .release_id = id_new(S("release"), serial),
    };
    must(manifest_publish(&manifest, &arena, &application.manifest));
    return application;
}

void aim(World *world, uint64_t serial, Service *services, size_t count) {
    Application application = application_of("shop", serial, services, count);
    Manifest manifest;
    Refusal refusal;
    must(manifest_read(&application.manifest, &arena, &manifest, &refusal));
    assert(!refusal.code.ptr);
    must(workload_aim(&application, &manifest, false, 1, &arena, &world->workload));
    world->seen.items = world->items;
    if (world->now_ms == 0) world->now_ms = NOW;
}

Service service_of(const char *name, const char *version) {
    StrPair *pair = ARENA_NEW(&arena, StrPair);
    *pair = (StrPair){S("VERSION"), str_from(version)};
    return (Service){
        .name = str_from(name),
        .image = str_print(&arena, "r/%s" DIGEST, name),
        .environment = {pair, 1},
    };
}

Service with_port(Service service, uint64_t host) {
    Port *port = ARENA_NEW(&arena, Port);
    *port = (Port){.host = host, .container = 80};
    service.ports = (PortList){port, 1};
    return service;
}

Service with_store(Service service, const char *name) {
    Volume *volume = ARENA_NEW(&arena, Volume);
    *volume = (Volume){.source = str_from(name), .target = S("/data")};
    service.volumes = (VolumeList){volume, 1};
    return service;
}

Service with_need(Service service, const char *name, DependsOn condition) {
    Dependency *need = ARENA_NEW(&arena, Dependency);
    *need = (Dependency){str_from(name), condition};
    service.depends_on = (DependencyList){need, 1};
    return service;
}

Seen *seen_at(World *world, Str id) {
    for (size_t i = 0; i < world->seen.count; i++)
        if (str_eq(world->items[i].id, id)) return &world->items[i];
    assert(false); // no such container
    return NULL;
}

Seen *container_of(World *world, const char *service) {
    for (size_t i = world->seen.count; i > 0; i--)
        if (str_eq(world->items[i - 1].service, str_from(service))) return &world->items[i - 1];
    return NULL;
}

Action next(World *world) {
    return workload_step(&world->workload, &world->seen, world->now_ms);
}

void started(World *world, Seen *seen) {
    seen->state = CONTAINER_RUNNING;
    seen->started_at = str_print(&arena, "start %u", world->made++);
}

void perform(World *world, const Workload *workload, const Action *action) {
    const Service *service = workload ? &workload->manifest.services.items[action->service] : NULL;
    Seen *seen = action->container.ptr ? seen_at(world, action->container) : NULL;
    switch (action->kind) {
    case ACTION_PULL:
    case ACTION_WAIT:
        break;
    case ACTION_CREATE:
        assert(world->seen.count < WORLD_SEEN_MAX);
        world->items[world->seen.count++] = (Seen){
            .id = str_print(&arena, "c%u", world->made++),
            .name = str_print(&arena,
                              "%.*s.%.*s.%.6s",
                              STR_FMT(workload->application.name),
                              STR_FMT(service->name),
                              workload->tries[action->service].config.ptr),
            .application = workload->application.name,
            .service = service->name,
            .config = workload->tries[action->service].config,
            .image = service->image,
            .state = CONTAINER_CREATED,
        };
        break;
    case ACTION_START:
    case ACTION_RESTART:
        started(world, seen);
        seen->ports = service->ports.items;
        seen->port_count = service->ports.count;
        if (service->volumes.count) {
            seen->stores = (StrList){ARENA_NEW(&arena, Str), 1};
            seen->stores.items[0] = service->volumes.items[0].source;
        }
        break;
    case ACTION_STOP:
        seen->state = CONTAINER_EXITED;
        seen->port_count = 0;
        break;
    case ACTION_REMOVE:
        memmove(
            seen, seen + 1, (size_t)(world->items + world->seen.count - seen - 1) * sizeof(Seen));
        world->seen.count--;
        break;
    }
}

void did(World *world, const Action *action) {
    perform(world, &world->workload, action);
    workload_did(&world->workload, action, SUCCESS, (Str){}, world->now_ms);
}

void refused(World *world, const Action *action, Str reason) {
    workload_did(&world->workload, action, FAIL(ERR_STATE, "refused"), reason, world->now_ms);
}

Action expect(World *world, ActionKind kind) {
    Action action = next(world);
    assert(action.kind == kind);
    did(world, &action);
    return action;
}

void settle(World *world) {
    for (int i = 0; i < 200; i++) {
        Action action = next(world);
        if (action.kind == ACTION_WAIT) {
            if (action.until_ms == UINT64_MAX) return;
            world->now_ms = action.until_ms;
            continue;
        }
        did(world, &action);
    }
    assert(false); // it does not settle
}

ApplicationReport report(World *world) {
    ApplicationReport reported;
    must(workload_report(&world->workload, &world->seen, &arena, &reported));
    return reported;
}
