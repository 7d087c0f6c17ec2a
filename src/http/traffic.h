// SPDX-License-Identifier: Apache-2.0
/// How many requests a server has under way, and whether it takes more. Inside of the server only.
/// Thread-safe.
#pragma once

#include "base/err.h"

#include <pthread.h>
#include <stdbool.h>

typedef struct Traffic {
    pthread_mutex_t lock; ///< guards what follows
    pthread_cond_t idle;  ///< the count became 0
    uint32_t open;        ///< requests, up to the end of their answers
    bool is_draining;
} Traffic;

/// Nothing is under way.
void traffic_init(Traffic *traffic);
/// Nobody uses it any more.
void traffic_done(Traffic *traffic);

/// A request has begun.
void traffic_open(Traffic *traffic);
/// Its answer is out, or its connection broke.
void traffic_close(Traffic *traffic);

/// Requests are to end, and no more are wanted.
void traffic_drain(Traffic *traffic);
/// Whether that is so.
bool traffic_is_draining(Traffic *traffic);
/// Wait until no request is open, at most `within_ms`.
void traffic_wait(Traffic *traffic, uint64_t within_ms);
