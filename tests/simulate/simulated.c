// SPDX-License-Identifier: Apache-2.0
#include "simulated.h"

#include "agent/link/session.h"
#include "base/log.h"
#include "base/scope.h"

#include <event2/event.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/socket.h>

enum {
    CALL_ARENA_MAX = 256 * 1024,
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
    sync_init(&device->sync, 0);
    if (spread_reaches(server_address(host->server)->host))
        spread_source(number, host->options->addresses, device->source);
}

/// --- joining ---

static bool simulated_may_retry(Err err) {
    return err.code == ERR_BUSY || err.code == ERR_CONFLICT || err.code == ERR_UNAVAILABLE
           || err.code == ERR_TIMEOUT;
}

static Err simulated_enrol_once(Simulated *device, Str name, Reason *reason) {
    Facts facts = {
        .hostname = name,
        .os = S("simulated"),
        .architecture = S("none"),
        .cpus = 1,
        .memory_bytes = 512ULL << 20,
        .agent_version = S(MUSTER_VERSION),
    };
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, CALL_ARENA_MAX);
    Enrolled enrolled;
    TRY(session_enrol(device->host->server,
                      &device->identity,
                      str_from(device->host->options->token),
                      name,
                      &facts,
                      &arena,
                      &enrolled,
                      reason));
    device->id = enrolled.device_id;
    return sync_facts(&device->sync, &facts);
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
    const Simulated *device = app;
    *ret_telemetry = (Telemetry){
        .cpu_percent = 5,
        .load1 = 0.1,
        .memory_used_bytes = 128ULL << 20,
        .memory_total_bytes = 512ULL << 20,
        .disk_used_bytes = 1ULL << 30,
        .disk_total_bytes = 8ULL << 30,
        .uptime_s = (clock_monotonic_ms() - device->host->started_ms) / MS_PER_S + 1,
        .containers = device->sync.reported.services.count,
    };
}

static Err on_desired(void *app, const SyncNews *news) {
    Simulated *device = app;
    bool fails =
        fault_plan_fails(&device->host->options->faults, device->number, news->desired.version);
    device->host->count->faults += fails;
    ServiceStatus statuses[MANIFEST_SERVICES_MAX] = {};
    for (size_t i = 0; i < news->manifest.services.count; i++)
        statuses[i] = (ServiceStatus){
            .name = news->manifest.services.items[i].name,
            .image = news->manifest.services.items[i].image,
            .state = fails ? CONTAINER_EXITED : CONTAINER_RUNNING,
        };
    Reported reported = {
        .version = news->desired.version,
        .release_id = news->desired.release_id,
        .state = fails ? WORKLOAD_FAILED : WORKLOAD_RUNNING,
        .detail = fails ? S("the simulation was told to fail here") : (Str){                             },
        .services = { statuses, news->manifest.services.count},
    };
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

Err simulated_open(Simulated *device) {
    SimulatedHost *host = device->host;
    if (id_is_absent(&device->id)) return SUCCESS;
    if (!device->loop && fault_plan_is_of_connections(&host->options->faults)) {
        device->loop = event_base_new();
        if (!device->loop) return FAIL(ERR_LIMIT, "out of memory");
    }
    LinkOptions options = {
        .loop = device->loop ? device->loop : host->loop,
        .server = host->server,
        .source = device->source[0] ? device->source : NULL,
        .identity = &device->identity,
        .device_id = device->id,
        .sync = &device->sync,
        .poll_ms = host->options->poll_s * MS_PER_S,
        .seed = device->number,
        .measure = on_measure,
        .desired = on_desired,
        .changed = on_changed,
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
