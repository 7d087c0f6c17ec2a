// SPDX-License-Identifier: Apache-2.0
#include "http/server.h"

#include "base/arena.h"
#include "http/exchange.h"
#include "io/file.h"
#include "io/tls.h"

#include <assert.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    THREADS_MAX = 16,
    PEM_MAX = 64 * 1024,
    SERVER_ARENA_MAX = 256 * 1024,
    CONNECTION_BYTES_MAX = 32 * 1024, ///< of a request's head and buffers
    OPTIONS_MAX = 12,
};

static Err server_pems_load(const ServerOptions *options, Server *server, Reason *reason) {
    if (!options->cert_path) return SUCCESS;
    TRY(file_load(options->cert_path, PEM_MAX, &server->arena, &server->cert_pem, reason));
    return file_load(options->key_path, PEM_MAX, &server->arena, &server->key_pem, reason);
}

/// Which address a failure is about.
static Err server_address_name(Err err, const ServerOptions *options, Reason *reason) {
    return reason_fail(reason, err, "%s port %u", options->address, options->port);
}

static Err
server_address_find(const ServerOptions *options, struct addrinfo **ret_found, Reason *reason) {
    char port[8];
    snprintf(port, sizeof(port), "%u", options->port);
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
    if (getaddrinfo(options->address, port, &hints, ret_found) != 0)
        return server_address_name(
            FAIL(ERR_INVALID, "the address to listen on is not an address"), options, reason);
    return SUCCESS;
}

/// libmicrohttpd would not say what is wrong with certificate and key.
static Err server_pems_check(const ServerOptions *options, Reason *reason) {
    if (!options->cert_path) return SUCCESS;
    TlsContext *context = NULL;
    TRY(tls_server_context_open(options->cert_path, options->key_path, &context, reason));
    tls_context_close(context);
    return SUCCESS;
}

/// The options of the daemon as libmicrohttpd takes them; ends with MHD_OPTION_END.
static void server_options_list(const Server *server,
                                const ServerOptions *options,
                                struct sockaddr *address,
                                struct MHD_OptionItem list[OPTIONS_MAX]) {
    size_t count = 0;
    list[count++] = (struct MHD_OptionItem){MHD_OPTION_SOCK_ADDR, 0, address};
    list[count++] =
        (struct MHD_OptionItem){MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES_MAX, NULL};
    list[count++] = (struct MHD_OptionItem){
        MHD_OPTION_CONNECTION_LIMIT, (intptr_t)options->connections_max, NULL};
    list[count++] = (struct MHD_OptionItem){
        MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)((options->idle_timeout_ms + 999) / 1000), NULL};
    if (options->connections_per_address_max)
        list[count++] = (struct MHD_OptionItem){MHD_OPTION_PER_IP_CONNECTION_LIMIT,
                                                (intptr_t)options->connections_per_address_max,
                                                NULL};
    if (options->threads > 1)
        list[count++] =
            (struct MHD_OptionItem){MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)options->threads, NULL};
    if (server->cert_pem.ptr) {
        list[count++] = (struct MHD_OptionItem){
            MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)server->cert_pem.ptr};
        list[count++] = (struct MHD_OptionItem){
            MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)server->key_pem.ptr};
        list[count++] = (struct MHD_OptionItem){
            MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)tls_priorities};
    }
    list[count++] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    assert(count <= OPTIONS_MAX);
}

static Err server_daemon_start(Server *server, const ServerOptions *options, Reason *reason) {
    struct addrinfo *found = NULL;
    TRY(server_address_find(options, &found, reason));
    struct MHD_OptionItem list[OPTIONS_MAX];
    server_options_list(server, options, found->ai_addr, list);
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC;
    if (server->cert_pem.ptr) flags |= MHD_USE_TLS;
    if (found->ai_family == AF_INET6) flags |= MHD_USE_DUAL_STACK;
    errno = 0;
    server->daemon = MHD_start_daemon(flags,
                                      options->port,
                                      NULL,
                                      NULL,
                                      exchange_on_request,
                                      server,
                                      MHD_OPTION_STRICT_FOR_CLIENT,
                                      1,
                                      MHD_OPTION_URI_LOG_CALLBACK,
                                      exchange_on_target,
                                      server,
                                      MHD_OPTION_NOTIFY_COMPLETED,
                                      exchange_on_completed,
                                      server,
                                      MHD_OPTION_ARRAY,
                                      list,
                                      MHD_OPTION_END);
    freeaddrinfo(found);
    if (server->daemon) return SUCCESS;
    return server_address_name(FAIL_SYS("cannot listen for requests"), options, reason);
}

Err server_open(const ServerOptions *options,
                const Router *router,
                WorkerPool *const *pools,
                Server **ret_server,
                Reason *reason) {
    assert(options->threads >= 1 && options->threads <= THREADS_MAX);
    assert(options->connections_max >= options->threads);
    assert(!options->cert_path == !options->key_path);
    Server *server = calloc(1, sizeof(*server));
    if (!server) return FAIL(ERR_MEMORY, "no memory for the server");
    server->router = router;
    server->pools = pools;
    server->ready = options->ready;
    server->app = options->app;
    server->quiesced_fd = -1;
    arena_init(&server->arena, SERVER_ARENA_MAX);
    traffic_init(&server->traffic);
    Err err = server_pems_check(options, reason);
    if (err.code == OK) err = server_pems_load(options, server, reason);
    if (err.code == OK) err = server_daemon_start(server, options, reason);
    if (err.code != OK) {
        server_close(server);
        return err;
    }
    *ret_server = server;
    return SUCCESS;
}

uint16_t server_port(const Server *server) {
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
    assert(info);
    return info->port;
}

static void server_quiesce(Server *server) {
    if (!traffic_drain(&server->traffic) || !server->daemon) return;
    server->quiesced_fd = MHD_quiesce_daemon(server->daemon);
    // It stays open until the daemon's threads are gone, but refuses connections from now on.
    if (server->quiesced_fd >= 0) shutdown(server->quiesced_fd, SHUT_RDWR);
}

void server_drain(Server *server, uint64_t within_ms) {
    server_quiesce(server);
    traffic_wait(&server->traffic, within_ms);
}

Server *server_close(Server *server) {
    if (!server) return NULL;
    server_quiesce(server);
    // A daemon may not stop while a connection waits for a worker; handlers do end.
    traffic_end(&server->traffic);
    if (server->daemon) MHD_stop_daemon(server->daemon);
    if (server->quiesced_fd >= 0) close(server->quiesced_fd);
    traffic_done(&server->traffic);
    arena_done(&server->arena);
    free(server);
    return NULL;
}
