// SPDX-License-Identifier: Apache-2.0
/// For tests: a peer in a thread, which answers each request as its script says. What goes wrong in
/// here is an assertion that fails.
#pragma once

#include "base/str.h"

#include <pthread.h>

typedef struct Tls Tls;
typedef struct TlsContext TlsContext;

enum { REQUEST_MAX = 4096, STEPS_MAX = 4 };

/// What the peer does with one request.
typedef struct Step {
    const char *reply; ///< sent as it is
    enum {
        KEEP,
        CLOSE,
        HOLD, ///< say nothing more until the client goes
        DRIP, ///< send an 'x' each 5 ms until the client goes
    } after;
} Step;

typedef struct Peer {
    int listener;
    uint16_t port; ///< 0: `path`
    char folder[64], path[96];
    TlsContext *tls_context;
    Step steps[STEPS_MAX];
    pthread_t thread;
    int fd;
    Tls *tls;
    unsigned connections;
    char requests[STEPS_MAX][REQUEST_MAX];
    size_t served;
} Peer;

/// Start a peer with a script: on 127.0.0.1 if `is_tcp`, with TLS if `tls_context`; else on a unix
/// socket.
void peer_start(Peer *peer, const Step *steps, size_t count, bool is_tcp, TlsContext *tls_context);
/// Wait until the script is done.
void peer_stop(Peer *peer);
