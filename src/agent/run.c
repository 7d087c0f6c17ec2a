// SPDX-License-Identifier: Apache-2.0
#include "agent/run.h"

#include "agent/facts.h"
#include "agent/link/link.h"
#include "agent/slot.h"
#include "agent/state.h"
#include "agent/workload/workload_run.h"
#include "base/log.h"
#include "base/scope.h"

#include <event2/event.h>
#include <signal.h>
#include <sodium.h>

enum { RUN_ARENA_MAX = 2 * 1024 * 1024, VERSION_MAX = 64, MS_PER_S = 1000 };

/// What lives as long as the agent. Everything is closed in the reverse order.
typedef struct Agent {
    const RunOptions *options;
    Arena arena; ///< of the membership
    State state;
    Membership member;
    Identity identity;
    Slot *desired;
    Slot *reported;
    Slot *engine_version;
    Sync sync;
    CpuTicks ticks;
    WorkloadRun *workload;
    Server *server;
    struct event_base *loop;
    struct event *events[4]; ///< reported, engine version, SIGTERM, SIGINT
    Link *link;
} Agent;

static uint64_t seed(void) {
    uint64_t value;
    randombytes_buf(&value, sizeof(value));
    return value;
}

static void tell_facts(Agent *agent, Str engine_version) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, RUN_ARENA_MAX);
    Facts facts;
    facts_read(engine_version, &arena, &facts);
    Err err = sync_facts(&agent->sync, &facts);
    if (err.code != OK) log_event(LOG_ERROR, "facts.unknown", F("what", err.what));
}

static uint64_t running_count(const Reported *reported) {
    uint64_t count = 0;
    for (size_t i = 0; i < reported->services.count; i++)
        count += reported->services.items[i].state == CONTAINER_RUNNING;
    return count;
}

/// --- what the link asks ---

static void on_measure(void *app, Telemetry *ret_telemetry) {
    Agent *agent = app;
    telemetry_read(agent->options->state, &agent->ticks, ret_telemetry);
    ret_telemetry->containers = running_count(&agent->sync.reported);
}

/// Before the newer one is kept: if the present one ran, it is what to go back to.
static void keep_previous(Agent *agent, Arena *arena) {
    Desired present;
    Reason reason = {};
    if (agent->sync.reported.state != WORKLOAD_RUNNING) return;
    Err err = state_load(&agent->state, STATE_DESIRED, &Desired_schema, arena, &present, &reason);
    if (err.code == OK && present.version == agent->sync.reported.version)
        err = state_save(&agent->state, STATE_PREVIOUS, &Desired_schema, &present, &reason);
    if (err.code != OK && err.code != ERR_NOT_FOUND)
        log_event(LOG_WARN,
                  "previous.unsaved",
                  F("what", err.what),
                  F("said", reason.text),
                  F("errno", (uint64_t)err.sys));
}

static Err put_desired(Agent *agent, const Desired *desired) {
    SCOPED(text_done) Text json;
    text_init(&json, SYNC_MESSAGE_MAX);
    schema_encode(&Desired_schema, desired, ENCODE_STORED, &json);
    TRY(text_check(&json));
    return slot_put(agent->desired, text_str(&json));
}

static Err on_desired(void *app, const SyncNews *news) {
    Agent *agent = app;
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, RUN_ARENA_MAX);
    keep_previous(agent, &arena);
    Reason reason = {};
    Err err = state_save(&agent->state, STATE_DESIRED, &Desired_schema, &news->desired, &reason);
    if (err.code != OK) {
        log_event(LOG_ERROR,
                  "desired.unsaved",
                  F("what", err.what),
                  F("said", reason.text),
                  F("errno", (uint64_t)err.sys));
        return err;
    }
    return put_desired(agent, &news->desired);
}

static void on_changed(void *, bool is_open, Err why, const Reason *said) {
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

/// --- what the workload's thread says ---

static void on_reported(evutil_socket_t, short, void *arg) {
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
    link_poke(agent->link);
}

static void on_engine_version(evutil_socket_t, short, void *arg) {
    Agent *agent = arg;
    SCOPED(text_done) Text version = {};
    if (!slot_take(agent->engine_version, &version)) return;
    tell_facts(agent, text_str(&version));
    link_poke(agent->link);
}

static void on_signal(evutil_socket_t, short, void *arg) {
    event_base_loopbreak(((Agent *)arg)->loop);
}

/// --- wiring, in the order in which things start ---

static Err open_slots(Agent *agent) {
    TRY(slot_open(SYNC_MESSAGE_MAX, &agent->desired));
    TRY(slot_open(SYNC_MESSAGE_MAX, &agent->reported));
    return slot_open(VERSION_MAX, &agent->engine_version);
}

static Err read_state(Agent *agent, Reason *reason) {
    TRY(state_open(agent->options->state, &agent->state, reason));
    Err err =
        state_identity(&agent->state, &agent->arena, &agent->member, &agent->identity, reason);
    if (err.code == ERR_NOT_FOUND) return FAIL(ERR_STATE, "this machine is not enrolled");
    return err;
}

/// What was desired last holds until something newer comes, whether or not the server is there.
static Err resume_desired(Agent *agent, Reason *reason) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, RUN_ARENA_MAX);
    Desired desired;
    Err err = state_load(&agent->state, STATE_DESIRED, &Desired_schema, &arena, &desired, reason);
    if (err.code == ERR_NOT_FOUND) {
        reason_clear(reason);
        return SUCCESS;
    }
    TRY(err);
    sync_init(&agent->sync, desired.version);
    return put_desired(agent, &desired);
}

static Err open_workload(Agent *agent, Reason *reason) {
    Str path = str_from(agent->options->engine);
    if (!str_starts(path, S("unix:///")))
        return reason_fail(
            reason, FAIL(ERR_INVALID, "the engine must be unix:///PATH"), "%.*s", STR_FMT(path));
    return workload_run_open(
        &(WorkloadRunOptions){
            .engine_path = agent->options->engine + sizeof("unix://") - 1,
            .device_id = agent->member.device_id,
            .state = &agent->state,
            .desired = agent->desired,
            .reported = agent->reported,
            .facts = agent->engine_version,
            .seed = seed(),
        },
        &agent->workload);
}

static Err watch(Agent *agent, size_t at, int fd, short what, event_callback_fn handler) {
    struct event *event = event_new(agent->loop, fd, (short)(what | EV_PERSIST), handler, agent);
    if (!event || event_add(event, NULL) != 0) return OUT_OF_MEMORY;
    agent->events[at] = event;
    return SUCCESS;
}

static Err open_loop(Agent *agent) {
    agent->loop = event_base_new();
    if (!agent->loop) return FAIL(ERR_MEMORY, "cannot make an event loop");
    TRY(watch(agent, 0, slot_fd(agent->reported), EV_READ, on_reported));
    TRY(watch(agent, 1, slot_fd(agent->engine_version), EV_READ, on_engine_version));
    TRY(watch(agent, 2, SIGTERM, EV_SIGNAL, on_signal));
    return watch(agent, 3, SIGINT, EV_SIGNAL, on_signal);
}

static Err open_link(Agent *agent) {
    ServerAddress address;
    TRY(server_address_parse(agent->member.url, &address));
    TRY(server_open(&address, agent->member.ca_pem, &agent->server));
    return link_open(
        &(LinkOptions){
            .loop = agent->loop,
            .server = agent->server,
            .identity = &agent->identity,
            .device_id = agent->member.device_id,
            .sync = &agent->sync,
            .poll_ms = agent->options->poll_s * MS_PER_S,
            .seed = seed(),
            .measure = on_measure,
            .desired = on_desired,
            .changed = on_changed,
            .app = agent,
        },
        &agent->link);
}

static Err start(Agent *agent, Reason *reason) {
    TRY(read_state(agent, reason));
    TRY(open_slots(agent));
    TRY(resume_desired(agent, reason));
    tell_facts(agent, (Str){});
    TRY(open_loop(agent));
    TRY(open_workload(agent, reason));
    TRY(open_link(agent));
    log_event(LOG_INFO,
              "agent.started",
              F("device", id_str(&agent->member.device_id)),
              F("server", agent->member.url),
              F("held", agent->sync.held_version));
    return SUCCESS;
}

/// Closes what is there, half-started included.
static void stop(Agent *agent) {
    link_close(agent->link);
    server_close(agent->server);
    workload_run_close(agent->workload);
    for (size_t i = 0; i < sizeof(agent->events) / sizeof(agent->events[0]); i++)
        if (agent->events[i]) event_free(agent->events[i]);
    if (agent->loop) event_base_free(agent->loop);
    sync_done(&agent->sync);
    slot_close(agent->engine_version);
    slot_close(agent->reported);
    slot_close(agent->desired);
    identity_wipe(&agent->identity);
    state_close(&agent->state);
    arena_done(&agent->arena);
}

Err run(const RunOptions *options, Reason *reason) {
    Agent agent = {.options = options, .state = {.lock_fd = -1}};
    arena_init(&agent.arena, RUN_ARENA_MAX);
    sync_init(&agent.sync, 0);
    Err err = start(&agent, reason);
    if (err.code == OK) event_base_dispatch(agent.loop);
    stop(&agent);
    return err;
}
