// SPDX-License-Identifier: Apache-2.0
#include "agent/workload/act.h"

#include "agent/engine/container.h"
#include "base/log.h"
#include "base/scope.h"

static Err act_pull(Engine *engine, const Service *service, Reason *reason) {
    bool is_here;
    TRY(engine_image_find(engine, service->image, &is_here, reason));
    if (is_here) return SUCCESS;
    TRY(engine_pull(engine, service->image, reason));
    TRY(engine_image_find(engine, service->image, &is_here, reason));
    return is_here ? SUCCESS : FAIL(ERR_STATE, "the pull ended without the image");
}

static Err act_volumes(Engine *engine, const ContainerPlan *plan, Arena *scratch, Reason *reason) {
    for (size_t i = 0; i < plan->service->volumes.count; i++) {
        Str source = plan->service->volumes.items[i].source;
        if (str_starts(source, S("/"))) continue;
        Str name = container_volume(plan->owner.application, source, scratch);
        TRY(arena_check(scratch));
        TRY(engine_volume_check(engine, name, &plan->owner, reason));
    }
    return SUCCESS;
}

/// See container_clears_command.
static Err act_entrypoint(Engine *engine, ContainerPlan *plan, Arena *scratch, Reason *reason) {
    const Service *service = plan->service;
    if (!container_clears_command(service)) return SUCCESS;
    if (service->entrypoint.count > 0) return SUCCESS;
    if (!service->entrypoint.items)
        TRY(engine_image_entrypoint(engine, service->image, scratch, &plan->entrypoint, reason));
    return plan->entrypoint.count > 0
               ? SUCCESS
               : FAIL(ERR_INVALID,
                      "its command is cleared and it has no entrypoint: nothing is left to run");
}

static Err act_create(Engine *engine, ContainerPlan *plan, Arena *scratch, Reason *reason) {
    TRY(act_volumes(engine, plan, scratch, reason));
    TRY(act_entrypoint(engine, plan, scratch, reason));
    SCOPED(text_done) Text body;
    text_init(&body, CONTAINER_BODY_MAX);
    TRY(container_body(plan, scratch, &body));
    Str name = container_name(plan, scratch);
    TRY(arena_check(scratch));
    Err err = engine_container_create(engine, name, text_str(&body), reason);
    // Ours would have been seen.
    if (err.code == ERR_CONFLICT) err.what = "its name is of a container that is not this device's";
    return err;
}

Err act_perform(Engine *engine,
                Str device_id,
                const Workloads *workloads,
                const Action *action,
                Arena *scratch,
                Reason *reason) {
    ContainerPlan plan = {};
    if (action->application < workloads->count) {
        const Workload *workload = &workloads->items[action->application];
        plan = (ContainerPlan){
            .owner = {device_id, workload->application.name},
            .release_id = id_str(&workload->application.release_id),
            .service = &workload->manifest.services.items[action->service],
            .config = workload->tries[action->service].config,
        };
    }
    switch (action->kind) {
    case ACTION_PULL:
        return act_pull(engine, plan.service, reason);
    case ACTION_CREATE:
    case ACTION_START: {
        // Its network may have been removed under it; the engine would refuse to start it.
        Str network = container_network(plan.owner.application, scratch);
        TRY(arena_check(scratch));
        TRY(engine_network_ensure(engine, network, &plan.owner, reason));
        return action->kind == ACTION_CREATE
                   ? act_create(engine, &plan, scratch, reason)
                   : engine_container_start(engine, action->container, reason);
    }
    case ACTION_RESTART:
        return engine_container_restart(engine, action->container, reason);
    case ACTION_STOP:
        return engine_container_stop(engine, action->container, reason);
    case ACTION_REMOVE:
        return engine_container_remove(engine, action->container, reason);
    case ACTION_WAIT:
        break;
    }
    return SUCCESS;
}

Err act_sweep(
    Engine *engine, Str device_id, const Workloads *workloads, Arena *scratch, Reason *reason) {
    EngineNetworkList list;
    TRY(engine_networks(engine, device_id, scratch, &list, reason));
    for (size_t i = 0; i < list.count; i++) {
        const EngineNetwork *network = &list.items[i];
        if (labels_judge(network->Labels, device_id) != LABELS_OURS
            || workloads_want(workloads, str_map_find(network->Labels, S(LABEL_APPLICATION))))
            continue;
        TRY(engine_network_remove(engine, network->Id, reason));
        log_event(LOG_INFO, "network.removed", F("name", network->Name));
    }
    return SUCCESS;
}

const char *act_name(ActionKind kind) {
    static const char *const names[] = {
        [ACTION_WAIT] = "wait",
        [ACTION_PULL] = "pull",
        [ACTION_CREATE] = "create",
        [ACTION_START] = "start",
        [ACTION_RESTART] = "restart",
        [ACTION_STOP] = "stop",
        [ACTION_REMOVE] = "remove",
    };
    return names[kind];
}
