// SPDX-License-Identifier: Apache-2.0
#include "agent/run.h"

#include "agent/facts.h"
#include "agent/join.h"
#include "agent/link/link.h"
#include "agent/slot.h"
#include "agent/state.h"
#include "agent/workload/accept.h"
#include "agent/workload/workload_run.h"
#include "base/log.h"
#include "base/scope.h"

#include <event2/event.h>
#include <signal.h>
#include <sodium.h>

enum {
    RUN_ARENA_MAX = 16 * 1024 * 1024, ///< bound of each; memory only as needed
    RUN_VERSION_MAX = 64,
    MS_PER_S = 1000,
};

/// What lives as long as the agent. Everything is closed in the reverse order.
typedef struct Agent {
    const RunOptions *options;
    Arena arena; ///< of the membership
    Notes notes;
    State state;
    Membership member;
    Identity identity;
    Slot *aim;
    Slot *reported;
    Slot *engine_version;
    Sync sync;
    CpuTicks ticks;
    Telemetry measured; ///< that was sent last
    WorkloadRun *workload;
    ServerSet *servers;
    struct event_base *loop;
    struct event *events[4]; ///< reported, engine version, SIGTERM, SIGINT
    Link *link;              ///< NULL: no server is known
} Agent;

static uint64_t run_seed(void) {
    uint64_t value;
    randombytes_buf(&value, sizeof(value));
    return value;
}

static void run_tell_facts(Agent *agent, Str engine_version) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, RUN_ARENA_MAX);
    Facts facts;
    facts_read(engine_version, &arena, &facts);
    Err err = sync_facts(&agent->sync, &facts);
    if (err.code != OK) log_event(LOG_ERROR, "facts.unknown", F("what", err.what));
}

static uint64_t run_running_count(const Reported *reported) {
    uint64_t count = 0;
    for (size_t i = 0; i < reported->applications.count; i++) {
        const ServiceStatusList *services = &reported->applications.items[i].services;
        for (size_t j = 0; j < services->count; j++)
            count += services->items[j].state == CONTAINER_RUNNING;
    }
    return count;
}

/// What could not be kept is told once, by whom it happens to.
static Err run_unsaved(const char *event, Err err, const Reason *said) {
    if (err.code != OK)
        log_event(LOG_ERROR,
                  event,
                  F("what", err.what),
                  F("said", said->text),
                  F("errno", (uint64_t)err.sys));
    return err;
}

/// --- what is desired ---

static Err run_put_aim(Agent *agent, const Aim *aim) {
    SCOPED(text_done) Text json;
    text_init(&json, WORKLOAD_AIM_MAX);
    schema_encode(&Aim_schema, aim, ENCODE_STORED, &json);
    TRY(text_check(&json));
    for (size_t i = 0; i < aim->refused.count; i++)
        log_event(LOG_WARN,
                  "application.refused",
                  F("application", aim->refused.items[i].name),
                  F("serial", aim->refused.items[i].serial),
                  F("code", aim->refused.items[i].refusal.code),
                  F("what", aim->refused.items[i].refusal.detail));
    return slot_put(agent->aim, text_str(&json));
}

static Err run_take_desired(Agent *agent, const Desired *desired, Reason *reason) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, RUN_ARENA_MAX);
    DesiredFile former = {};
    Err err =
        state_find(&agent->state, STATE_DESIRED, &DesiredFile_schema, &arena, &former, reason);
    if (err.code == ERR_NOT_FOUND) former = (DesiredFile){};
    if (err.code != OK && err.code != ERR_NOT_FOUND) return err;
    reason_clear(reason);
    Aim aim;
    TRY(aim_make(desired, &former.desired, &arena, &aim));
    DesiredFile file = {.head = state_head(), .desired = aim.desired};
    TRY(state_save(&agent->state, STATE_DESIRED, &DesiredFile_schema, &file, reason));
    return run_put_aim(agent, &aim);
}

/// What cannot be kept is told to the operator, who may see nothing else of it.
static Err run_on_desired(void *app, const Desired *desired) {
    Agent *agent = app;
    Reason said = {};
    Err err = run_take_desired(agent, desired, &said);
    if (err.code != OK)
        notes_add(&agent->notes, "the desired state is not taken: %s: %s", err.what, said.text);
    return run_unsaved("desired.unsaved", err, &said);
}

/// What was desired last holds until something newer comes, whether or not the server is there.
/// What of it is refused is asked for again, for this program may be another one than the last.
static Err run_resume_desired(Agent *agent, Reason *reason) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, RUN_ARENA_MAX);
    DesiredFile file;
    Err err = state_find(&agent->state, STATE_DESIRED, &DesiredFile_schema, &arena, &file, reason);
    if (err.code == ERR_NOT_FOUND) {
        reason_clear(reason);
        return SUCCESS;
    }
    TRY(err);
    Aim aim;
    TRY(aim_make(&file.desired, NULL, &arena, &aim));
    sync_held(&agent->sync, file.desired.generation);
    if (!aim_is_whole(&aim)) sync_ask_again(&agent->sync);
    return run_put_aim(agent, &aim);
}

/// --- what the link asks ---

static void run_on_measure(void *app, Telemetry *ret_telemetry) {
    Agent *agent = app;
    Telemetry now;
    telemetry_read(agent->options->state, &agent->ticks, &now);
    now.containers = run_running_count(&agent->sync.reported);
    if (!telemetry_is_news(&agent->measured, &now)) return;
    agent->measured = now;
    *ret_telemetry = now;
    ret_telemetry->is_present = true;
}

static Err run_on_servers_try(void *app, const Servers *servers) {
    Reason said = {};
    Err err = state_servers_try(&((Agent *)app)->state, servers, &said);
    return run_unsaved("servers.unsaved", err, &said);
}

static void run_on_servers_done(void *app, bool works) {
    Agent *agent = app;
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, RUN_ARENA_MAX);
    ServersFile file;
    Reason said = {};
    Err err = SUCCESS;
    if (works)
        err = state_find(
            &agent->state, STATE_SERVERS_NEXT, &ServersFile_schema, &arena, &file, &said);
    if (err.code == OK)
        err = works ? state_servers_accept(&agent->state, &file.servers, &said)
                    : state_servers_drop(&agent->state, &said);
    (void)run_unsaved("servers.unsaved", err, &said);
}

static Err run_on_key_make(void *app, Identity *ret_next) {
    Reason said = {};
    Err err = state_next_make(&((Agent *)app)->state, ret_next, &said);
    return run_unsaved("key.unsaved", err, &said);
}

static void run_on_key_done(void *app, const Identity *identity, bool works) {
    Agent *agent = app;
    Reason said = {};
    Err err = works ? state_rotated(&agent->state, &agent->member, identity, &said)
                    : state_next_forget(&agent->state, &said);
    if (run_unsaved("key.unsaved", err, &said).code == OK)
        log_event(LOG_INFO, works ? "key.replaced" : "key.forgotten");
}

static void run_on_changed(void *app, bool is_open, Err why, const Reason *said) {
    (void)app;
    if (is_open) {
        log_event(LOG_INFO, "server.found");
    } else {
        log_event(LOG_WARN,
                  "server.lost",
                  F("what", why.what),
                  F("said", said->text),
                  F("code", err_code_name(why.code)),
                  F("errno", (uint64_t)why.sys));
    }
}

static void run_poke(Agent *agent) {
    if (agent->link) link_poke(agent->link);
}

/// --- what the workload's thread says ---

static void run_on_reported(evutil_socket_t, short, void *arg) {
    Agent *agent = arg;
    SCOPED(text_done) Text json = {};
    if (!slot_take(agent->reported, &json)) return;
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, RUN_ARENA_MAX);
    Reported reported;
    Err err =
        schema_read(&Reported_schema, text_str(&json), DECODE_STORED, &arena, &reported, NULL);
    if (err.code == OK) err = sync_reported(&agent->sync, &reported);
    if (err.code != OK) log_event(LOG_ERROR, "report.lost", F("what", err.what));
    run_poke(agent);
}

static void run_on_engine_version(evutil_socket_t, short, void *arg) {
    Agent *agent = arg;
    SCOPED(text_done) Text version = {};
    if (!slot_take(agent->engine_version, &version)) return;
    run_tell_facts(agent, text_str(&version));
    run_poke(agent);
}

static void run_on_signal(evutil_socket_t, short, void *arg) {
    event_base_loopbreak(((Agent *)arg)->loop);
}

/// --- wiring, in the order in which things start ---

static Err run_open_slots(Agent *agent) {
    TRY(slot_open(WORKLOAD_AIM_MAX, &agent->aim));
    TRY(slot_open(WORKLOAD_REPORTED_MAX, &agent->reported));
    return slot_open(RUN_VERSION_MAX, &agent->engine_version);
}

static Err run_open_workload(Agent *agent, Reason *reason) {
    Str path = str_from(agent->options->engine);
    if (!str_starts(path, S("unix:///")))
        return reason_fail(
            reason, FAIL(ERR_INVALID, "the engine must be unix:///PATH"), "%.*s", STR_FMT(path));
    return workload_run_open(
        &(WorkloadRunOptions){
            .engine_path = agent->options->engine + sizeof("unix://") - 1,
            .device_id = agent->member.device_id,
            .state = &agent->state,
            .aim = agent->aim,
            .reported = agent->reported,
            .facts = agent->engine_version,
            .seed = run_seed(),
        },
        &agent->workload);
}

static Err run_watch(Agent *agent, size_t at, int fd, short what, event_callback_fn handler) {
    struct event *event = event_new(agent->loop, fd, (short)(what | EV_PERSIST), handler, agent);
    if (!event || event_add(event, NULL) != 0) return OUT_OF_MEMORY;
    agent->events[at] = event;
    return SUCCESS;
}

static Err run_open_loop(Agent *agent) {
    agent->loop = event_base_new();
    if (!agent->loop) return FAIL(ERR_MEMORY, "cannot make an event loop");
    TRY(run_watch(agent, 0, slot_fd(agent->reported), EV_READ, run_on_reported));
    TRY(run_watch(agent, 1, slot_fd(agent->engine_version), EV_READ, run_on_engine_version));
    TRY(run_watch(agent, 2, SIGTERM, EV_SIGNAL, run_on_signal));
    return run_watch(agent, 3, SIGINT, EV_SIGNAL, run_on_signal);
}

static Err
run_open_link_to(Agent *agent, const Servers *servers, const Servers *trial, Reason *reason) {
    Reason said = {};
    Err err = server_set_open(servers, &agent->servers, &said);
    if (err.code != OK) {
        notes_add(&agent->notes, "%s: %s", err.what, said.text);
        return SUCCESS; // what runs goes on running
    }
    SCOPED(identity_wipe) Identity next = {};
    err = state_next_find(&agent->state, &next, reason);
    if (err.code != OK && err.code != ERR_NOT_FOUND) return err;
    reason_clear(reason);
    return link_open(
        &(LinkOptions){
            .loop = agent->loop,
            .servers = agent->servers,
            .trial = trial->digest.ptr ? trial : NULL,
            .member = {agent->member.installation, agent->member.device_id, agent->member.epoch},
            .identity = &agent->identity,
            .next = err.code == OK ? &next : NULL,
            .sync = &agent->sync,
            .poll_ms = agent->options->poll_s * MS_PER_S,
            .seed = run_seed(),
            .handlers = { run_on_measure,
                       run_on_desired, run_on_servers_try,
                       run_on_servers_done, run_on_key_make,
                       run_on_key_done, run_on_changed},
            .app = agent,
    },
        &agent->link);
}

/// Without servers what runs goes on running, until the device is enrolled again.
static Err run_open_link(Agent *agent, Reason *reason) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, RUN_ARENA_MAX);
    Servers servers;
    Servers trial;
    Reason said = {};
    Err err = state_servers(&agent->state, &arena, &servers, &trial, &said);
    if (err.code == OK) return run_open_link_to(agent, &servers, &trial, reason);
    log_event(LOG_ERROR,
              "servers.unknown",
              F("what", "no server is known: enrol this machine again with a token"),
              F("said", said.text));
    return SUCCESS;
}

static Err run_start(Agent *agent, Reason *reason) {
    TRY(state_open(agent->options->state, &agent->notes, &agent->state, reason));
    TRY(join(&agent->state,
             agent->options->enrol_file,
             &agent->arena,
             &agent->member,
             &agent->identity,
             reason));
    TRY(run_open_slots(agent));
    TRY(run_resume_desired(agent, reason));
    run_tell_facts(agent, (Str){});
    TRY(run_open_loop(agent));
    TRY(run_open_workload(agent, reason));
    TRY(run_open_link(agent, reason));
    log_event(LOG_INFO,
              "agent.started",
              F("device", id_str(&agent->member.device_id)),
              F("installation", id_str(&agent->member.installation)),
              F("held", agent->sync.generation));
    return SUCCESS;
}

/// Closes what is there, half-started included.
static void run_stop(Agent *agent) {
    link_close(agent->link);
    server_set_close(agent->servers);
    workload_run_close(agent->workload);
    for (size_t i = 0; i < sizeof(agent->events) / sizeof(agent->events[0]); i++)
        if (agent->events[i]) event_free(agent->events[i]);
    if (agent->loop) event_base_free(agent->loop);
    sync_done(&agent->sync);
    slot_close(agent->engine_version);
    slot_close(agent->reported);
    slot_close(agent->aim);
    identity_wipe(&agent->identity);
    state_close(&agent->state);
    arena_done(&agent->arena);
}

Err run(const RunOptions *options, Reason *reason) {
    Agent agent = {.options = options, .state = {.lock_fd = -1}};
    arena_init(&agent.arena, RUN_ARENA_MAX);
    sync_init(&agent.sync, 0, &agent.notes);
    Err err = run_start(&agent, reason);
    if (err.code == OK) event_base_dispatch(agent.loop);
    run_stop(&agent);
    return err;
}
