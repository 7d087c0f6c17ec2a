// SPDX-License-Identifier: Apache-2.0
/// What waits for the writer, and how much of it one commit takes. Thread-safe.
#pragma once

#include "db/engine.h"

#include <pthread.h>

enum {
    QUEUE_SUBMISSIONS_MAX = 8192, ///< that wait
    GROUP_SUBMISSIONS_MAX = 1024, ///< of one commit
    GROUP_OPS_MAX = 8192,         ///< of one commit; a single submission may have more
    GATHER_MS = 5,                ///< that patient ones wait for others
};

typedef struct WriteQueue {
    pthread_mutex_t mutex; ///< guards what follows
    pthread_cond_t change;
    Submission *first;
    Submission *last;
    size_t count;
    size_t hurried;       ///< of these, not patient
    uint64_t first_at_ms; ///< since when, at most, the first one waits; monotonic
    uint64_t gather_ms;   ///< GATHER_MS; tests set another
    bool is_closing;
    uint64_t submissions; ///< that were taken so far
    uint64_t groups;      ///< in which that was done
} WriteQueue;

/// An empty queue.
void queue_init(WriteQueue *queue);
/// Nobody uses it any more.
void queue_done(WriteQueue *queue);
/// Append. False: it is full, and nothing was taken. Does not wait.
bool queue_put(WriteQueue *queue, Submission *submission);
/// Wait until something is there, and where only patient ones are, for more of them; then take all,
/// up to the bounds of a group, as a list. NULL: it is closing, and nothing is left.
Submission *queue_take(WriteQueue *queue);
/// What is there is taken without waiting for more, and then there is an end.
void queue_close(WriteQueue *queue);
