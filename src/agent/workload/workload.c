// SPDX-License-Identifier: Apache-2.0
#include "agent/workload/workload.h"

#include "base/jws.h"
#include "base/scope.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum {
    RETRY_FIRST_MS = 2000,
    RETRY_MAX_MS = 300'000,
    HEALTH_SLACK_MS = 30'000,
    HEALTH_INTERVAL_MS = 30'000, ///< of a check that the image brings: the engine's defaults
    HEALTH_RETRIES = 3,
};

/// The first of the faults of a manifest.
static Err manifest_fail(const Faults *faults, Err err, Reason *reason) {
    if (faults->count == 0) return err;
    const Fault *first = &faults->items[0];
    return reason_fail(reason, err, "%.*s %.*s", STR_FMT(first->pointer), STR_FMT(first->allowed));
}

Err desired_check(const Desired *desired, Arena *arena, Manifest *ret_manifest, Reason *reason) {
    Manifest manifest = {};
    if (desired->manifest.text.len > 0) {
        Str json;
        TRY(json_canonical(arena, desired->manifest.text, &json));
        Str digest = str_print(arena, "sha256:%.*s", STR_FMT(sha256_hex(arena, json)));
        TRY(arena_check(arena));
        if (!str_eq(digest, desired->digest))
            return FAIL(ERR_INVALID, "the manifest is not the one that its digest names");
        Faults faults;
        faults_init(&faults, arena);
        Err err = schema_decode(&Manifest_schema, json, DECODE_INPUT, arena, &faults, &manifest);
        if (err.code == ERR_INVALID)
            return manifest_fail(
                &faults,
                FAIL(ERR_INVALID, "the manifest is not one that this agent understands"),
                reason);
        TRY(err);
        manifest_check(&manifest, S("/manifest"), &faults);
        if (faults.count > 0)
            return manifest_fail(
                &faults, FAIL(ERR_INVALID, "the manifest contradicts itself"), reason);
    } else if (!id_is_absent(&desired->release_id)) {
        return FAIL(ERR_INVALID, "the release came without its manifest");
    }
    *ret_manifest = manifest;
    return SUCCESS;
}

static Err config_hash(const Service *service, Arena *arena, Str *ret_hash) {
    SCOPED(text_done) Text json;
    text_init(&json, MANIFEST_JSON_MAX);
    schema_encode(&Service_schema, service, ENCODE_REPLY, &json);
    TRY(text_check(&json));
    Str canonical;
    TRY(json_canonical(arena, text_str(&json), &canonical));
    *ret_hash = sha256_hex(arena, canonical);
    return arena_check(arena);
}

Err workload_aim(const Desired *desired,
                 const Manifest *manifest,
                 bool is_settled,
                 uint64_t seed,
                 Arena *arena,
                 Workload *ret_workload) {
    Workload workload = {.desired = *desired, .manifest = *manifest, .is_settled = is_settled};
    manifest_order(manifest, workload.order);
    for (size_t i = 0; i < manifest->services.count; i++) {
        ServiceTry *try = &workload.tries[i];
        TRY(config_hash(&manifest->services.items[i], arena, &try->config));
        try->backoff = (Backoff){RETRY_FIRST_MS, RETRY_MAX_MS, .random = seed + i};
    }
    *ret_workload = workload;
    return SUCCESS;
}

/// --- what is there ---

static bool runs(const Seen *seen) {
    return seen->state == CONTAINER_RUNNING || seen->state == CONTAINER_RESTARTING;
}

/// The container that was made for the service as it is wanted; one that runs, if there are
/// several.
static const Seen *match_find(const Workload *workload, const SeenList *seen, size_t service) {
    const Seen *found = NULL;
    for (size_t i = 0; i < seen->count; i++) {
        const Seen *one = &seen->items[i];
        if (one->is_dead || !str_eq(one->service, workload->manifest.services.items[service].name)
            || !str_eq(one->config, workload->tries[service].config))
            continue;
        if (!found || (runs(one) && !runs(found))) found = one;
    }
    return found;
}

/// Its end is its purpose: the restart policy does not want it back.
static bool is_complete(const Service *service, const Seen *match) {
    if (match->state != CONTAINER_EXITED) return false;
    return service->restart == RESTART_NO
           || (service->restart == RESTART_ON_FAILURE && match->exit_code == 0);
}

static bool is_well(const Service *service, const Seen *match) {
    if (!match) return false;
    if (is_complete(service, match)) return true;
    return match->state == CONTAINER_RUNNING
           && (match->health == HEALTH_NONE || match->health == HEALTH_HEALTHY);
}

bool workload_is_well(const Workload *workload, const SeenList *seen, size_t service) {
    return is_well(&workload->manifest.services.items[service],
                   match_find(workload, seen, service));
}

/// Well, and when it is new and nothing checks it, well for a while.
static bool is_up(const Workload *workload, size_t service, const Seen *match, uint64_t now_ms) {
    const ServiceTry *try = &workload->tries[service];
    const Service *wanted = &workload->manifest.services.items[service];
    if (!is_well(wanted, match)) return false;
    if (workload->is_settled || match->health == HEALTH_HEALTHY || is_complete(wanted, match))
        return true;
    return try->since_ms > 0 && now_ms - try->since_ms >= WORKLOAD_STABLE_MS;
}

static size_t service_find(const Workload *workload, Str name) {
    size_t at = 0;
    while (!str_eq(workload->manifest.services.items[at].name, name))
        at++;
    return at; // manifest_check saw that it is there
}

static bool dependencies_are_ready(const Workload *workload, const SeenList *seen, size_t service) {
    const Service *wanted = &workload->manifest.services.items[service];
    for (size_t i = 0; i < wanted->depends_on.count; i++) {
        const Dependency *need = &wanted->depends_on.items[i];
        size_t at = service_find(workload, need->service);
        const Seen *match = match_find(workload, seen, at);
        const Service *first = &workload->manifest.services.items[at];
        bool started = match && (runs(match) || is_complete(first, match));
        if (need->condition == DEPENDS_HEALTHY ? !is_well(first, match) : !started) return false;
    }
    return true;
}

/// Nobody wants the container as it is.
static bool is_leftover(const Workload *workload, const SeenList *seen, const Seen *one) {
    for (size_t i = 0; i < workload->manifest.services.count; i++)
        if (match_find(workload, seen, i) == one) return false;
    return true;
}

static bool shares_port(const Service *wanted, const Seen *other) {
    for (size_t i = 0; i < wanted->ports.count; i++)
        for (size_t j = 0; j < other->port_count; j++)
            if (wanted->ports.items[i].host == other->ports[j].host
                && wanted->ports.items[i].protocol == other->ports[j].protocol)
                return true;
    return false;
}

/// Both may write to the same storage: two versions of a database must not meet there.
static bool shares_store(const Service *wanted, const Seen *other) {
    for (size_t i = 0; i < wanted->volumes.count; i++) {
        if (wanted->volumes.items[i].read_only) continue;
        for (size_t j = 0; j < other->stores.count; j++)
            if (str_eq(wanted->volumes.items[i].source, other->stores.items[j])) return true;
    }
    return false;
}

/// --- what to do ---

static const Action nothing = {.kind = ACTION_WAIT, .until_ms = UINT64_MAX};

static void sooner(Action *wait, uint64_t at_ms) {
    if (at_ms < wait->until_ms) wait->until_ms = at_ms;
}

static void failed(ServiceTry *try, Str reason, uint64_t now_ms) {
    reason_set(&try->reason, "%.*s", STR_FMT(reason));
    try->due_ms = now_ms + backoff_next(&try->backoff, 0);
}

static uint64_t health_deadline_ms(const Service *service) {
    const Healthcheck *check = &service->healthcheck;
    uint64_t interval = check->interval.ms ? check->interval.ms : HEALTH_INTERVAL_MS;
    uint64_t timeout = check->timeout.ms ? check->timeout.ms : HEALTH_INTERVAL_MS;
    uint64_t retries = check->retries ? check->retries : HEALTH_RETRIES;
    return check->start_period.ms + (interval + timeout) * (retries + 1) + HEALTH_SLACK_MS;
}

static void complain(ServiceTry *try, const Service *service, const char *what, uint64_t now_ms) {
    Reason reason;
    reason_set(&reason, "%.*s %s", STR_FMT(service->name), what);
    try->is_judged = true;
    failed(try, str_from(reason.text), now_ms);
}

/// Take note of how the service's container does, before anything is decided.
static void judge(Workload *workload, const SeenList *seen, size_t service, uint64_t now_ms) {
    ServiceTry *try = &workload->tries[service];
    const Service *wanted = &workload->manifest.services.items[service];
    const Seen *match = match_find(workload, seen, service);
    if (!match || !runs(match)) {
        try->since_ms = 0;
        return;
    }
    if (try->since_ms == 0 || !str_eq(str_from(try->started_at), match->started_at)) {
        snprintf(try->started_at, sizeof(try->started_at), "%.*s", STR_FMT(match->started_at));
        try->since_ms = now_ms;
    }
    if (is_up(workload, service, match, now_ms)) {
        backoff_reset(&try->backoff);
        try->reason = (Reason){};
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
        complain(try, wanted, what, now_ms);
    } else if (match->health == HEALTH_UNHEALTHY) {
        complain(try, wanted, "is unhealthy", now_ms);
    } else if (match->health == HEALTH_STARTING
               && now_ms - try->since_ms >= health_deadline_ms(wanted)) {
        complain(try, wanted, "did not become healthy in time", now_ms);
    }
}

/// Images that containers are still to be made from. `*ret_missing`: one is not there yet.
static Action
pull_next(const Workload *workload, const SeenList *seen, uint64_t now_ms, bool *ret_missing) {
    Action action = nothing;
    *ret_missing = false;
    for (size_t i = 0; i < workload->manifest.services.count; i++) {
        const ServiceTry *try = &workload->tries[i];
        if (try->image_is_here || match_find(workload, seen, i)) continue;
        *ret_missing = true;
        if (try->due_ms <= now_ms) return (Action){.kind = ACTION_PULL, .service = i};
        sooner(&action, try->due_ms);
    }
    return action;
}

static void container_name(Str service, char ret_name[SERVICE_NAME_MAX + 8]) {
    snprintf(ret_name, SERVICE_NAME_MAX + 8, "muster-%.*s", STR_FMT(service));
}

static Action create_next(const Workload *workload, const SeenList *seen, size_t service) {
    char name[SERVICE_NAME_MAX + 8];
    container_name(workload->manifest.services.items[service].name, name);
    for (size_t i = 0; i < seen->count; i++)
        if (str_eq(seen->items[i].name, str_from(name)))
            return (Action){ACTION_RENAME, service, seen->items[i].id, 0};
    return (Action){.kind = ACTION_CREATE, .service = service};
}

static Action
start_next(const Workload *workload, const SeenList *seen, size_t service, const Seen *match) {
    const Service *wanted = &workload->manifest.services.items[service];
    for (size_t i = 0; i < seen->count; i++) {
        const Seen *other = &seen->items[i];
        if (other != match && runs(other) && is_leftover(workload, seen, other)
            && (shares_port(wanted, other) || shares_store(wanted, other)))
            return (Action){ACTION_STOP, service, other->id, 0};
    }
    return (Action){ACTION_START, service, match->id, 0};
}

/// What keeps a container that runs from being up; ACTION_WAIT without an end if only an event can
/// change it.
static Action
mend_next(const Workload *workload, size_t service, const Seen *match, uint64_t now_ms) {
    const ServiceTry *try = &workload->tries[service];
    const Service *wanted = &workload->manifest.services.items[service];
    Action action = nothing;
    if (workload->is_settled || match->state == CONTAINER_RESTARTING) return action;
    if (try->is_judged) {
        if (try->due_ms <= now_ms) return (Action){ACTION_RESTART, service, match->id, 0};
        sooner(&action, try->due_ms);
    } else if (match->health == HEALTH_NONE) {
        sooner(&action, try->since_ms + WORKLOAD_STABLE_MS);
    } else {
        sooner(&action, try->since_ms + health_deadline_ms(wanted));
    }
    return action;
}

/// A predecessor of a service that is up: another container for it.
static const Seen *predecessor_find(const SeenList *seen, const Seen *match) {
    for (size_t i = 0; i < seen->count; i++)
        if (&seen->items[i] != match && str_eq(seen->items[i].service, match->service))
            return &seen->items[i];
    return NULL;
}

static Action service_next(
    Workload *workload, const SeenList *seen, size_t service, bool may_create, uint64_t now_ms) {
    const ServiceTry *try = &workload->tries[service];
    const Seen *match = match_find(workload, seen, service);
    if (match && is_up(workload, service, match, now_ms)) {
        const Seen *old = predecessor_find(seen, match);
        return old ? (Action){ACTION_REMOVE, service, old->id, 0} : nothing;
    }
    if (match && runs(match)) return mend_next(workload, service, match, now_ms);
    if (match && is_complete(&workload->manifest.services.items[service], match)) return nothing;
    if ((!match && !may_create) || !dependencies_are_ready(workload, seen, service)) return nothing;
    if (try->due_ms > now_ms) return (Action){.kind = ACTION_WAIT, .until_ms = try->due_ms};
    return match ? start_next(workload, seen, service, match)
                 : create_next(workload, seen, service);
}

Action workload_step(Workload *workload, const SeenList *seen, uint64_t now_ms) {
    assert(seen->count <= WORKLOAD_SEEN_MAX);
    if (workload->desired.version == 0) return nothing;
    size_t count = workload->manifest.services.count;
    for (size_t i = 0; i < seen->count; i++)
        if (seen->items[i].is_dead) return (Action){ACTION_REMOVE, 0, seen->items[i].id, 0};
    bool all_up = true;
    for (size_t i = 0; i < count; i++) {
        judge(workload, seen, i, now_ms);
        all_up = all_up && is_up(workload, i, match_find(workload, seen, i), now_ms);
    }
    bool missing;
    Action wait = pull_next(workload, seen, now_ms, &missing);
    if (wait.kind != ACTION_WAIT) return wait;
    for (size_t i = 0; i < count; i++) {
        Action next = service_next(workload, seen, workload->order[i], !missing, now_ms);
        if (next.kind != ACTION_WAIT) return next;
        sooner(&wait, next.until_ms);
    }
    if (!all_up) return wait;
    workload->is_settled = true;
    for (size_t i = 0; i < seen->count; i++)
        if (is_leftover(workload, seen, &seen->items[i]))
            return (Action){ACTION_REMOVE, 0, seen->items[i].id, 0};
    return wait;
}

void workload_did(
    Workload *workload, const Action *action, Err result, Str reason, uint64_t now_ms) {
    if (action->kind == ACTION_WAIT || workload->manifest.services.count == 0) return;
    ServiceTry *try = &workload->tries[action->service];
    if (result.code != OK) {
        if (action->kind == ACTION_CREATE && result.code == ERR_NOT_FOUND)
            try->image_is_here = false; // somebody removed it: fetch it again
        failed(try, reason.len > 0 ? reason : str_from(result.what), now_ms);
        return;
    }
    if (action->kind == ACTION_PULL) {
        try->image_is_here = true;
        try->reason = (Reason){};
        backoff_reset(&try->backoff);
    }
    // One that ends at once is started again, later and later, until it was up for a while.
    if (action->kind == ACTION_START || action->kind == ACTION_RESTART)
        try->due_ms = now_ms + backoff_next(&try->backoff, 0);
    if (action->kind == ACTION_RESTART) try->is_judged = false;
}
