// SPDX-License-Identifier: Apache-2.0
#include "agent/workload/workload_run.h"

#include "agent/engine/container.h"
#include "agent/slot.h"
#include "agent/state.h"
#include "base/log.h"
#include "base/scope.h"

#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    STEP_ARENA_MAX = 8 * 1024 * 1024,
    AIM_ARENA_MAX = 2 * 1024 * 1024,
    STACK_BYTES = 256 * 1024,
    AFTER_FAILURE_MS = 1000, ///< whatever went wrong, the engine is not asked more often
    ENGINE_FIRST_MS = 500,
    ENGINE_MAX_MS = 30'000,
    WAIT_MAX_MS = 15 * 60'000, ///< an event may be lost with the engine: look now and then
};

struct WorkloadRun {
    WorkloadRunOptions options;
    pthread_t thread;
    Engine *engine;
    Workload workload;
    Arena aim;  ///< holds what `workload` borrows
    Arena step; ///< of one look
    Backoff engine_backoff;
    Text last; ///< last account that was told
    WorkloadState saved_state;
    uint64_t saved_version;
};

static bool is_over(const WorkloadRun *run) {
    return slot_is_over(run->options.desired);
}

/// Wait until there is news from the owner.
static void pause_ms(const WorkloadRun *run, uint64_t ms) {
    struct pollfd news = {.fd = slot_fd(run->options.desired), .events = POLLIN};
    poll(&news, 1, (int)ms);
}

static bool has_news(const WorkloadRun *run) {
    struct pollfd news = {.fd = slot_fd(run->options.desired), .events = POLLIN};
    return poll(&news, 1, 0) == 1;
}

/// The last account on disk says that this version was all up.
static bool was_settled(const WorkloadRun *run, uint64_t version, Arena *arena) {
    Reported last;
    Err err = state_load(run->options.state, STATE_REPORTED, &Reported_schema, arena, &last, NULL);
    return err.code == OK && last.version == version
           && (last.state == WORKLOAD_RUNNING || last.state == WORKLOAD_DEGRADED);
}

static Err aim_at(WorkloadRun *run, Str json, Reason *reason) {
    Arena arena;
    arena_init(&arena, AIM_ARENA_MAX);
    Desired desired;
    Manifest manifest;
    Workload workload;
    Err err = schema_read(&Desired_schema, json, DECODE_STORED, &arena, &desired, reason);
    if (err.code == OK) err = desired_check(&desired, &arena, &manifest, reason);
    if (err.code == OK)
        err = workload_aim(&desired,
                           &manifest,
                           was_settled(run, desired.version, &arena),
                           run->options.seed,
                           &arena,
                           &workload);
    if (err.code != OK) {
        arena_done(&arena);
        return err;
    }
    arena_done(&run->aim);
    run->aim = arena;
    run->workload = workload;
    return SUCCESS;
}

static void take_news(WorkloadRun *run) {
    SCOPED(text_done) Text json = {};
    if (!slot_take(run->options.desired, &json)) return;
    Reason said = {};
    Err err = aim_at(run, text_str(&json), &said);
    if (err.code != OK) {
        log_event(LOG_ERROR, "desired.unusable", F("what", err.what), F("said", said.text));
        return;
    }
    log_event(LOG_INFO,
              "desired.taken",
              F("version", run->workload.desired.version),
              F("release", id_str(&run->workload.desired.release_id)));
}

/// Tell the owner; on disk only what the next start needs, so that flapping costs no writes.
static void tell(WorkloadRun *run, const Reported *reported) {
    SCOPED(text_done) Text json;
    text_init(&json, SYNC_MESSAGE_MAX);
    schema_encode(&Reported_schema, reported, ENCODE_STORED, &json);
    if (text_check(&json).code != OK || str_eq(text_str(&json), text_str(&run->last))) return;
    text_clear(&run->last);
    text_add(&run->last, text_str(&json));
    Reason said = {};
    Err err = slot_put(run->options.reported, text_str(&json));
    if (run->saved_state != reported->state || run->saved_version != reported->version) {
        if (err.code == OK)
            err = state_save(run->options.state, STATE_REPORTED, &Reported_schema, reported, &said);
        log_event(LOG_INFO,
                  "workload.state",
                  F("version", reported->version),
                  F("state", WorkloadState_names.items[reported->state]),
                  F("detail", reported->detail));
        malloc_trim(0);
    }
    run->saved_state = reported->state;
    run->saved_version = reported->version;
    if (err.code != OK)
        log_event(LOG_ERROR,
                  "workload.untold",
                  F("what", err.what),
                  F("said", said.text),
                  F("errno", (uint64_t)err.sys));
}

static Err look(WorkloadRun *run, SeenList *ret_seen, Reason *reason) {
    EngineContainerList list;
    TRY(engine_containers(run->engine, &run->step, &list, reason));
    return container_seen(&list, id_str(&run->options.device_id), &run->step, ret_seen);
}

static const Seen *seen_find(const SeenList *seen, Str id) {
    for (size_t i = 0; i < seen->count; i++)
        if (str_eq(seen->items[i].id, id)) return &seen->items[i];
    return NULL;
}

static Err pull(WorkloadRun *run, const Service *service, Reason *reason) {
    bool is_here;
    TRY(engine_image_find(run->engine, service->image, &is_here, reason));
    if (is_here) return SUCCESS;
    TRY(engine_pull(run->engine, service->image, reason));
    TRY(engine_image_find(run->engine, service->image, &is_here, reason));
    return is_here ? SUCCESS : FAIL(ERR_STATE, "the pull ended without the image");
}

static Err create(WorkloadRun *run, size_t index, Reason *reason) {
    const Service *service = &run->workload.manifest.services.items[index];
    TRY(engine_network_ensure(run->engine, S(CONTAINER_NETWORK), reason));
    SCOPED(text_done) Text body;
    text_init(&body, CONTAINER_BODY_MAX);
    TRY(container_body(service,
                       run->workload.tries[index].config,
                       &run->options.device_id,
                       &run->workload.desired.release_id,
                       &run->step,
                       &body));
    Str name = str_print(&run->step, "muster-%.*s", STR_FMT(service->name));
    TRY(arena_check(&run->step));
    return engine_container_create(run->engine, name, text_str(&body), reason);
}

/// Out of the way, under a name that nothing else has.
static Err move_aside(WorkloadRun *run, const SeenList *seen, Str id, Reason *reason) {
    const Seen *one = seen_find(seen, id);
    Str name = str_print(
        &run->step, "muster-%.*s-%.*s", STR_FMT(one->service), STR_FMT(str_slice(id, 0, 12)));
    TRY(arena_check(&run->step));
    return engine_container_rename(run->engine, id, name, reason);
}

static Err start(WorkloadRun *run, Str id, Reason *reason) {
    // Its network may have been removed under it by somebody; the engine would refuse to start it.
    TRY(engine_network_ensure(run->engine, S(CONTAINER_NETWORK), reason));
    return engine_container_start(run->engine, id, reason);
}

static Err perform(WorkloadRun *run, const SeenList *seen, const Action *action, Reason *reason) {
    switch (action->kind) {
    case ACTION_PULL:
        return pull(run, &run->workload.manifest.services.items[action->service], reason);
    case ACTION_RENAME:
        return move_aside(run, seen, action->container, reason);
    case ACTION_CREATE:
        return create(run, action->service, reason);
    case ACTION_START:
        return start(run, action->container, reason);
    case ACTION_RESTART:
        return engine_container_restart(run->engine, action->container, reason);
    case ACTION_STOP:
        return engine_container_stop(run->engine, action->container, reason);
    case ACTION_REMOVE:
        return engine_container_remove(run->engine, action->container, reason);
    case ACTION_WAIT:
        break;
    }
    return SUCCESS;
}

static const char *action_name(ActionKind kind) {
    static const char *const names[] = {
        [ACTION_WAIT] = "wait",
        [ACTION_PULL] = "pull",
        [ACTION_RENAME] = "rename",
        [ACTION_CREATE] = "create",
        [ACTION_START] = "start",
        [ACTION_RESTART] = "restart",
        [ACTION_STOP] = "stop",
        [ACTION_REMOVE] = "remove",
    };
    return names[kind];
}

static void act(WorkloadRun *run, const SeenList *seen, const Action *action) {
    Reason told = {};
    Err err = perform(run, seen, action, &told);
    if (err.code != OK && has_news(run)) return; // cancelled, or about to be out of date
    // What the engine could not be asked is no failure of the service: it is asked again.
    if (err.code == ERR_UNAVAILABLE) return;
    Str service = {};
    if (action->service < run->workload.manifest.services.count)
        service = run->workload.manifest.services.items[action->service].name;
    Str said = str_from(told.text);
    Str reason = str_print(&run->step,
                           "cannot %s %.*s: %.*s",
                           action_name(action->kind),
                           STR_FMT(service),
                           STR_FMT(said.len > 0 ? said : str_from(err.what)));
    log_event(err.code == OK ? LOG_INFO : LOG_WARN,
              "workload.did",
              F("action", action_name(action->kind)),
              F("service", service),
              F("container", str_slice(action->container, 0, 12)),
              F("what", err.code == OK ? S("ok") : reason));
    workload_did(&run->workload, action, err, reason, clock_monotonic_ms());
    if (err.code != OK) pause_ms(run, AFTER_FAILURE_MS);
}

/// The engine does not answer: say so, keep everything, wait.
static void engine_lost(WorkloadRun *run, Err err, const Reason *said) {
    SeenList none = {};
    Reported reported;
    if (run->workload.desired.version > 0
        && workload_report(&run->workload, &none, &run->step, &reported).code == OK) {
        reported.state = run->workload.is_settled ? WORKLOAD_DEGRADED : WORKLOAD_FAILED;
        reported.detail = S("the container engine cannot be reached");
        reported.services.count = 0; // they may well run: nobody knows
        tell(run, &reported);
    }
    if (run->engine_backoff.tries == 0)
        log_event(LOG_WARN, "engine.lost", F("what", err.what), F("said", said->text));
    pause_ms(run, backoff_next(&run->engine_backoff, 0));
}

static void wait_event(WorkloadRun *run, uint64_t since_ms, uint64_t until_ms) {
    uint64_t now_ms = clock_monotonic_ms();
    uint64_t within = until_ms > now_ms ? until_ms - now_ms : 0;
    if (within > WAIT_MAX_MS) within = WAIT_MAX_MS;
    if (within == 0 || has_news(run)) return;
    Err err = engine_wait(run->engine, since_ms, within, NULL);
    if (err.code != OK) pause_ms(run, AFTER_FAILURE_MS); // the next look says what it is
}

static void engine_found(WorkloadRun *run) {
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

static void one_turn(WorkloadRun *run) {
    arena_reset(&run->step);
    take_news(run);
    Clock clock = clock_system();
    uint64_t since_ms = clock_now_ms(&clock);
    SeenList seen;
    Reason said = {};
    Err err = look(run, &seen, &said);
    if (err.code != OK) {
        engine_lost(run, err, &said);
        return;
    }
    if (run->engine_backoff.tries > 0) engine_found(run);
    Action action = workload_step(&run->workload, &seen, clock_monotonic_ms());
    Reported reported;
    if (run->workload.desired.version > 0
        && workload_report(&run->workload, &seen, &run->step, &reported).code == OK)
        tell(run, &reported);
    if (action.kind == ACTION_WAIT) {
        wait_event(run, since_ms, action.until_ms);
    } else {
        act(run, &seen, &action);
    }
}

static void *run_thread(void *arg) {
    WorkloadRun *run = arg;
    run->engine_backoff.tries = 1; // not found yet
    while (!is_over(run))
        one_turn(run);
    return NULL;
}

static Err thread_start(WorkloadRun *run) {
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
    text_init(&run->last, SYNC_MESSAGE_MAX);
    Err err = engine_open(options->engine_path, slot_fd(options->desired), &run->engine);
    if (err.code == OK) err = thread_start(run);
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
    slot_end(run->options.desired);
    pthread_join(run->thread, NULL);
    engine_close(run->engine);
    arena_done(&run->aim);
    arena_done(&run->step);
    text_done(&run->last);
    free(run);
    return NULL;
}
