// SPDX-License-Identifier: Apache-2.0
/// One request at the server, from its head to the end of its answer. Inside of the server only.
///
/// The loop that reads it (channel/web.h) collects the body; a worker runs the router, and whoever
/// ends the call answers: the worker, or the store's thread when what it wrote is durable.
#pragma once

#include "base/arena.h"
#include "channel/web.h"
#include "http/router.h"
#include "http/traffic.h"

typedef struct WorkerPool WorkerPool;

typedef struct Server {
    const Router *router;
    WorkerPool *const *pools; ///< the owner's
    Err (*ready)(void *app);
    void *app;
    Traffic traffic; ///< of exchanges
} Server;

/// A request under way.
typedef struct Exchange {
    Server *server;
    WebRequest *web;
    bool is_probe;       ///< GET /readyz
    WorkerPool *workers; ///< of its route
    Err fault;           ///< of its target
    Arena arena;
    HttpRequest request; ///< borrows from the head
    HttpReply reply;
    Text fields; ///< of the answer
} Exchange;

/// Fill in what the head says. ERR_INVALID: the target is no good.
Err exchange_load(Exchange *exchange);
/// Give exchange->reply to the connection, which has its stream from now on.
void exchange_send(Exchange *exchange);
