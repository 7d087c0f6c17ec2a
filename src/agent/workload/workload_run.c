// SPDX-License-Identifier: Apache-2.0
#include "agent/workload/workload_run.h"

#include "agent/engine/container.h"
#include "agent/slot.h"
#include "agent/state.h"
#include "agent/workload/act.h"
#include "base/log.h"
#include "base/scope.h"

#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    STEP_ARENA_MAX = 64 * 1024 * 1024, ///< for thousands of containers; memory only as needed
    AIM_ARENA_MAX = 32 * 1024 * 1024,
    LAST_ARENA_MAX = 8 * 1024 * 1024,
    STACK_BYTES = 256 * 1024,
    AFTER_FAILURE_MS = 1000, ///< whatever went wrong, the engine is not asked more often
    ENGINE_FIRST_MS = 500,
    ENGINE_MAX_MS = 30'000,
    CONTAINER_ID_MAX = 80,
    WAIT_MAX_MS = 15 * 60'000, ///< an event may be lost with the engine: look now and then
};

struct WorkloadRun {
    WorkloadRunOptions options;
    pthread_t thread;
    Engine *engine;
    Workloads workloads;
    Arena aim;      ///< holds what `workloads` borrows
    bool was_swept; ///< no network is there that no application wants
    StrList newer;  ///< names of containers that a newer agent made; of the last look
    Arena step;     ///< of one look
    Backoff engine_backoff;
    Action done; ///< the last one that the engine took; `container` points into `done_container`
    char done_container[CONTAINER_ID_MAX];
    Text last;   ///< last account that was told
    char *saved; ///< what of the last account is on disk, see run_gist
};

static bool run_is_over(const WorkloadRun *run) {
    return slot_is_over(run->options.aim);
}

/// Wait until there is news from the owner.
static void run_pause(const WorkloadRun *run, uint64_t ms) {
    struct pollfd news = {.fd = slot_fd(run->options.aim), .events = POLLIN};
    poll(&news, 1, (int)ms);
}

static bool run_has_news(const WorkloadRun *run) {
    struct pollfd news = {.fd = slot_fd(run->options.aim), .events = POLLIN};
    return poll(&news, 1, 0) == 1;
}

static Err run_aim_at(WorkloadRun *run, Str json, Reason *reason) {
    SCOPED(arena_done) Arena past;
    arena_init(&past, LAST_ARENA_MAX);
    ReportedFile last = {};
    Err found =
        state_find(run->options.state, STATE_REPORTED, &ReportedFile_schema, &past, &last, NULL);
    if (found.code != OK) last = (ReportedFile){};
    Arena arena;
    arena_init(&arena, AIM_ARENA_MAX);
    Aim aim;
    Workloads workloads;
    Err err = schema_read(&Aim_schema, json, DECODE_STORED, &arena, &aim, reason);
    if (err.code == OK)
        err = workloads_aim(&aim, &last.reported, run->options.seed, &arena, &workloads);
    if (err.code != OK) {
        arena_done(&arena);
        return err;
    }
    arena_done(&run->aim);
    run->aim = arena;
    run->workloads = workloads;
    run->was_swept = false;
    run->done = (Action){};
    return SUCCESS;
}

static void run_take_news(WorkloadRun *run) {
    SCOPED(text_done) Text json = {};
    if (!slot_take(run->options.aim, &json)) return;
    Reason said = {};
    Err err = run_aim_at(run, text_str(&json), &said);
    if (err.code != OK) {
        log_event(LOG_ERROR, "desired.unusable", F("what", err.what), F("said", said.text));
        return;
    }
    log_event(LOG_INFO,
              "desired.taken",
              F("generation", run->workloads.generation),
              F("applications", run->workloads.count));
}

/// What the next start needs of an account, and what is worth a line in the log: without the
/// services, so that flapping costs no writes.
static Str run_gist(const Reported *reported, Arena *arena) {
    Str gist = str_print(arena,
                         "%llu %s",
                         (unsigned long long)reported->generation,
                         WorkloadState_names.items[reported->state]);
    for (size_t i = 0; i < reported->applications.count; i++) {
        const ApplicationReport *one = &reported->applications.items[i];
        gist = str_print(arena,
                         "%.*s %.*s:%llu:%s",
                         STR_FMT(gist),
                         STR_FMT(one->name),
                         (unsigned long long)one->serial,
                         WorkloadState_names.items[one->state]);
    }
    return gist;
}

static Err run_save(WorkloadRun *run, const Reported *reported, Reason *reason) {
    Str gist = run_gist(reported, &run->step);
    TRY(arena_check(&run->step));
    if (run->saved && str_eq(gist, str_from(run->saved))) return SUCCESS;
    log_event(LOG_INFO,
              "workload.state",
              F("generation", reported->generation),
              F("state", WorkloadState_names.items[reported->state]),
              F("detail", reported->detail));
    ReportedFile file = {.head = state_head(), .reported = *reported};
    TRY(state_save(run->options.state, STATE_REPORTED, &ReportedFile_schema, &file, reason));
    free(run->saved);
    run->saved = strndup(gist.ptr, gist.len);
    malloc_trim(0);
    return SUCCESS;
}

/// Tell the owner, and keep what the next start needs.
static void run_tell(WorkloadRun *run, const Reported *reported) {
    SCOPED(text_done) Text json;
    text_init(&json, WORKLOAD_REPORTED_MAX);
    schema_encode(&Reported_schema, reported, ENCODE_STORED, &json);
    if (text_check(&json).code != OK || str_eq(text_str(&json), text_str(&run->last))) return;
    text_clear(&run->last);
    text_add(&run->last, text_str(&json));
    Err err = slot_put(run->options.reported, text_str(&json));
    Reason said = {};
    Err saved = run_save(run, reported, &said);
    if (err.code == OK) err = saved;
    if (err.code != OK)
        log_event(LOG_ERROR,
                  "workload.untold",
                  F("what", err.what),
                  F("said", said.text),
                  F("errno", (uint64_t)err.sys));
}

static Err run_look(WorkloadRun *run, SeenList *ret_seen, Reason *reason) {
    Str device_id = id_str(&run->options.device_id);
    EngineContainerList list;
    TRY(engine_containers(run->engine, device_id, &run->step, &list, reason));
    return container_seen(&list, device_id, &run->step, ret_seen, &run->newer);
}

/// "shop.web", or what the container is called that no application wants.
static Str run_subject(WorkloadRun *run, const SeenList *seen, const Action *action) {
    Arena *arena = &run->step;
    if (action->application < run->workloads.count) {
        const Workload *workload = &run->workloads.items[action->application];
        return str_print(arena,
                         "%.*s.%.*s",
                         STR_FMT(workload->application.name),
                         STR_FMT(workload->manifest.services.items[action->service].name));
    }
    for (size_t i = 0; i < seen->count; i++)
        if (str_eq(seen->items[i].id, action->container)) return seen->items[i].name;
    return (Str){};
}

/// Whether the engine took this very thing already, and nothing came of it that can be seen.
static bool run_is_again(const WorkloadRun *run, const Action *action) {
    const Action *done = &run->done;
    return action->kind == done->kind && action->application == done->application
           && action->service == done->service && str_eq(action->container, done->container);
}

static void run_keep(WorkloadRun *run, const Action *action) {
    snprintf(run->done_container, CONTAINER_ID_MAX, "%.*s", STR_FMT(action->container));
    run->done = *action;
    run->done.container = str_from(run->done_container);
}

static void run_act(WorkloadRun *run, const SeenList *seen, const Action *action) {
    Reason told = {};
    if (run_is_again(run, action)) run_pause(run, AFTER_FAILURE_MS);
    if (run_has_news(run)) return;
    Err err = act_perform(
        run->engine, id_str(&run->options.device_id), &run->workloads, action, &run->step, &told);
    if (err.code != OK && run_has_news(run)) return; // cancelled, or about to be out of date
    // What the engine could not be asked is no failure of the service: it is asked again.
    if (err.code == ERR_UNAVAILABLE) return;
    Str subject = run_subject(run, seen, action);
    Str reason = {};
    if (err.code != OK)
        reason = str_print(&run->step,
                           "cannot %s %.*s: %s%s%s",
                           act_name(action->kind),
                           STR_FMT(subject),
                           err.what,
                           told.text[0] ? ": " : "",
                           told.text);
    log_event(err.code == OK ? LOG_INFO : LOG_WARN,
              "workload.did",
              F("action", act_name(action->kind)),
              F("service", subject),
              F("container", str_slice(action->container, 0, 12)),
              F("what", err.code == OK ? S("ok") : reason));
    workloads_did(&run->workloads, action, err, reason, clock_monotonic_ms());
    if (err.code == OK) run_keep(run, action);
    if (err.code != OK) run_pause(run, AFTER_FAILURE_MS);
}

/// The engine does not answer: say so, keep everything, wait.
static void run_engine_lost(WorkloadRun *run, Err err, const Reason *said) {
    const Str lost = S("the container engine cannot be reached");
    SeenList none = {};
    Reported reported;
    if (run->workloads.generation > 0
        && workloads_report(&run->workloads, &none, &run->step, &reported).code == OK) {
        for (size_t i = 0; i < reported.applications.count; i++) {
            ApplicationReport *one = &reported.applications.items[i];
            one->state = run->workloads.items[i].is_settled ? WORKLOAD_DEGRADED : WORKLOAD_FAILED;
            one->detail = lost;
            one->services = (ServiceStatusList){}; // they may well run: nobody knows
            if (one->state > reported.state) reported.state = one->state;
        }
        reported.detail = lost;
        run_tell(run, &reported);
    }
    if (run->engine_backoff.tries == 0)
        log_event(LOG_WARN, "engine.lost", F("what", err.what), F("said", said->text));
    run_pause(run, backoff_next(&run->engine_backoff, 0));
}

static void run_wait(WorkloadRun *run, uint64_t since_ms, uint64_t until_ms) {
    uint64_t now_ms = clock_monotonic_ms();
    uint64_t within = until_ms > now_ms ? until_ms - now_ms : 0;
    if (within > WAIT_MAX_MS) within = WAIT_MAX_MS;
    if (within == 0 || run_has_news(run)) return;
    Err err = engine_wait(run->engine, id_str(&run->options.device_id), since_ms, within, NULL);
    if (err.code != OK) run_pause(run, AFTER_FAILURE_MS); // the next look says what it is
}

static void run_engine_found(WorkloadRun *run) {
    backoff_reset(&run->engine_backoff);
    EngineVersion version;
    if (engine_version(run->engine, &run->step, &version, NULL).code != OK) return;
    Err err = slot_put(run->options.facts, version.Version);
    log_event(LOG_INFO,
              "engine.found",
              F("version", version.Version),
              F("api", version.ApiVersion),
              F("told", err.code == OK));
}

static void run_report(WorkloadRun *run, const SeenList *seen) {
    Reported reported;
    if (run->workloads.generation == 0
        || workloads_report(&run->workloads, seen, &run->step, &reported).code != OK)
        return;
    for (size_t i = 0; i < run->newer.count && reported.notes.count < NOTES_MAX; i++)
        reported.notes.items[reported.notes.count++] =
            str_print(&run->step,
                      "the container %.*s was made by a newer muster-agent: it is left alone",
                      STR_FMT(run->newer.items[i]));
    if (arena_check(&run->step).code == OK) run_tell(run, &reported);
}

/// Networks go when nothing of their application is there any more.
static void run_sweep(WorkloadRun *run, const SeenList *seen) {
    if (run->was_swept || run->workloads.generation == 0 || workloads_rest(&run->workloads, seen))
        return;
    Reason said = {};
    Err err =
        act_sweep(run->engine, id_str(&run->options.device_id), &run->workloads, &run->step, &said);
    run->was_swept = true; // what is in use by somebody else stays, until there is news
    if (err.code != OK)
        log_event(LOG_WARN, "network.left", F("what", err.what), F("said", said.text));
}

static void run_turn(WorkloadRun *run) {
    arena_reset(&run->step);
    run_take_news(run);
    Clock clock = clock_system();
    uint64_t since_ms = clock_now_ms(&clock);
    SeenList seen;
    Reason said = {};
    Err err = run_look(run, &seen, &said);
    if (err.code != OK) {
        run_engine_lost(run, err, &said);
        return;
    }
    if (run->engine_backoff.tries > 0) run_engine_found(run);
    Action action = workloads_step(&run->workloads, &seen, clock_monotonic_ms());
    run_report(run, &seen);
    run_sweep(run, &seen);
    if (action.kind == ACTION_WAIT) {
        run->done = (Action){};
        run_wait(run, since_ms, action.until_ms);
    } else {
        run_act(run, &seen, &action);
    }
}

static void *run_thread(void *arg) {
    WorkloadRun *run = arg;
    run->engine_backoff.tries = 1; // not found yet
    while (!run_is_over(run))
        run_turn(run);
    return NULL;
}

static Err run_thread_start(WorkloadRun *run) {
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    int rc = pthread_create(&run->thread, &attr, run_thread, run);
    pthread_attr_destroy(&attr);
    if (rc == 0) return SUCCESS;
    errno = rc;
    return FAIL_SYS("cannot start a thread");
}

Err workload_run_open(const WorkloadRunOptions *options, WorkloadRun **ret_run) {
    WorkloadRun *run = calloc(1, sizeof(*run));
    if (!run) return OUT_OF_MEMORY;
    run->options = *options;
    run->engine_backoff = (Backoff){ENGINE_FIRST_MS, ENGINE_MAX_MS, .random = options->seed};
    arena_init(&run->aim, AIM_ARENA_MAX);
    arena_init(&run->step, STEP_ARENA_MAX);
    text_init(&run->last, WORKLOAD_REPORTED_MAX);
    Err err = engine_open(options->engine_path, slot_fd(options->aim), &run->engine);
    if (err.code == OK) err = run_thread_start(run);
    if (err.code != OK) {
        engine_close(run->engine);
        free(run);
        return err;
    }
    *ret_run = run;
    return SUCCESS;
}

WorkloadRun *workload_run_close(WorkloadRun *run) {
    if (!run) return NULL;
    slot_end(run->options.aim);
    pthread_join(run->thread, NULL);
    engine_close(run->engine);
    arena_done(&run->aim);
    arena_done(&run->step);
    text_done(&run->last);
    free(run->saved);
    free(run);
    return NULL;
}
