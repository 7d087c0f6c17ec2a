// SPDX-License-Identifier: Apache-2.0
#include "agent/engine/container.h"

#include <stdlib.h>

static ContainerState seen_state_of(Str status) {
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

static Health seen_health_of(Str status) {
    for (size_t i = 0; i < HEALTH_UNKNOWN; i++)
        if (str_eq(status, str_from(Health_names.items[i]))) return (Health)i;
    return HEALTH_NONE;
}

/// Names as a manifest has them: without the application's prefix.
static Str seen_store_of(const EngineMount *mount, Str application) {
    if (!str_eq(mount->Type, S("volume"))) return mount->Source;
    Str name = mount->Name;
    bool has_prefix = str_starts(name, application) && name.len > application.len
                      && name.ptr[application.len] == '_';
    return has_prefix ? str_slice(name, application.len + 1, name.len) : name;
}

static StrList seen_stores_of(const EngineMountList *mounts, Str application, Arena *arena) {
    StrList stores = {.items = ARENA_ARRAY(arena, Str, mounts->count)};
    for (size_t i = 0; i < mounts->count && stores.items; i++)
        if (mounts->items[i].RW)
            stores.items[stores.count++] = seen_store_of(&mounts->items[i], application);
    return stores;
}

static void seen_ports_of(const EnginePortList *ports, Arena *arena, Seen *seen) {
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

static Str seen_name_of(const EngineContainer *container) {
    Str name = container->Name;
    return str_starts(name, S("/")) ? str_slice(name, 1, name.len) : name;
}

static Seen seen_of(const EngineContainer *container, Arena *arena) {
    Str status = container->State.Status;
    StrMap labels = container->Config.Labels;
    Str application = str_map_find(labels, S(LABEL_APPLICATION));
    Seen seen = {
        .id = container->Id,
        .name = seen_name_of(container),
        .application = application,
        .service = str_map_find(labels, S(LABEL_SERVICE)),
        .config = str_map_find(labels, S(LABEL_CONFIG)),
        .image = container->Config.Image,
        .started_at = container->State.StartedAt,
        .error = container->State.Error,
        .state = seen_state_of(status),
        .is_dead = str_eq(status, S("dead")) || str_eq(status, S("removing")),
        .health = seen_health_of(container->State.Health.Status),
        .exit_code = container->State.ExitCode,
        .stores = seen_stores_of(&container->Mounts, application, arena),
    };
    seen_ports_of(&container->Ports, arena, &seen);
    return seen;
}

static int seen_order(const void *a, const void *b) {
    const Seen *one = a;
    const Seen *other = b;
    int order = str_cmp(one->application, other->application);
    return order ? order : str_cmp(one->id, other->id);
}

Err container_seen(const EngineContainerList *list,
                   Str device_id,
                   Arena *arena,
                   SeenList *ret_seen,
                   StrList *ret_newer) {
    SeenList seen = {.items = ARENA_ARRAY(arena, Seen, list->count)};
    StrList newer = {.items = ARENA_ARRAY(arena, Str, list->count)};
    TRY(arena_check(arena));
    for (size_t i = 0; i < list->count; i++) {
        const EngineContainer *container = &list->items[i];
        LabelsJudgement whose = labels_judge(container->Config.Labels, device_id);
        if (whose == LABELS_OURS) seen.items[seen.count++] = seen_of(container, arena);
        if (whose == LABELS_NEWER) newer.items[newer.count++] = seen_name_of(container);
    }
    TRY(arena_check(arena));
    qsort(seen.items, seen.count, sizeof(Seen), seen_order);
    *ret_seen = seen;
    *ret_newer = newer;
    return SUCCESS;
}
