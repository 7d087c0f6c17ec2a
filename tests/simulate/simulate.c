// SPDX-License-Identifier: Apache-2.0
#include "simulate.h"

#include "agent/enrol.h"
#include "agent/link/link.h"
#include "base/log.h"
#include "base/scope.h"

#include <event2/event.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    CALL_ARENA_MAX = 256 * 1024,
    ENROL_TRIES_MAX = 8,
    RETRY_FIRST_MS = 100,
    RETRY_MAX_MS = 5000,
    PROGRESS_MS = 1000,
    MS_PER_S = 1000,
};

typedef struct Simulation Simulation;

/// One device that is not there.
typedef struct Simulated {
    Simulation *simulation;
    Identity identity;
    Id id; ///< absent: could not be enrolled
    Sync sync;
    Link *link;
    bool is_open;
} Simulated;

struct Simulation {
    const SimulateOptions *options;
    Server *server;
    struct event_base *loop;
    struct event *progress;
    struct event *interrupt;
    struct event *terminate;
    Simulated *devices;
    uint64_t enrolled;
    uint64_t open;
    uint64_t errors;
    uint64_t started_ms; ///< of opening
    uint64_t opened_ms;  ///< when all were open; 0: not yet
    uint64_t enrol_ms;   ///< how long enrolling took
};

/// The result; printed as JSON.
typedef struct SimulationResult {
    uint64_t devices;
    uint64_t enrolled;
    uint64_t open;
    uint64_t acked;
    double seconds_enrol;
    double seconds_open;
    uint64_t errors;
} SimulationResult;
static const Field SimulationResult_fields[] = {
    FIELD(SimulationResult, devices, 0, "asked for"),
    FIELD(SimulationResult, enrolled, 0, "that the server accepted"),
    FIELD(SimulationResult, open, 0, "in touch at the end"),
    FIELD(SimulationResult, acked, 0, "whose account the server has"),
    FIELD(SimulationResult, seconds_enrol, 0, "to enrol all"),
    FIELD(SimulationResult, seconds_open, 0, "until all were in touch"),
    FIELD(SimulationResult, errors, 0, "failed calls and lost ties"),
};
static const Schema SimulationResult_schema =
    SCHEMA(SimulationResult, "simulation_result", "what a simulation saw");

/// --- enrolling ---

static void wait_ms(uint64_t ms) {
    poll(NULL, 0, (int)ms);
}

static bool may_pass(Err err) {
    return err.code == ERR_BUSY || err.code == ERR_CONFLICT || err.code == ERR_UNAVAILABLE
           || err.code == ERR_TIMEOUT;
}

static Err
enrol_one(Simulation *simulation, Simulated *device, const Facts *facts, Str name, Reason *reason) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, CALL_ARENA_MAX);
    Enrolled enrolled;
    TRY(session_enrol(simulation->server,
                      &device->identity,
                      str_from(simulation->options->token),
                      name,
                      facts,
                      &arena,
                      &enrolled,
                      reason));
    device->id = enrolled.device_id;
    return sync_facts(&device->sync, facts);
}

static void enrol_patiently(Simulation *simulation, size_t number) {
    Simulated *device = &simulation->devices[number];
    char name[32];
    snprintf(name, sizeof(name), "sim-%zu", number + 1);
    Facts facts = {
        .hostname = str_from(name),
        .os = S("simulated"),
        .architecture = S("none"),
        .cpus = 1,
        .memory_bytes = 512ULL << 20,
        .agent_version = S(MUSTER_VERSION),
    };
    Backoff backoff = {RETRY_FIRST_MS, RETRY_MAX_MS, .random = number};
    Err err = SUCCESS;
    Reason reason = {};
    for (int tries = 0; tries < ENROL_TRIES_MAX; tries++) {
        err = enrol_one(simulation, device, &facts, str_from(name), &reason);
        if (err.code == OK) {
            simulation->enrolled++;
            return;
        }
        simulation->errors++;
        if (!may_pass(err)) break;
        wait_ms(backoff_next(&backoff, server_retry_after_s(simulation->server) * MS_PER_S));
    }
    log_event(
        LOG_WARN, "device.refused", F("name", name), F("what", err.what), F("said", reason.text));
}

static void enrol_all(Simulation *simulation) {
    uint64_t start_ms = clock_monotonic_ms();
    for (size_t i = 0; i < simulation->options->count; i++) {
        uint64_t rate = simulation->options->rate;
        uint64_t due_ms = rate ? start_ms + i * MS_PER_S / rate : 0;
        uint64_t now_ms = clock_monotonic_ms();
        if (due_ms > now_ms) wait_ms(due_ms - now_ms);
        enrol_patiently(simulation, i);
    }
    simulation->enrol_ms = clock_monotonic_ms() - start_ms;
}

/// --- what the links ask ---

static void on_measure(void *app, Telemetry *ret_telemetry) {
    const Simulated *device = app;
    *ret_telemetry = (Telemetry){
        .cpu_percent = 5,
        .load1 = 0.1,
        .memory_used_bytes = 128ULL << 20,
        .memory_total_bytes = 512ULL << 20,
        .disk_used_bytes = 1ULL << 30,
        .disk_total_bytes = 8ULL << 30,
        .uptime_s = (clock_monotonic_ms() - device->simulation->started_ms) / MS_PER_S + 1,
        .containers = device->sync.reported.services.count,
    };
}

static Err on_desired(void *app, const SyncNews *news) {
    Simulated *device = app;
    ServiceStatus statuses[MANIFEST_SERVICES_MAX] = {};
    for (size_t i = 0; i < news->manifest.services.count; i++)
        statuses[i] = (ServiceStatus){
            .name = news->manifest.services.items[i].name,
            .image = news->manifest.services.items[i].image,
            .state = CONTAINER_RUNNING,
        };
    Reported reported = {
        .version = news->desired.version,
        .release_id = news->desired.release_id,
        .state = WORKLOAD_RUNNING,
        .services = {statuses, news->manifest.services.count},
    };
    return sync_reported(&device->sync, &reported);
}

static void on_changed(void *app, bool is_open, Err, const Reason *) {
    Simulated *device = app;
    Simulation *simulation = device->simulation;
    if (!is_open) simulation->errors++;
    if (device->is_open != is_open) simulation->open += is_open ? 1 : (uint64_t)-1;
    device->is_open = is_open;
    if (simulation->open == simulation->enrolled && simulation->opened_ms == 0)
        simulation->opened_ms = clock_monotonic_ms();
}

static Err open_links(Simulation *simulation) {
    simulation->started_ms = clock_monotonic_ms();
    for (size_t i = 0; i < simulation->options->count; i++) {
        Simulated *device = &simulation->devices[i];
        if (id_is_absent(&device->id)) continue;
        LinkOptions options = {
            .loop = simulation->loop,
            .server = simulation->server,
            .identity = &device->identity,
            .device_id = device->id,
            .sync = &device->sync,
            .poll_ms = simulation->options->poll_s * MS_PER_S,
            .seed = i,
            .measure = on_measure,
            .desired = on_desired,
            .changed = on_changed,
            .app = device,
        };
        TRY(link_open(&options, &device->link));
    }
    return SUCCESS;
}

/// --- the stay ---

static uint64_t acked_count(const Simulation *simulation) {
    uint64_t count = 0;
    for (size_t i = 0; i < simulation->options->count; i++)
        count += simulation->devices[i].sync.facts_part.is_acked;
    return count;
}

static void on_progress(evutil_socket_t, short, void *arg) {
    Simulation *simulation = arg;
    log_event(LOG_INFO,
              "simulation.progress",
              F("enrolled", simulation->enrolled),
              F("open", simulation->open),
              F("acked", acked_count(simulation)),
              F("errors", simulation->errors));
    uint64_t stayed_ms = clock_monotonic_ms() - simulation->started_ms;
    uint64_t seconds = simulation->options->seconds;
    if (seconds > 0 && stayed_ms >= seconds * MS_PER_S) event_base_loopbreak(simulation->loop);
}

static void on_signal(evutil_socket_t, short, void *arg) {
    event_base_loopbreak(((Simulation *)arg)->loop);
}

static void result_print(const Simulation *simulation) {
    uint64_t until_ms = simulation->opened_ms ? simulation->opened_ms : clock_monotonic_ms();
    SimulationResult result = {
        .devices = simulation->options->count,
        .enrolled = simulation->enrolled,
        .open = simulation->open,
        .acked = acked_count(simulation),
        .seconds_enrol = (double)simulation->enrol_ms / MS_PER_S,
        .seconds_open = (double)(until_ms - simulation->started_ms) / MS_PER_S,
        .errors = simulation->errors,
    };
    SCOPED(text_done) Text json;
    text_init(&json, 1024);
    schema_encode(&SimulationResult_schema, &result, ENCODE_REPLY, &json);
    puts(json.ptr);
}

static Err prepare(Simulation *simulation, Reason *reason) {
    const SimulateOptions *options = simulation->options;
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, CALL_ARENA_MAX);
    Str ca_pem;
    TRY(enrol_server(str_from(options->server),
                     str_from(options->token),
                     &arena,
                     &ca_pem,
                     &simulation->server,
                     reason));
    simulation->devices = calloc(options->count, sizeof(*simulation->devices));
    simulation->loop = event_base_new();
    if (!simulation->devices || !simulation->loop) return OUT_OF_MEMORY;
    for (size_t i = 0; i < options->count; i++) {
        simulation->devices[i].simulation = simulation;
        identity_make(&simulation->devices[i].identity);
        sync_init(&simulation->devices[i].sync, 0);
    }
    struct timeval every = {.tv_sec = PROGRESS_MS / MS_PER_S};
    simulation->progress = event_new(simulation->loop, -1, EV_PERSIST, on_progress, simulation);
    simulation->interrupt = evsignal_new(simulation->loop, SIGINT, on_signal, simulation);
    simulation->terminate = evsignal_new(simulation->loop, SIGTERM, on_signal, simulation);
    if (!simulation->progress || !simulation->interrupt || !simulation->terminate)
        return OUT_OF_MEMORY;
    event_add(simulation->progress, &every);
    event_add(simulation->interrupt, NULL);
    event_add(simulation->terminate, NULL);
    return SUCCESS;
}

static void event_drop(struct event *event) {
    if (event) event_free(event);
}

static void finish(Simulation *simulation) {
    for (size_t i = 0; simulation->devices && i < simulation->options->count; i++) {
        link_close(simulation->devices[i].link);
        sync_done(&simulation->devices[i].sync);
        identity_wipe(&simulation->devices[i].identity);
    }
    event_drop(simulation->progress);
    event_drop(simulation->interrupt);
    event_drop(simulation->terminate);
    if (simulation->loop) event_base_free(simulation->loop);
    free(simulation->devices);
    server_close(simulation->server);
}

Err simulate(const SimulateOptions *options, Reason *reason) {
    Simulation simulation = {.options = options};
    Err err = prepare(&simulation, reason);
    if (err.code == OK) {
        enrol_all(&simulation);
        err = open_links(&simulation);
    }
    if (err.code == OK) {
        event_base_dispatch(simulation.loop);
        result_print(&simulation);
    }
    finish(&simulation);
    return err;
}
