// SPDX-License-Identifier: Apache-2.0
/// One request at the listener, from its first byte to the end of its answer. Inside of the server
/// only.
///
///   OPENED -> COLLECTING -> RUNNING -> REPLIED -> ANSWERED
///       \__________\_______________________________/^     refused, GET /healthz, without a pool
///
/// The network thread collects the body and suspends the connection; a worker runs the router, and
/// whoever ends the call resumes it: the worker, or the store's thread when what it wrote is
/// durable; the network thread sends the answer. At any time one of them has the exchange:
/// libmicrohttpd does not touch a suspended connection, not even when its peer goes away, so what
/// an exchange borrows from its connection stays.
#pragma once

#include "base/arena.h"
#include "http/router.h"
#include "http/traffic.h"

#include <microhttpd.h>

typedef struct WorkerPool WorkerPool;

typedef struct Server {
    struct MHD_Daemon *daemon;
    const Router *router;
    WorkerPool *const *pools; ///< the owner's
    Err (*ready)(void *app);
    void *app;
    Arena arena; ///< of the PEM texts
    Str cert_pem, key_pem;
    int quiesced_fd; ///< the listening socket once it is ours again; -1
    Traffic traffic; ///< of exchanges
} Server;

typedef enum ExchangeState { OPENED, COLLECTING, RUNNING, REPLIED, ANSWERED } ExchangeState;

/// A request under way; from its request line to the last byte of its answer.
typedef struct Exchange {
    Server *server;
    struct MHD_Connection *connection;
    ExchangeState state;
    bool is_probe;       ///< GET /readyz
    WorkerPool *workers; ///< of its route
    bool is_path_plain;  ///< no '/' or NUL hid in it
    uint64_t body_seen;  ///< bytes that came, kept or not
    Arena arena;
    Text body;
    HttpRequest request; ///< borrows from the connection
    HttpReply reply;
} Exchange;

/// MHD_OPTION_URI_LOG_CALLBACK: the request line is there. Makes the exchange; NULL: no memory.
void *exchange_on_target(void *server, const char *target, struct MHD_Connection *connection);

/// MHD_AccessHandlerCallback: called for the head, for each piece of the body, at its end, and once
/// more after the connection was resumed.
enum MHD_Result exchange_on_request(void *server,
                                    struct MHD_Connection *connection,
                                    const char *url,
                                    const char *method,
                                    const char *version,
                                    const char *piece,
                                    size_t *piece_len,
                                    void **exchange);
/// MHD_RequestCompletedCallback: the answer is out, or the connection broke.
void exchange_on_completed(void *server,
                           struct MHD_Connection *connection,
                           void **exchange,
                           enum MHD_RequestTerminationCode why);

/// Fill exchange->request, except for query and body.
void exchange_load_head(Exchange *exchange, const char *url, const char *method);
/// Fill in the query. ERR_INVALID: too many parameters.
Err exchange_load_query(Exchange *exchange);
/// The value of a header; absent if it was not sent.
Str exchange_header(const Exchange *exchange, const char *name);
/// Give exchange->reply to libmicrohttpd, which borrows its body until exchange_on_completed.
enum MHD_Result exchange_send(Exchange *exchange);
