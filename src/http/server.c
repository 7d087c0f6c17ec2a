// SPDX-License-Identifier: Apache-2.0
#include "http/server.h"

#include "channel/gateway.h"
#include "http/exchange.h"

#include <stdlib.h>

Err server_open(const ServerOptions *options,
                const Router *router,
                WorkerPool *const *pools,
                Server **ret_server) {
    Server *server = calloc(1, sizeof(*server));
    if (!server) return FAIL(ERR_MEMORY, "no memory for the server");
    *server =
        (Server){.router = router, .pools = pools, .ready = options->ready, .app = options->app};
    traffic_init(&server->traffic);
    *ret_server = server;
    return SUCCESS;
}

void server_drain(Server *server, Gateway *gateway, uint64_t within_ms) {
    traffic_drain(&server->traffic);
    gateway_quiesce(gateway);
    traffic_wait(&server->traffic, within_ms);
}

Server *server_close(Server *server) {
    if (!server) return NULL;
    traffic_done(&server->traffic);
    free(server);
    return NULL;
}
