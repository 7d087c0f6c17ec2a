// SPDX-License-Identifier: Apache-2.0
#include "simulated.h"

#include "agent/link/backoff.h"
#include "base/log.h"
#include "base/scope.h"
#include "wire/manifest.h"

#include <event2/event.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/socket.h>

enum {
    CALL_ARENA_MAX = 1024 * 1024,
    DESIRED_ARENA_MAX = 16 * 1024 * 1024,
    ENROL_TRIES_MAX = 8,
    RETRY_FIRST_MS = 100,
    RETRY_MAX_MS = 5000,
    SILENCE_MS = 120'000, ///< of a device that stops answering: longer than a server's patience
    GARBAGE_BYTES = 64,
    MS_PER_S = 1000,
};

void simulated_init(Simulated *device, SimulatedHost *host, uint64_t number) {
    *device = (Simulated){.host = host, .number = number};
    identity_make(&device->identity);
    sync_init(&device->sync, 0, NULL);
    if (spread_reaches(server_set_address(host->gate, 0)->host))
        spread_source(number, host->options->addresses, device->source);
}

/// --- joining ---

static bool simulated_may_retry(Err err) {
    return err.code == ERR_BUSY || err.code == ERR_CONFLICT || err.code == ERR_UNAVAILABLE
           || err.code == ERR_TIMEOUT;
}

static void simulated_set_closep(ServerSet **set) {
    *set = server_set_close(*set);
}

static void simulated_server_closep(Server **server) {
    *server = server_close(*server);
}

/// Keep where the devices live, as the first of them is told.
static Err simulated_keep_servers(SimulatedHost *host, const Servers *servers, Reason *reason) {
    if (host->servers) return SUCCESS;
    text_init(&host->told, CALL_ARENA_MAX);
    schema_encode(&Servers_schema, servers, ENCODE_REQUEST, &host->told);
    TRY(text_check(&host->told));
    return server_set_open(servers, &host->servers, reason);
}

/// A connection that shares nothing with those before, no ticket of TLS either.
static Err
simulated_reach(Simulated *device, ServerSet **ret_set, Server **ret_server, Reason *reason) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, CALL_ARENA_MAX);
    Servers servers;
    Str told = text_str(&device->host->told);
    TRY(schema_read(&Servers_schema, told, DECODE_PEER, &arena, &servers, reason));
    TRY(server_set_open(&servers, ret_set, reason));
    TRY(server_open(server_set_address(*ret_set, 0), server_set_tls(*ret_set, 0), ret_server));
    return device->source[0] ? server_source(*ret_server, device->source) : SUCCESS;
}

static Err simulated_enrol_once(Simulated *device, Str name, Reason *reason) {
    SimulatedHost *host = device->host;
    SCOPED(simulated_set_closep) ServerSet *own_set = NULL;
    SCOPED(simulated_server_closep) Server *own = NULL;
    if (host->options->is_alone && host->servers)
        TRY(simulated_reach(device, &own_set, &own, reason));
    SessionWish wish = {
        .secret = host->token.secret,
        .name = name,
        .facts = {.hostname = name,
                  .os = S("simulated"),
                  .architecture = S("none"),
                  .cpus = 1,
                  .memory_bytes = 512ULL << 20},
    };
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, CALL_ARENA_MAX);
    Enrolled enrolled;
    TRY(session_enrol(
        own ? own : host->server, &device->identity, &wish, &arena, &enrolled, reason));
    device->member = (SessionMember){enrolled.installation, enrolled.device_id, enrolled.epoch};
    TRY(simulated_keep_servers(host, &enrolled.servers, reason));
    return sync_facts(&device->sync, &wish.facts);
}

void simulated_enrol(Simulated *device) {
    const SimulatedHost *host = device->host;
    char name[32];
    snprintf(name, sizeof(name), "sim-%llu", (unsigned long long)device->number + 1);
    Backoff backoff = {RETRY_FIRST_MS, RETRY_MAX_MS, .random = device->number};
    Err err = SUCCESS;
    Reason reason = {};
    for (int tries = 0; tries < ENROL_TRIES_MAX; tries++) {
        err = simulated_enrol_once(device, str_from(name), &reason);
        if (err.code == OK) {
            host->count->enrolled++;
            return;
        }
        host->count->errors++;
        if (!simulated_may_retry(err)) break;
        uint64_t least_ms = server_retry_after_s(host->server) * MS_PER_S;
        poll(NULL, 0, (int)backoff_next(&backoff, least_ms));
    }
    log_event(
        LOG_WARN, "device.refused", F("name", name), F("what", err.what), F("said", reason.text));
}

/// --- what the link asks ---

static void on_measure(void *app, Telemetry *ret_telemetry) {
    Simulated *device = app;
    // One message is under way at a time: this one begins when the one before was acknowledged.
    device->host->count->messages += device->sync.seq > 0;
    if (device->beats++ > 0 && device->host->options->is_steady) return; // it was told
    const ApplicationReportList *list = &device->sync.reported.applications;
    size_t containers = 0;
    for (size_t i = 0; i < list->count; i++)
        containers += list->items[i].services.count;
    *ret_telemetry = (Telemetry){
        .cpu_percent = 5 + (double)(device->beats % 64) / 8, // never the same twice
        .load1 = 0.1,
        .memory_used_bytes = 128ULL << 20,
        .memory_total_bytes = 512ULL << 20,
        .disk_used_bytes = 1ULL << 30,
        .disk_total_bytes = 8ULL << 30,
        .uptime_s = (clock_monotonic_ms() - device->host->started_ms) / MS_PER_S + 1,
        .containers = containers,
    };
}

/// The services of an application that is said to run, or to fail; in `arena`.
static Err simulated_run(const Application *application,
                         bool fails,
                         Arena *arena,
                         ApplicationReport *ret_report) {
    Manifest manifest = {};
    Refusal refusal;
    TRY(manifest_read(&application->manifest, arena, &manifest, &refusal));
    if (!refusal.code.ptr && fails)
        refusal = refusal_make(REFUSED_START_FAILED, S("the simulation was told to fail here"));
    ApplicationReport report = {
        .name = application->name,
        .serial = application->serial,
        .release_id = application->release_id,
        .state = refusal.code.ptr ? WORKLOAD_FAILED : WORKLOAD_RUNNING,
        .detail = refusal.detail,
        .refusal = refusal,
        .services = {ARENA_ARRAY(arena, ServiceStatus, manifest.services.count),
                     manifest.services.count},
    };
    TRY(arena_check(arena));
    for (size_t i = 0; i < manifest.services.count; i++)
        report.services.items[i] = (ServiceStatus){
            .name = manifest.services.items[i].name,
            .image = manifest.services.items[i].image,
            .state = fails ? CONTAINER_EXITED : CONTAINER_RUNNING,
        };
    *ret_report = report;
    return SUCCESS;
}

static Err on_desired(void *app, const Desired *desired) {
    Simulated *device = app;
    bool fails =
        fault_plan_fails(&device->host->options->faults, device->number, desired->generation);
    device->host->count->faults += fails;
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, DESIRED_ARENA_MAX);
    size_t count = desired->applications.count;
    Reported reported = {
        .generation = desired->generation,
        .state = WORKLOAD_RUNNING,
        .applications = {ARENA_ARRAY(&arena, ApplicationReport, count), count},
    };
    TRY(arena_check(&arena));
    for (size_t i = 0; i < count; i++) {
        ApplicationReport *report = &reported.applications.items[i];
        TRY(simulated_run(&desired->applications.items[i], fails, &arena, report));
        if (report->state != WORKLOAD_FAILED) continue;
        reported.state = WORKLOAD_FAILED;
        reported.detail = report->detail;
    }
    return sync_reported(&device->sync, &reported);
}

static void simulated_set_open(Simulated *device, bool is_open) {
    if (device->is_open == is_open) return;
    device->is_open = is_open;
    if (is_open) {
        device->host->count->open++;
    } else {
        device->host->count->open--;
    }
}

static void on_changed(void *app, bool is_open, Err, const Reason *) {
    Simulated *device = app;
    if (!is_open) device->host->count->errors++;
    device->has_news = true;
    simulated_set_open(device, is_open);
}

bool simulated_has_accounted(Simulated *device) {
    const Sync *sync = &device->sync;
    if (!sync->reported_part.is_acked || sync->reported.generation <= device->accounted)
        return false;
    device->accounted = sync->reported.generation;
    return true;
}

Err simulated_open(Simulated *device) {
    SimulatedHost *host = device->host;
    if (id_is_absent(&device->member.device_id)) return SUCCESS;
    if (!device->loop && fault_plan_is_of_connections(&host->options->faults)) {
        device->loop = event_base_new();
        if (!device->loop) return OUT_OF_MEMORY;
    }
    LinkOptions options = {
        .loop = device->loop ? device->loop : host->loop,
        .servers = host->servers,
        .source = device->source[0] ? device->source : NULL,
        .member = device->member,
        .identity = &device->identity,
        .sync = &device->sync,
        .poll_ms = host->options->poll_s * MS_PER_S,
        .seed = device->number,
        .handlers = {.measure = on_measure, .desired = on_desired, .changed = on_changed},
        .app = device,
    };
    return link_open(&options, &device->link);
}

/// --- what befalls it ---

static int on_event(const struct event_base *, const struct event *event, void *arg) {
    int *fd = arg;
    *fd = event_get_fd(event);
    return *fd >= 0; // ends the search
}

int simulated_connection(struct event_base *loop) {
    int fd = -1;
    event_base_foreach_event(loop, on_event, &fd);
    return fd;
}

/// Without a goodbye of TLS or of the channel: the peer sees a reset.
static bool simulated_drop(Simulated *device) {
    int fd = simulated_connection(device->loop);
    return fd >= 0
           && connect(fd, &(struct sockaddr){.sa_family = AF_UNSPEC}, sizeof(sa_family_t)) == 0;
}

/// Bytes that are neither a message nor TLS.
static bool simulated_babble(Simulated *device) {
    char bytes[GARBAGE_BYTES];
    randombytes_buf(bytes, sizeof(bytes));
    int fd = simulated_connection(device->loop);
    return fd >= 0 && send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL | MSG_DONTWAIT) > 0;
}

static Err simulated_flap(Simulated *device) {
    device->link = link_close(device->link);
    sync_lost(&device->sync);
    simulated_set_open(device, false);
    return simulated_open(device);
}

Err simulated_beat(Simulated *device, uint64_t from_ms, uint64_t until_ms) {
    const FaultPlan *faults = &device->host->options->faults;
    atomic_uint_fast64_t *count = &device->host->count->faults;
    if (!device->link) return SUCCESS;
    if (fault_plan_strikes(faults, FAULT_FLAP, device->number, from_ms, until_ms)) {
        *count += 1;
        TRY(simulated_flap(device));
    }
    if (!device->loop) return SUCCESS;
    if (fault_plan_strikes(faults, FAULT_DROP, device->number, from_ms, until_ms))
        *count += simulated_drop(device);
    if (fault_plan_strikes(faults, FAULT_GARBAGE, device->number, from_ms, until_ms))
        *count += simulated_babble(device);
    if (fault_plan_strikes(faults, FAULT_SILENT, device->number, from_ms, until_ms)) {
        *count += 1;
        device->turn_ms = until_ms + SILENCE_MS;
    }
    if (until_ms < device->turn_ms) return SUCCESS;
    device->turn_ms = until_ms + (uint64_t)faults->value[FAULT_SLOW];
    event_base_loop(device->loop, EVLOOP_NONBLOCK);
    return SUCCESS;
}

void simulated_done(Simulated *device) {
    link_close(device->link);
    if (device->loop) event_base_free(device->loop);
    sync_done(&device->sync);
    identity_wipe(&device->identity);
}
