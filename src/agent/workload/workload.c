// SPDX-License-Identifier: Apache-2.0
#include "agent/workload/workload.h"

#include <stdio.h>
#include <string.h>

enum {
    RETRY_FIRST_MS = 2000,
    RETRY_MAX_MS = 300'000,
    HEALTH_SLACK_MS = 30'000,
    HEALTH_INTERVAL_MS = 30'000, ///< of a check that the image brings: the engine's defaults
    HEALTH_RETRIES = 3,
};

Err workload_aim(const Application *application,
                 const Manifest *manifest,
                 bool is_settled,
                 uint64_t seed,
                 Arena *arena,
                 Workload *ret_workload) {
    size_t count = manifest->services.count;
    Workload workload = {
        .application = *application,
        .manifest = *manifest,
        .order = ARENA_ARRAY(arena, size_t, MANIFEST_SERVICES_MAX),
        .tries = ARENA_ARRAY(arena, ServiceTry, count),
        .is_settled = is_settled,
    };
    TRY(arena_check(arena));
    Str identities[MANIFEST_SERVICES_MAX];
    TRY(manifest_identities(application->manifest.text, arena, identities));
    manifest_order(manifest, workload.order);
    for (size_t i = 0; i < count; i++) {
        workload.tries[i].config = identities[i];
        workload.tries[i].backoff = (Backoff){RETRY_FIRST_MS, RETRY_MAX_MS, .random = seed + i};
    }
    *ret_workload = workload;
    return SUCCESS;
}

/// --- what is there ---

static bool workload_runs(const Seen *seen) {
    return seen->state == CONTAINER_RUNNING || seen->state == CONTAINER_RESTARTING;
}

/// The container that was made for the service as it is wanted; one that runs, if there are
/// several.
static const Seen *workload_match(const Workload *workload, const SeenList *seen, size_t service) {
    const Seen *found = NULL;
    for (size_t i = 0; i < seen->count; i++) {
        const Seen *one = &seen->items[i];
        if (one->is_dead || !str_eq(one->service, workload->manifest.services.items[service].name)
            || !str_eq(one->config, workload->tries[service].config))
            continue;
        if (!found || (workload_runs(one) && !workload_runs(found))) found = one;
    }
    return found;
}

/// Its end is its purpose: the restart policy does not want it back.
static bool workload_is_complete(const Service *service, const Seen *match) {
    if (match->state != CONTAINER_EXITED) return false;
    return service->restart == RESTART_NO
           || (service->restart == RESTART_ON_FAILURE && match->exit_code == 0);
}

static bool workload_match_is_well(const Service *service, const Seen *match) {
    if (!match) return false;
    if (workload_is_complete(service, match)) return true;
    return match->state == CONTAINER_RUNNING
           && (match->health == HEALTH_NONE || match->health == HEALTH_HEALTHY);
}

bool workload_is_well(const Workload *workload, const SeenList *seen, size_t service) {
    return workload_match_is_well(&workload->manifest.services.items[service],
                                  workload_match(workload, seen, service));
}

/// Well, and when it is new and nothing checks it, well for a while.
static bool
workload_is_up(const Workload *workload, size_t service, const Seen *match, uint64_t now_ms) {
    const ServiceTry *try = &workload->tries[service];
    const Service *wanted = &workload->manifest.services.items[service];
    if (!workload_match_is_well(wanted, match)) return false;
    if (workload->is_settled || match->health == HEALTH_HEALTHY
        || workload_is_complete(wanted, match))
        return true;
    return try->since_ms > 0 && now_ms - try->since_ms >= WORKLOAD_STABLE_MS;
}

static size_t workload_service_find(const Workload *workload, Str name) {
    size_t at = 0;
    while (!str_eq(workload->manifest.services.items[at].name, name))
        at++;
    return at; // manifest_check saw that it is there
}

static bool
workload_needs_are_ready(const Workload *workload, const SeenList *seen, size_t service) {
    const Service *wanted = &workload->manifest.services.items[service];
    for (size_t i = 0; i < wanted->depends_on.count; i++) {
        const Dependency *need = &wanted->depends_on.items[i];
        size_t at = workload_service_find(workload, need->service);
        const Seen *match = workload_match(workload, seen, at);
        const Service *first = &workload->manifest.services.items[at];
        bool started = match && (workload_runs(match) || workload_is_complete(first, match));
        if (need->condition == DEPENDS_HEALTHY ? !workload_match_is_well(first, match) : !started)
            return false;
    }
    return true;
}

/// Nobody wants the container as it is.
static bool workload_is_leftover(const Workload *workload, const SeenList *seen, const Seen *one) {
    for (size_t i = 0; i < workload->manifest.services.count; i++)
        if (workload_match(workload, seen, i) == one) return false;
    return true;
}

static bool workload_shares_port(const Service *wanted, const Seen *other) {
    for (size_t i = 0; i < wanted->ports.count; i++)
        for (size_t j = 0; j < other->port_count; j++)
            if (wanted->ports.items[i].host == other->ports[j].host
                && wanted->ports.items[i].protocol == other->ports[j].protocol)
                return true;
    return false;
}

/// Both may write to the same storage: two versions of a database must not meet there.
static bool workload_shares_store(const Service *wanted, const Seen *other) {
    for (size_t i = 0; i < wanted->volumes.count; i++) {
        if (wanted->volumes.items[i].read_only) continue;
        for (size_t j = 0; j < other->stores.count; j++)
            if (str_eq(wanted->volumes.items[i].source, other->stores.items[j])) return true;
    }
    return false;
}

/// --- what to do ---

static const Action workload_nothing = {.kind = ACTION_WAIT, .until_ms = UINT64_MAX};

static void workload_sooner(Action *wait, uint64_t at_ms) {
    if (at_ms < wait->until_ms) wait->until_ms = at_ms;
}

static void workload_failed(ServiceTry *try, RefusalCode code, Str reason, uint64_t now_ms) {
    try->code = code;
    reason_set(&try->reason, "%.*s", STR_FMT(reason));
    try->due_ms = now_ms + backoff_next(&try->backoff, 0);
}

static uint64_t workload_health_deadline_ms(const Service *service) {
    const Healthcheck *check = &service->healthcheck;
    uint64_t interval = check->interval.ms ? check->interval.ms : HEALTH_INTERVAL_MS;
    uint64_t timeout = check->timeout.ms ? check->timeout.ms : HEALTH_INTERVAL_MS;
    uint64_t retries = check->retries ? check->retries : HEALTH_RETRIES;
    return check->start_period.ms + (interval + timeout) * (retries + 1) + HEALTH_SLACK_MS;
}

static void workload_complain(
    ServiceTry *try, const Service *service, RefusalCode code, const char *what, uint64_t now_ms) {
    Reason reason;
    reason_set(&reason, "%.*s %s", STR_FMT(service->name), what);
    try->is_judged = true;
    workload_failed(try, code, str_from(reason.text), now_ms);
}

/// Take note of how the service's container does, before anything is decided.
static void
workload_judge(Workload *workload, const SeenList *seen, size_t service, uint64_t now_ms) {
    ServiceTry *try = &workload->tries[service];
    const Service *wanted = &workload->manifest.services.items[service];
    const Seen *match = workload_match(workload, seen, service);
    if (!match || !workload_runs(match)) {
        try->since_ms = 0;
        return;
    }
    if (try->since_ms == 0 || !str_eq(str_from(try->started_at), match->started_at)) {
        snprintf(try->started_at, sizeof(try->started_at), "%.*s", STR_FMT(match->started_at));
        try->since_ms = now_ms;
    }
    if (workload_is_up(workload, service, match, now_ms)) {
        backoff_reset(&try->backoff);
        reason_clear(&try->reason);
        try->due_ms = 0;
        try->is_judged = false;
    } else if (workload->is_settled || try->is_judged) {
        return;
    } else if (match->state == CONTAINER_RESTARTING) {
        char what[80];
        snprintf(what,
                 sizeof(what),
                 "ends with exit code %lld again and again",
                 (long long)match->exit_code);
        workload_complain(try, wanted, REFUSED_START_FAILED, what, now_ms);
    } else if (match->health == HEALTH_UNHEALTHY) {
        workload_complain(try, wanted, REFUSED_UNHEALTHY, "is unhealthy", now_ms);
    } else if (match->health == HEALTH_STARTING
               && now_ms - try->since_ms >= workload_health_deadline_ms(wanted)) {
        workload_complain(try, wanted, REFUSED_UNHEALTHY, "did not become healthy in time", now_ms);
    }
}

/// Images that containers are still to be made from. `*ret_missing`: one is not there yet.
static Action workload_pull_next(const Workload *workload,
                                 const SeenList *seen,
                                 uint64_t now_ms,
                                 bool *ret_missing) {
    Action action = workload_nothing;
    *ret_missing = false;
    for (size_t i = 0; i < workload->manifest.services.count; i++) {
        const ServiceTry *try = &workload->tries[i];
        if (try->image_is_here || workload_match(workload, seen, i)) continue;
        *ret_missing = true;
        if (try->due_ms <= now_ms) return (Action){.kind = ACTION_PULL, .service = i};
        workload_sooner(&action, try->due_ms);
    }
    return action;
}

/// A name has the first digits of the identity in it: should two ever have the same, the one that
/// nobody wants makes way.
static Action workload_create_next(const Workload *workload, const SeenList *seen, size_t service) {
    const Service *wanted = &workload->manifest.services.items[service];
    Str digits = str_slice(workload->tries[service].config, 0, 6);
    for (size_t i = 0; i < seen->count; i++) {
        const Seen *one = &seen->items[i];
        if (str_eq(one->service, wanted->name) && str_starts(one->config, digits))
            return (Action){ACTION_REMOVE, 0, service, one->id, 0};
    }
    return (Action){.kind = ACTION_CREATE, .service = service};
}

static Action workload_start_next(const Workload *workload,
                                  const SeenList *seen,
                                  size_t service,
                                  const Seen *match) {
    const Service *wanted = &workload->manifest.services.items[service];
    for (size_t i = 0; i < seen->count; i++) {
        const Seen *other = &seen->items[i];
        if (other != match && workload_runs(other) && workload_is_leftover(workload, seen, other)
            && (workload_shares_port(wanted, other) || workload_shares_store(wanted, other)))
            return (Action){ACTION_STOP, 0, service, other->id, 0};
    }
    return (Action){ACTION_START, 0, service, match->id, 0};
}

/// What keeps a container that runs from being up; ACTION_WAIT without an end if only an event can
/// change it.
static Action
workload_mend_next(const Workload *workload, size_t service, const Seen *match, uint64_t now_ms) {
    const ServiceTry *try = &workload->tries[service];
    const Service *wanted = &workload->manifest.services.items[service];
    Action action = workload_nothing;
    if (workload->is_settled || match->state == CONTAINER_RESTARTING) return action;
    if (try->is_judged) {
        if (try->due_ms <= now_ms) return (Action){ACTION_RESTART, 0, service, match->id, 0};
        workload_sooner(&action, try->due_ms);
    } else if (match->health == HEALTH_NONE) {
        workload_sooner(&action, try->since_ms + WORKLOAD_STABLE_MS);
    } else {
        workload_sooner(&action, try->since_ms + workload_health_deadline_ms(wanted));
    }
    return action;
}

/// A predecessor of a service that is up: another container for it.
static const Seen *workload_predecessor(const SeenList *seen, const Seen *match) {
    for (size_t i = 0; i < seen->count; i++)
        if (&seen->items[i] != match && str_eq(seen->items[i].service, match->service))
            return &seen->items[i];
    return NULL;
}

static Action workload_service_next(
    Workload *workload, const SeenList *seen, size_t service, bool may_create, uint64_t now_ms) {
    const ServiceTry *try = &workload->tries[service];
    const Seen *match = workload_match(workload, seen, service);
    if (match && workload_is_up(workload, service, match, now_ms)) {
        const Seen *old = workload_predecessor(seen, match);
        return old ? (Action){ACTION_REMOVE, 0, service, old->id, 0} : workload_nothing;
    }
    if (match && workload_runs(match)) return workload_mend_next(workload, service, match, now_ms);
    if (match && workload_is_complete(&workload->manifest.services.items[service], match))
        return workload_nothing;
    if ((!match && !may_create) || !workload_needs_are_ready(workload, seen, service))
        return workload_nothing;
    if (try->due_ms > now_ms) return (Action){.kind = ACTION_WAIT, .until_ms = try->due_ms};
    return match ? workload_start_next(workload, seen, service, match)
                 : workload_create_next(workload, seen, service);
}

Action workload_step(Workload *workload, const SeenList *seen, uint64_t now_ms) {
    size_t count = workload->manifest.services.count;
    if (count == 0) return workload_nothing;
    for (size_t i = 0; i < seen->count; i++)
        if (seen->items[i].is_dead) return (Action){ACTION_REMOVE, 0, 0, seen->items[i].id, 0};
    bool all_up = true;
    for (size_t i = 0; i < count; i++) {
        workload_judge(workload, seen, i, now_ms);
        all_up = all_up && workload_is_up(workload, i, workload_match(workload, seen, i), now_ms);
    }
    bool missing;
    Action wait = workload_pull_next(workload, seen, now_ms, &missing);
    if (wait.kind != ACTION_WAIT) return wait;
    for (size_t i = 0; i < count; i++) {
        Action next = workload_service_next(workload, seen, workload->order[i], !missing, now_ms);
        if (next.kind != ACTION_WAIT) return next;
        workload_sooner(&wait, next.until_ms);
    }
    if (!all_up) return wait;
    workload->is_settled = true;
    for (size_t i = 0; i < seen->count; i++)
        if (workload_is_leftover(workload, seen, &seen->items[i]))
            return (Action){ACTION_REMOVE, 0, 0, seen->items[i].id, 0};
    return wait;
}

void workload_did(
    Workload *workload, const Action *action, Err result, Str reason, uint64_t now_ms) {
    if (action->kind == ACTION_WAIT || workload->manifest.services.count == 0) return;
    ServiceTry *try = &workload->tries[action->service];
    if (result.code != OK) {
        if (action->kind == ACTION_CREATE && result.code == ERR_NOT_FOUND)
            try->image_is_here = false; // somebody removed it: fetch it again
        workload_failed(try,
                        action->kind == ACTION_PULL ? REFUSED_UNREACHABLE : REFUSED_START_FAILED,
                        reason.len > 0 ? reason : str_from(result.what),
                        now_ms);
        return;
    }
    if (action->kind == ACTION_PULL) {
        try->image_is_here = true;
        reason_clear(&try->reason);
        backoff_reset(&try->backoff);
    }
    // One that ends at once is started again, later and later, until it was up for a while.
    if (action->kind == ACTION_START || action->kind == ACTION_RESTART)
        try->due_ms = now_ms + backoff_next(&try->backoff, 0);
    if (action->kind == ACTION_RESTART) try->is_judged = false;
}

bool workload_is_stuck(const Workload *workload) {
    for (size_t i = 0; i < workload->manifest.services.count; i++)
        if (workload->tries[i].reason.text[0]) return true;
    return false;
}
