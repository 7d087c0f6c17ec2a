// SPDX-License-Identifier: Apache-2.0
#include "http/server.h"

#include "channel/gateway.h"
#include "http/exchange.h"

#include <assert.h>
#include <stdlib.h>

enum {
    THREADS_MAX = 16,
    HEAD_MS = 10'000, ///< from a connection, or from a head's first byte, to its last
    /// Of an answer that waits in a connection at a time.
    ANSWER_PIECES_MAX = 256 * 1024,
};

static Err server_listen(Server *server, const ServerOptions *options, Reason *reason) {
    uint64_t idle_ms = options->idle_timeout_ms;
    const GatewayOptions gateway = {
        .address = options->address,
        .port = options->port,
        .cert_path = options->cert_path,
        .key_path = options->key_path,
        .path = "", // there is no channel here
        .protocol = "",
        .name = "web",
        .threads = options->threads,
        .connections_max = options->connections_max,
        .connections_per_address_max = options->connections_per_address_max,
        .first_max_bytes = 1,
        .message_max_bytes = 1,
        .reply_max_bytes = ANSWER_PIECES_MAX,
        .messages_per_minute_max = 1,
        .handshake_ms = idle_ms && idle_ms < HEAD_MS ? idle_ms : HEAD_MS,
        .silence_ms = HEAD_MS,
        .web = &exchange_handlers,
        .web_app = server,
        .web_ms = idle_ms,
    };
    return gateway_open(&gateway, server->pools[0], &server->gateway, reason);
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
    *server =
        (Server){.router = router, .pools = pools, .ready = options->ready, .app = options->app};
    traffic_init(&server->traffic);
    Err err = server_listen(server, options, reason);
    if (err.code != OK) {
        server_close(server);
        return err;
    }
    *ret_server = server;
    return SUCCESS;
}

uint16_t server_port(const Server *server) {
    return gateway_port(server->gateway);
}

void server_drain(Server *server, uint64_t within_ms) {
    traffic_drain(&server->traffic);
    gateway_quiesce(server->gateway);
    traffic_wait(&server->traffic, within_ms);
}

Server *server_close(Server *server) {
    if (!server) return NULL;
    server->gateway = gateway_close(server->gateway);
    traffic_done(&server->traffic);
    free(server);
    return NULL;
}
