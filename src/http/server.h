// SPDX-License-Identifier: Apache-2.0
/// What answers the requests that come to a gateway (channel/gateway.h), by a Router.
///
///     server_open(&options, router, pools, &server);
///     gateway_open(&(GatewayOptions){..., .web = &server_handlers, .web_app = server}, ...);
///     ...
///     server_drain(server, gateway, 10'000);
///     gateway_close(gateway);
///     server_close(server);
///
/// The gateway's loops only move bytes: a complete request is handed to the worker pool of its
/// route. GET /healthz and routes without a pool are answered by the loop; GET /readyz asks
/// `ready`.
#pragma once

#include "channel/web.h"

typedef struct Gateway Gateway;
typedef struct Router Router;
typedef struct Server Server;
typedef struct WorkerPool WorkerPool;

typedef struct ServerOptions {
    /// OK: /readyz says 200, else 503 with its `what`; on a worker of the first pool.
    Err (*ready)(void *app);
    void *app;
} ServerOptions;

/// A call is run by `pools[route->pool]`, where that is NULL by the network thread, and what is no
/// call by the first; they, their array and `router` must outlive the server. ERR_MEMORY.
Err server_open(const ServerOptions *options,
                const Router *router,
                WorkerPool *const *pools,
                Server **ret_server);
/// For GatewayOptions.web; `web_app` is the Server.
extern const WebHandlers server_handlers;
/// From now on: no new connection, /readyz says 503, answers carry Connection: close. Then wait
/// until requests under way are answered, at most `within_ms`.
void server_drain(Server *server, Gateway *gateway, uint64_t within_ms);
/// Free; the gateway is closed. NULL-safe; returns NULL.
Server *server_close(Server *server);
