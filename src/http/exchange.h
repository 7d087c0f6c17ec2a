// SPDX-License-Identifier: Apache-2.0
/// One request at the listener, from its first byte to the end of its answer. Inside of the server
/// only.
///
///   COLLECTING -> RUNNING -> ANSWERED
///
/// The network thread collects the body and suspends the connection; a worker runs the router and
/// resumes it; the network thread sends the answer. At any time one of the two has the exchange.
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
    pthread_mutex_t lock;
    pthread_cond_t idle; ///< under_way became 0
    uint32_t under_way;  ///< exchanges that a worker has; under `lock`
    bool is_draining;    ///< under `lock`
    int quiesced_fd;     ///< the listening socket once it is ours again; -1
} Server;

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
