// SPDX-License-Identifier: Apache-2.0
#include "agent/engine/container.h"

#define VOLUME_PREFIX "muster-"

static ContainerState state_of(Str status) {
    static const struct {
        Str status;
        ContainerState state;
    } states[] = {
        {S("created"),    CONTAINER_CREATED   },
        {S("running"),    CONTAINER_RUNNING   },
        {S("paused"),     CONTAINER_RUNNING   }, // somebody's wish, not ours to undo
        {S("restarting"), CONTAINER_RESTARTING},
    };
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
        if (str_eq(status, states[i].status)) return states[i].state;
    return CONTAINER_EXITED;
}

static Health health_of(Str status) {
    for (size_t i = 0; i < Health_names.count; i++)
        if (str_eq(status, str_from(Health_names.items[i]))) return (Health)i;
    return HEALTH_NONE;
}

/// Names as a manifest has them: without our prefix.
static StrList stores_of(const EngineMountList *mounts, Arena *arena) {
    StrList stores = {.items = ARENA_ARRAY(arena, Str, mounts->count)};
    for (size_t i = 0; i < mounts->count && stores.items; i++) {
        const EngineMount *mount = &mounts->items[i];
        if (!mount->RW) continue;
        Str name = mount->Name;
        if (str_starts(name, S(VOLUME_PREFIX)))
            name = str_slice(name, sizeof(VOLUME_PREFIX) - 1, name.len);
        stores.items[stores.count++] = str_eq(mount->Type, S("volume")) ? name : mount->Source;
    }
    return stores;
}

static void ports_of(const EnginePortList *ports, Arena *arena, Seen *seen) {
    seen->ports = ARENA_ARRAY(arena, Port, ports->count);
    for (size_t i = 0; i < ports->count && seen->ports; i++) {
        const EnginePort *port = &ports->items[i];
        if (port->PublicPort == 0) continue;
        seen->ports[seen->port_count++] = (Port){
            .host = port->PublicPort,
            .protocol = str_eq(port->Type, S("udp")) ? PORT_UDP : PORT_TCP,
        };
    }
}

static Seen seen_of(const EngineContainer *container, Arena *arena) {
    Str status = container->State.Status;
    StrMap labels = container->Config.Labels;
    Seen seen = {
        .id = container->Id,
        .name = str_starts(container->Name, S("/")) ? str_slice(container->Name, 1, SIZE_MAX)
                                                    : container->Name,
        .service = str_map_find(labels, S(LABEL_SERVICE)),
        .config = str_map_find(labels, S(LABEL_CONFIG)),
        .image = container->Config.Image,
        .started_at = container->State.StartedAt,
        .error = container->State.Error,
        .state = state_of(status),
        .is_dead = str_eq(status, S("dead")) || str_eq(status, S("removing")),
        .health = health_of(container->State.Health.Status),
        .exit_code = container->State.ExitCode,
        .stores = stores_of(&container->Mounts, arena),
    };
    ports_of(&container->Ports, arena, &seen);
    return seen;
}

Err container_seen(const EngineContainerList *list,
                   Str device_id,
                   Arena *arena,
                   SeenList *ret_seen) {
    SeenList seen = {.items = ARENA_ARRAY(arena, Seen, list->count)};
    TRY(arena_check(arena));
    for (size_t i = 0; i < list->count; i++) {
        const EngineContainer *container = &list->items[i];
        Str owner = str_map_find(container->Config.Labels, S(LABEL_DEVICE));
        if (str_eq(owner, device_id)) seen.items[seen.count++] = seen_of(container, arena);
    }
    TRY(arena_check(arena));
    *ret_seen = seen;
    return SUCCESS;
}
