// SPDX-License-Identifier: Apache-2.0
#include "agent/workload/workload.h"

#include "base/arena.h"

/// The container that stands for a service: the wanted one, else its predecessor.
static const Seen *report_seen_find(const SeenList *seen, Str service, Str config) {
    const Seen *found = NULL;
    for (size_t i = 0; i < seen->count; i++) {
        const Seen *one = &seen->items[i];
        if (!str_eq(one->service, service)) continue;
        if (str_eq(one->config, config)) return one;
        if (!found) found = one;
    }
    return found;
}

static ServiceStatus report_status(const Service *service, const Seen *seen) {
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

static bool report_is_missing(const Workload *workload, const SeenList *seen, size_t service) {
    const ServiceTry *try = &workload->tries[service];
    const Seen *one =
        report_seen_find(seen, workload->manifest.services.items[service].name, try->config);
    return !try->image_is_here && !(one && str_eq(one->config, try->config));
}

static const char *report_health_word(const Seen *seen) {
    if (!seen) return "has no container";
    if (seen->state == CONTAINER_RUNNING)
        return seen->health == HEALTH_UNHEALTHY ? "is unhealthy" : "is starting";
    return seen->state == CONTAINER_RESTARTING ? "ends again and again" : "does not run";
}

/// A settled workload that is not as it was.
static Str report_degraded(const Workload *workload, const SeenList *seen, Arena *arena) {
    for (size_t i = 0; i < workload->manifest.services.count; i++) {
        const Service *service = &workload->manifest.services.items[i];
        const Seen *one = report_seen_find(seen, service->name, workload->tries[i].config);
        if (!workload_is_well(workload, seen, i))
            return str_print(arena, "%.*s %s", STR_FMT(service->name), report_health_word(one));
    }
    return (Str){};
}

static void report_judge(const Workload *workload,
                         const SeenList *seen,
                         Arena *arena,
                         ApplicationReport *reported) {
    bool missing = false;
    bool well = true;
    const ServiceTry *failed = NULL;
    for (size_t i = 0; i < workload->manifest.services.count; i++) {
        missing = missing || report_is_missing(workload, seen, i);
        well = well && workload_is_well(workload, seen, i);
        if (!failed && workload->tries[i].reason.text[0]) failed = &workload->tries[i];
    }
    Str reason = failed ? str_from(failed->reason.text) : (Str){};
    if (well && workload->is_settled) {
        reported->state = WORKLOAD_RUNNING;
        return;
    }
    if (workload->is_settled) {
        reported->state = WORKLOAD_DEGRADED;
        reported->detail = reason.len ? reason : report_degraded(workload, seen, arena);
        return;
    }
    reported->state = missing ? WORKLOAD_PULLING : WORKLOAD_STARTING;
    if (!failed) return;
    reported->state = WORKLOAD_FAILED;
    reported->detail = reason;
    reported->refusal = refusal_make(failed->code, reason);
}

/// What was asked for is not acted on: that is what the server must hear, beside what runs.
static void report_refused(const Workload *workload, ApplicationReport *report) {
    const Refused *refused = &workload->refused;
    if (!refused->name.ptr) return;
    if (workload->manifest.services.count == 0) {
        report->serial = refused->serial;
        report->release_id = refused->release_id;
    }
    report->state = WORKLOAD_FAILED;
    report->detail = refused->refusal.detail;
    report->refusal = refused->refusal;
}

Err workload_report(const Workload *workload,
                    const SeenList *seen,
                    Arena *arena,
                    ApplicationReport *ret_report) {
    const ServiceList *wanted = &workload->manifest.services;
    ApplicationReport report = {
        .name = workload->application.name,
        .serial = workload->application.serial,
        .release_id = workload->application.release_id,
        .services = {ARENA_ARRAY(arena, ServiceStatus, wanted->count), wanted->count},
    };
    TRY(arena_check(arena));
    for (size_t i = 0; i < wanted->count; i++)
        report.services.items[i] =
            report_status(&wanted->items[i],
                          report_seen_find(seen, wanted->items[i].name, workload->tries[i].config));
    if (wanted->count > 0) report_judge(workload, seen, arena, &report);
    report_refused(workload, &report);
    TRY(arena_check(arena));
    *ret_report = report;
    return SUCCESS;
}
