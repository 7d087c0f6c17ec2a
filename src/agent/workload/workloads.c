// SPDX-License-Identifier: Apache-2.0
#include "agent/workload/workloads.h"

#include "base/arena.h"

#include <assert.h>

enum { REST_FIRST_MS = 2000, REST_MAX_MS = 300'000 };

/// The last account says that this deployment was all up.
static bool workloads_was_settled(const Reported *last, const Application *application) {
    for (size_t i = 0; i < last->applications.count; i++) {
        const ApplicationReport *one = &last->applications.items[i];
        if (str_eq(one->name, application->name) && one->serial == application->serial)
            return one->state == WORKLOAD_RUNNING || one->state == WORKLOAD_DEGRADED;
    }
    return false;
}

static Err workloads_one(const Aim *aim,
                         const Application *application,
                         const Reported *last,
                         uint64_t seed,
                         Arena *arena,
                         Workload *ret_workload) {
    const Refused *refused = aim_refused(aim, application->name);
    Workload workload = {.application = *application};
    Manifest manifest;
    Refusal refusal = {};
    application_check(application, &refusal);
    if (!refusal.code.ptr) TRY(manifest_read(&application->manifest, arena, &manifest, &refusal));
    if (!refusal.code.ptr)
        TRY(workload_aim(application,
                         &manifest,
                         workloads_was_settled(last, application),
                         seed,
                         arena,
                         &workload));
    if (refused) {
        workload.refused = *refused;
    } else if (refusal.code.ptr) {
        workload.refused =
            (Refused){application->name, application->serial, application->release_id, refusal};
    }
    *ret_workload = workload;
    return SUCCESS;
}

Err workloads_aim(
    const Aim *aim, const Reported *last, uint64_t seed, Arena *arena, Workloads *ret_workloads) {
    const ApplicationList *list = &aim->desired.applications;
    assert(list->count <= APPLICATIONS_MAX);
    Workloads workloads = {
        .generation = aim->generation,
        .items = ARENA_ARRAY(arena, Workload, list->count),
        .count = list->count,
        .active = list->count,
        .policy_refused = aim->policy_refused,
        .rest = {.backoff = {REST_FIRST_MS, REST_MAX_MS, .random = seed}},
    };
    TRY(arena_check(arena));
    for (size_t i = 0; i < list->count; i++)
        TRY(workloads_one(aim, &list->items[i], last, seed + i * 1000, arena, &workloads.items[i]));
    *ret_workloads = workloads;
    return SUCCESS;
}

SeenList workloads_seen(const SeenList *seen, Str application) {
    size_t first = 0;
    while (first < seen->count && !str_eq(seen->items[first].application, application))
        first++;
    size_t end = first;
    while (end < seen->count && str_eq(seen->items[end].application, application))
        end++;
    return (SeenList){seen->items ? seen->items + first : NULL, end - first};
}

bool workloads_want(const Workloads *workloads, Str application) {
    for (size_t i = 0; i < workloads->count; i++)
        if (str_eq(workloads->items[i].application.name, application)) return true;
    return false;
}

const Seen *workloads_rest(const Workloads *workloads, const SeenList *seen) {
    for (size_t i = 0; i < seen->count; i++)
        if (!workloads_want(workloads, seen->items[i].application)) return &seen->items[i];
    return NULL;
}

/// Stopped in peace, then removed.
static Action workloads_rest_next(const Workloads *workloads, const Seen *rest, uint64_t now_ms) {
    Action action = {.application = workloads->count, .container = rest->id};
    action.kind = ACTION_WAIT;
    action.until_ms = workloads->rest.due_ms;
    if (workloads->rest.due_ms > now_ms) return action;
    bool runs = rest->state == CONTAINER_RUNNING || rest->state == CONTAINER_RESTARTING;
    action.kind = runs && !rest->is_dead ? ACTION_STOP : ACTION_REMOVE;
    return action;
}

static bool workloads_is_switching(const Workload *workload) {
    return !workload->is_settled && !workload_is_stuck(workload);
}

/// Whether the application may do this while another one switches.
static bool workloads_may_act(const Workloads *workloads, size_t index, ActionKind kind) {
    size_t active = workloads->active;
    if (active == workloads->count || active == index) return true;
    return workloads->items[index].is_settled && kind != ACTION_PULL;
}

/// What the applications want, each for itself; one that is up or failing lets the others switch.
static void workloads_look(Workloads *workloads,
                           const SeenList *seen,
                           uint64_t now_ms,
                           Action ret_next[APPLICATIONS_MAX]) {
    for (size_t i = 0; i < workloads->count; i++) {
        SeenList own = workloads_seen(seen, workloads->items[i].application.name);
        ret_next[i] = workload_step(&workloads->items[i], &own, now_ms);
        ret_next[i].application = i;
    }
    size_t active = workloads->active;
    if (active < workloads->count && !workloads_is_switching(&workloads->items[active]))
        workloads->active = workloads->count;
}

static Action workloads_next(Workloads *workloads, const SeenList *seen, uint64_t now_ms) {
    Action next[APPLICATIONS_MAX];
    workloads_look(workloads, seen, now_ms, next);
    Action chosen = {.kind = ACTION_WAIT, .until_ms = UINT64_MAX};
    for (size_t i = 0; i < workloads->count; i++) {
        bool is_first = chosen.kind == ACTION_WAIT || i == workloads->active;
        if (next[i].kind != ACTION_WAIT) {
            if (is_first && workloads_may_act(workloads, i, next[i].kind)) chosen = next[i];
        } else if (chosen.kind == ACTION_WAIT && next[i].until_ms < chosen.until_ms) {
            chosen = next[i];
        }
    }
    return chosen;
}

Action workloads_step(Workloads *workloads, const SeenList *seen, uint64_t now_ms) {
    const Action nothing = {.kind = ACTION_WAIT, .until_ms = UINT64_MAX};
    if (workloads->generation == 0) return nothing;
    Action next = workloads_next(workloads, seen, now_ms);
    const Seen *rest = workloads_rest(workloads, seen);
    if (rest && next.kind != ACTION_PULL) {
        Action remove = workloads_rest_next(workloads, rest, now_ms);
        if (remove.kind != ACTION_WAIT) return remove;
        if (next.kind == ACTION_WAIT && remove.until_ms < next.until_ms) return remove;
    }
    if (next.kind != ACTION_WAIT && workloads_is_switching(&workloads->items[next.application]))
        workloads->active = next.application;
    return next;
}

void workloads_did(
    Workloads *workloads, const Action *action, Err result, Str reason, uint64_t now_ms) {
    if (action->kind == ACTION_WAIT) return;
    if (action->application < workloads->count) {
        workload_did(&workloads->items[action->application], action, result, reason, now_ms);
        return;
    }
    ServiceTry *rest = &workloads->rest;
    reason_clear(&rest->reason);
    if (result.code == OK) {
        backoff_reset(&rest->backoff);
    } else {
        reason_set(&rest->reason, "%.*s", STR_FMT(reason));
        rest->due_ms = now_ms + backoff_next(&rest->backoff, 0);
    }
}

/// The worst comes last.
static unsigned workloads_badness(WorkloadState state) {
    static const unsigned ranks[] = {
        [WORKLOAD_NONE] = 0,
        [WORKLOAD_RUNNING] = 1,
        [WORKLOAD_STARTING] = 2,
        [WORKLOAD_PULLING] = 3,
        [WORKLOAD_DEGRADED] = 4,
        [WORKLOAD_FAILED] = 5,
        [WORKLOAD_UNKNOWN] = 6,
    };
    return ranks[state];
}

static void workloads_report_worst(Reported *reported, Arena *arena) {
    for (size_t i = 0; i < reported->applications.count; i++) {
        const ApplicationReport *one = &reported->applications.items[i];
        if (workloads_badness(one->state) <= workloads_badness(reported->state)) continue;
        reported->state = one->state;
        reported->detail = one->detail.len
                               ? str_print(arena,
                                           "%.*s: %.*s",
                                           STR_FMT(one->name),
                                           STR_FMT(str_slice(one->detail, 0, ERR_REASON_MAX)))
                               : (Str){};
    }
}

static void workloads_report_notes(const Workloads *workloads, Arena *arena, Reported *reported) {
    reported->notes.items = ARENA_ARRAY(arena, Str, NOTES_MAX);
    if (!reported->notes.items) return;
    if (workloads->policy_refused.ptr)
        reported->notes.items[reported->notes.count++] = workloads->policy_refused;
    if (workloads->rest.reason.text[0])
        reported->notes.items[reported->notes.count++] = str_from(workloads->rest.reason.text);
}

Err workloads_report(const Workloads *workloads,
                     const SeenList *seen,
                     Arena *arena,
                     Reported *ret_reported) {
    Reported reported = {.generation = workloads->generation};
    ApplicationReportList *list = &reported.applications;
    list->items = ARENA_ARRAY(arena, ApplicationReport, workloads->count);
    TRY(arena_check(arena));
    for (size_t i = 0; i < workloads->count; i++) {
        SeenList own = workloads_seen(seen, workloads->items[i].application.name);
        TRY(workload_report(&workloads->items[i], &own, arena, &list->items[list->count++]));
    }
    if (workloads->generation > 0)
        reported.state = workloads_rest(workloads, seen) ? WORKLOAD_STARTING : WORKLOAD_RUNNING;
    workloads_report_worst(&reported, arena);
    workloads_report_notes(workloads, arena, &reported);
    TRY(arena_check(arena));
    *ret_reported = reported;
    return SUCCESS;
}
