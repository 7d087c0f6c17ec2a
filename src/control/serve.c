// SPDX-License-Identifier: Apache-2.0
#include "control/serve.h"

#include "base/log.h"
#include "channel/gateway.h"
#include "control/control.h"
#include "control/data.h"
#include "control/device/device_channel.h"
#include "control/serve_tls.h"
#include "control/servers.h"
#include "control/tidy.h"
#include "db/db.h"
#include "http/router.h"
#include "http/server.h"
#include "io/worker.h"
#include "wire/agent.h"

#include <malloc.h>
#include <signal.h>
#include <sys/resource.h>

enum {
    DRAIN_MS = 10'000,
    IDLE_MS = 60'000,
    MALLOC_ARENAS = 2,
    MALLOC_KEPT_BYTES = 8 << 20,   ///< at the end of each malloc arena
    MALLOC_MAPPED_BYTES = 4 << 20, ///< from here on memory is asked of the system and given back
    MESSAGES_PER_MINUTE = 60,
    FILES_KEPT = 64,    // for other things than connections
    FILES_A_READER = 3, // of the store
    QUEUE_MAX = 1024,   ///< jobs that wait for a pool
    LOOK_EVERY_S = 60,  ///< after the certificate
    PUSH_THREADS = 1,
    LONG_THREADS = 2,
    LOGIN_THREADS = 2,
    LOGINS_MAX = 256,  // that wait
    OTHER_READERS = 4, // the sealer, the tidying thread, streams of events, a probe of readiness
    LONG_NICE = 10,
};

/// Everything that is open, in the order in which it opened.
typedef struct Serving {
    App app;
    Router *router;
    Server *server;
    ServeTls tls;
    Tidy *tidy;
} Serving;

static Err serve_is_ready(void *ctx) {
    return db_check(((Serving *)ctx)->app.db);
}

/// As many connections as the system allows without asking.
static void serve_raise_files(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/// What devices are told about where we are.
static Err serve_start_servers(App *app, const char *dir, Arena *arena, Reason *reason) {
    Str server_pem, ca_pem, fingerprint;
    TRY(data_pem(dir, "server.pem", arena, &server_pem, reason));
    TRY(data_pem(dir, "ca.pem", arena, &ca_pem, reason));
    TRY(data_ca_fingerprint(dir, arena, &fingerprint, reason));
    TRY(reason_about(reason,
                     servers_make(&app->config, server_pem, ca_pem, arena, &app->servers, reason),
                     "%s/server.pem",
                     dir));
    app->authority = servers_authority(&app->servers, fingerprint);
    return SUCCESS;
}

/// A connection for each thread that reads: none of one pool waits for those of another.
static uint32_t serve_readers(const Config *config) {
    return 2 * (uint32_t)config->workers + LONG_THREADS + LOGIN_THREADS + PUSH_THREADS
           + OTHER_READERS;
}

static Err serve_start_pools(App *app) {
    const uint32_t threads = (uint32_t)app->config.workers;
    const WorkerOptions pools[POOL_COUNT] = {
        [POOL_OPERATORS] = {threads,       QUEUE_MAX,  "op",    0        },
        [POOL_DEVICES] = {threads,       QUEUE_MAX,  "dev",   0        },
        [POOL_LONG] = {LONG_THREADS,  QUEUE_MAX,  "long",  LONG_NICE},
        [POOL_LOGINS] = {LOGIN_THREADS, LOGINS_MAX, "login", 0        },
    };
    for (size_t i = 0; i < POOL_COUNT; i++)
        TRY(worker_pool_open(&pools[i], &app->pools[i]));
    return worker_pool_open(&(WorkerOptions){PUSH_THREADS, QUEUE_MAX, "push", 0}, &app->pushers);
}

static Err serve_start_store(Serving *serving, const Vault *vault, Arena *arena, Reason *reason) {
    const char *dir = vault->dir;
    App *app = &serving->app;
    app->clock = clock_system();
    TRY(data_make_private(dir, arena, reason));
    TRY(data_token_key(vault, arena, &app->key, reason));
    TRY(data_installation(dir, arena, &app->installation, reason));
    TRY(serve_start_servers(app, dir, arena, reason));
    const DataDbOptions use = {.readers = serve_readers(&app->config), .is_served = true};
    TRY(data_db_open(dir, &use, arena, &app->db, reason));
    TRY(control_open(app));
    TRY(serve_start_pools(app));
    TRY(tidy_open(app, TIDY_EVERY_MS, &serving->tidy));
    return control_router(app, &serving->router);
}

/// Descriptors are for connections but for some: the store, pools, loops, the log.
static uint32_t serve_connections_max(const Config *config) {
    uint32_t wanted =
        (uint32_t)(config->connections_max + config->channels_max + config->streams_max);
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return wanted;
    uint32_t kept = FILES_KEPT + FILES_A_READER * serve_readers(config);
    uint64_t room = limit.rlim_cur > 2 * kept ? limit.rlim_cur - kept : limit.rlim_cur / 2;
    if (room >= wanted) return wanted;
    log_event(LOG_WARN,
              "connections.fewer",
              F("what", "the limit of open files (ulimit -n) leaves room for fewer connections"),
              F("wanted", (uint64_t)wanted),
              F("room", room));
    return (uint32_t)room;
}

static Err
serve_start_listener(Serving *serving, const Vault *vault, Arena *arena, Reason *reason) {
    App *app = &serving->app;
    const char *dir = vault->dir;
    const Config *config = &app->config;
    Str address = str_dup(arena, config->address);
    Str cert = data_path(arena, dir, "server.pem");
    Str key = data_path(arena, dir, "server.key");
    TRY(arena_check(arena));
    serve_tls_begin(&serving->tls, app, vault);
    uint8_t ticket_key[TLS_TICKET_KEY_LEN];
    serve_tls_ticket_key(&app->key, clock_now_ms(&app->clock), ticket_key);
    TRY(server_open(&(ServerOptions){.ready = serve_is_ready, .app = serving},
                    serving->router,
                    app->pools,
                    &serving->server));
    return gateway_open(
        &(GatewayOptions){.address = address.ptr,
                          .port = (uint16_t)config->port,
                          .cert_path = cert.ptr,
                          .key_path = key.ptr,
                          .ticket_key = ticket_key,
                          .path = AGENT_CHANNEL_PATH,
                          .protocol = AGENT_SUBPROTOCOL,
                          .name = "net",
                          .threads = (uint32_t)config->network_threads,
                          .connections_max = serve_connections_max(config),
                          .channels_max = (uint32_t)config->channels_max,
                          .connections_per_address_max = (uint32_t)config->per_address_max,
                          .first_max_bytes = SYNC_FIRST_MAX,
                          .message_max_bytes = SYNC_UP_MAX,
                          .reply_max_bytes = SYNC_DOWN_MAX,
                          .messages_per_minute_max = MESSAGES_PER_MINUTE,
                          .handshake_ms = HELLO_WITHIN_MS,
                          .silence_ms = config->heartbeat.ms * 3 / 2,
                          .handlers = device_channel_handlers,
                          .app = app,
                          .web = &server_handlers,
                          .web_app = serving->server,
                          .web_ms = IDLE_MS},
        app->pools[POOL_DEVICES],
        &app->gateway,
        reason);
}

/// Close what is there, half-built included: first what lets work in, last what it works on.
static void serve_stop(Serving *serving) {
    atomic_store(&serving->app.is_stopping, true);
    App *app = &serving->app;
    if (app->gateway) server_drain(serving->server, app->gateway, DRAIN_MS);
    app->pushers = worker_pool_close(app->pushers);
    app->gateway = gateway_close(app->gateway);
    serving->server = server_close(serving->server);
    for (size_t i = 0; i < POOL_COUNT; i++)
        serving->app.pools[i] = worker_pool_close(serving->app.pools[i]);
    serving->tidy = tidy_close(serving->tidy);
    serving->router = router_close(serving->router);
    control_close(&serving->app);
    serving->app.db = db_close(serving->app.db);
    jws_key_wipe(&serving->app.key);
}

/// Until it is told to end: by which signal.
static int serve_until(Serving *serving, const Vault *vault, const sigset_t *awaited) {
    const struct timespec every = {.tv_sec = LOOK_EVERY_S};
    for (;;) {
        int got = sigtimedwait(awaited, NULL, &every);
        if (got == SIGTERM || got == SIGINT) return got;
        serve_tls_look(&serving->tls, &serving->app, vault, got == SIGHUP);
    }
}

/// An arena a thread would cost memory and give little. What a call gives back is kept for the next
/// one: to have the system clear some megabytes for each costs more than all the rest of a long
/// list.
static void serve_set_memory(void) {
    mallopt(M_ARENA_MAX, MALLOC_ARENAS);
    mallopt(M_TRIM_THRESHOLD, MALLOC_KEPT_BYTES);
    mallopt(M_MMAP_THRESHOLD, MALLOC_MAPPED_BYTES);
}

Err serve(const Vault *vault, const Config *config, Arena *arena, Reason *reason) {
    serve_set_memory();
    serve_raise_files();
    signal(SIGPIPE, SIG_IGN);
    sigset_t awaited;
    sigemptyset(&awaited);
    sigaddset(&awaited, SIGTERM);
    sigaddset(&awaited, SIGINT);
    sigaddset(&awaited, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &awaited, NULL);

    Serving serving = {.app.config = *config};
    Err err = serve_start_store(&serving, vault, arena, reason);
    if (err.code == OK) err = serve_start_listener(&serving, vault, arena, reason);
    if (err.code == OK) {
        log_event(LOG_INFO,
                  "server.ready",
                  F("port", (uint64_t)gateway_port(serving.app.gateway)),
                  F("data", vault->dir));
        int got = serve_until(&serving, vault, &awaited);
        log_event(LOG_INFO, "server.stopping", F("signal", (uint64_t)got));
    }
    serve_stop(&serving);
    return err;
}
