// SPDX-License-Identifier: Apache-2.0
/// One request at the listener, from its first byte to the end of its answer. Inside of the server
/// only.
///
///   OPENED -> COLLECTING -> RUNNING -> REPLIED -> ANSWERED
///       \__________\_______________________________/^     refused, or GET /healthz
///
/// The network thread collects the body and suspends the connection; a worker runs the router and
/// resumes it; the network thread sends the answer. At any time one of the two has the exchange:
/// libmicrohttpd does not touch a suspended connection, not even when its peer goes away, so what
/// an exchange borrows from its connection stays.
#pragma once

#include "base/arena.h"
#include "http/router.h"

#include <microhttpd.h>
#include <pthread.h>

typedef struct WorkerPool WorkerPool;

typedef struct Server {
    struct MHD_Daemon *daemon;
    const Router *router;
    WorkerPool *workers;
    Err (*ready)(void *app);
    void *app;
    Arena arena; ///< of the PEM texts
    Str cert_pem, key_pem;
    int quiesced_fd;      ///< the listening socket once it is ours again; -1
    pthread_mutex_t lock; ///< guards what follows
    pthread_cond_t idle;  ///< one of the counts became 0
    uint32_t open;        ///< exchanges, up to the end of their answers
    uint32_t running;     ///< of these, with a worker
    bool is_draining;
    bool is_closing; ///< no worker gets one any more
} Server;

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
