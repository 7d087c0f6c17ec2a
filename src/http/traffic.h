// SPDX-License-Identifier: Apache-2.0
/// How many requests a server has under way, and whether it takes more. Inside of the server only.
/// Thread-safe.
#pragma once

#include "base/err.h"

#include <pthread.h>
#include <stdbool.h>

typedef struct Traffic {
    pthread_mutex_t lock; ///< guards what follows
    pthread_cond_t idle;  ///< one of the counts became 0
    uint32_t open;        ///< requests, up to the end of their answers
    uint32_t running;     ///< of these, with a worker
    bool is_draining;
    bool is_closing; ///< no worker gets one any more
} Traffic;

/// Nothing is under way.
void traffic_init(Traffic *traffic);
/// Nobody uses it any more.
void traffic_done(Traffic *traffic);

/// A request has begun.
void traffic_open(Traffic *traffic);
/// Its answer is out, or its connection broke.
void traffic_close(Traffic *traffic);
/// A worker is to get a request. ERR_UNAVAILABLE: none gets one any more.
Err traffic_run(Traffic *traffic);
/// The worker is done with it. Whoever waits in traffic_end may go on at once.
void traffic_ran(Traffic *traffic);

/// Requests are to end, and no more are wanted. False: that was so before.
bool traffic_drain(Traffic *traffic);
/// Whether that is so.
bool traffic_is_draining(Traffic *traffic);
/// Wait until no request is open, at most `within_ms`.
void traffic_wait(Traffic *traffic, uint64_t within_ms);
/// No worker gets a request from now on; wait until those that have one are done.
void traffic_end(Traffic *traffic);
