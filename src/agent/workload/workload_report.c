// SPDX-License-Identifier: Apache-2.0
#include "agent/workload/workload.h"

#include "base/arena.h"

/// The container that stands for a service: the wanted one, else its predecessor.
static const Seen *seen_find(const SeenList *seen, Str service, Str config) {
    const Seen *found = NULL;
    for (size_t i = 0; i < seen->count; i++) {
        const Seen *one = &seen->items[i];
        if (!str_eq(one->service, service)) continue;
        if (str_eq(one->config, config)) return one;
        if (!found) found = one;
    }
    return found;
}

static ServiceStatus status_of(const Service *service, const Seen *seen) {
    if (!seen) return (ServiceStatus){.name = service->name, .image = service->image};
    return (ServiceStatus){
        .name = service->name,
        .image = seen->image,
        .container_id = seen->id,
        .state = seen->state,
        .health = seen->health,
        .exit_code = seen->exit_code,
    };
}

static bool is_missing(const Workload *workload, const SeenList *seen, size_t service) {
    const ServiceTry *try = &workload->tries[service];
    const Seen *one = seen_find(seen, workload->manifest.services.items[service].name, try->config);
    return !try->image_is_here && !(one && str_eq(one->config, try->config));
}

static const char *health_word(const Seen *seen) {
    if (!seen) return "has no container";
    if (seen->state == CONTAINER_RUNNING)
        return seen->health == HEALTH_UNHEALTHY ? "is unhealthy" : "is starting";
    return seen->state == CONTAINER_RESTARTING ? "ends again and again" : "does not run";
}

/// A settled workload that is not as it was.
static Str degraded_detail(const Workload *workload, const SeenList *seen, Arena *arena) {
    for (size_t i = 0; i < workload->manifest.services.count; i++) {
        const Service *service = &workload->manifest.services.items[i];
        const Seen *one = seen_find(seen, service->name, workload->tries[i].config);
        if (!workload_is_well(workload, seen, i))
            return str_print(arena, "%.*s %s", STR_FMT(service->name), health_word(one));
    }
    return (Str){};
}

static void
judge_state(const Workload *workload, const SeenList *seen, Arena *arena, Reported *reported) {
    bool missing = false;
    bool well = true;
    Str reason = {};
    for (size_t i = 0; i < workload->manifest.services.count; i++) {
        missing = missing || is_missing(workload, seen, i);
        well = well && workload_is_well(workload, seen, i);
        if (reason.len == 0) reason = str_from(workload->tries[i].reason.text);
    }
    if (well && workload->is_settled) {
        reported->state = WORKLOAD_RUNNING;
        return;
    }
    if (workload->is_settled) {
        reported->state = WORKLOAD_DEGRADED;
        reported->detail = reason.len ? reason : degraded_detail(workload, seen, arena);
        return;
    }
    reported->state = missing ? WORKLOAD_PULLING : WORKLOAD_STARTING;
    if (reason.len == 0) return;
    reported->state = WORKLOAD_FAILED;
    reported->detail = reason;
}

Err workload_report(const Workload *workload,
                    const SeenList *seen,
                    Arena *arena,
                    Reported *ret_reported) {
    const ServiceList *wanted = &workload->manifest.services;
    Reported reported = {
        .version = workload->desired.version,
        .release_id = workload->desired.release_id,
        .services = {ARENA_ARRAY(arena, ServiceStatus, wanted->count), wanted->count},
    };
    TRY(arena_check(arena));
    for (size_t i = 0; i < wanted->count; i++)
        reported.services.items[i] = status_of(
            &wanted->items[i], seen_find(seen, wanted->items[i].name, workload->tries[i].config));
    if (workload->desired.version > 0) judge_state(workload, seen, arena, &reported);
    TRY(arena_check(arena));
    *ret_reported = reported;
    return SUCCESS;
}
