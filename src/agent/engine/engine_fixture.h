// SPDX-License-Identifier: Apache-2.0
/// For tests: a container engine on a unix socket that answers from a table, for what a real one
/// does not do when it is asked to: refuse, hang, hang up, talk nonsense. What goes wrong in here
/// is an assertion that fails.
#pragma once

#include "base/str.h"

#include <pthread.h>

enum {
    FAKE_CONNECTIONS_MAX = 8,
    FAKE_REQUESTS_MAX = 256,
    FAKE_REQUEST_MAX = 8192,
};

/// What is said to a request. Of several that fit, the last one is.
typedef struct FakeAnswer {
    const char *request; ///< begins with this: "GET /v1.43/containers/json"
    uint32_t status;     ///< 0: `body` is sent as it is, without a head; NULL: nothing is said
    const char *body;
    bool hangs_up;     ///< close the connection behind it
    const char *after; ///< only once a request that begins with this was heard; NULL: always
} FakeAnswer;

typedef struct FakeConnection {
    int fd; ///< -1: none
    size_t len;
    char bytes[FAKE_REQUEST_MAX];
} FakeConnection;

typedef struct FakeEngine {
    const FakeAnswer *answers;
    size_t count;
    char folder[64];
    char path[96]; ///< of its socket
    int listener;
    int ends[2]; ///< a pipe: its end ends the thread
    pthread_t thread;
    pthread_mutex_t lock; ///< of what follows
    char *requests[FAKE_REQUESTS_MAX];
    size_t served;
    FakeConnection connections[FAKE_CONNECTIONS_MAX]; ///< the thread's own
} FakeEngine;

/// An engine with this table, which outlives it. What is not in it is answered by 404; who it is,
/// as a newest engine would.
FakeEngine *fake_start(const FakeAnswer *answers, size_t count);
/// End it, and forget it.
void fake_stop(FakeEngine *fake);
/// It goes on with another table.
void fake_change(FakeEngine *fake, const FakeAnswer *answers, size_t count);
/// How many requests that begin with this were heard.
size_t fake_heard(FakeEngine *fake, const char *request);
/// `part` is in the last request that begins with `request`.
bool fake_was_told(FakeEngine *fake, const char *request, const char *part);
/// Wait until a request that begins with this was heard `times`; false: in vain.
bool fake_wait(FakeEngine *fake, const char *request, size_t times);
