// SPDX-License-Identifier: Apache-2.0
/// The REST listener: a gateway (channel/gateway.h) in front of a Router.
///
/// Its loops only move bytes: a complete request is handed to the worker pool of its route. Limits
/// on everything: connections (in all and from one address), head and body bytes, the time for each
/// part of a request. GET /healthz and routes without a pool are answered by the loop; GET /readyz
/// asks `ready`.
#pragma once

#include "base/err.h"

#include <stdbool.h>

typedef struct Router Router;
typedef struct Server Server;
typedef struct WorkerPool WorkerPool;

typedef struct ServerOptions {
    const char *address;
    uint16_t port; ///< 0: any free one, see server_port
    const char *cert_path;
    const char *key_path; ///< both NULL: plain HTTP
    uint32_t threads;     ///< 1..16
    uint32_t connections_max;
    uint32_t connections_per_address_max; ///< 0: no such limit
    uint64_t idle_timeout_ms; ///< for a body, for the taking of an answer, and between requests
    /// OK: /readyz says 200, else 503 with its `what`; on a worker of the first pool.
    Err (*ready)(void *app);
    void *app;
} ServerOptions;

/// Listen and serve. A call is run by `pools[route->pool]`, where that is NULL by the network
/// thread, and what is no call by the first; they, their array and `router` must outlive the
/// server. ERR_SYSTEM: the address cannot be bound. ERR_INVALID: certificate or key. The Reason
/// names the address or the file.
Err server_open(const ServerOptions *options,
                const Router *router,
                WorkerPool *const *pools,
                Server **ret_server,
                Reason *reason);
/// The port it listens on.
uint16_t server_port(const Server *server);
/// From now on: no new connection, /readyz says 503, answers carry Connection: close. Then wait
/// until requests under way are answered, at most `within_ms`.
void server_drain(Server *server, uint64_t within_ms);
/// Stop. NULL-safe; returns NULL.
Server *server_close(Server *server);
