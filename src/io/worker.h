// SPDX-License-Identifier: Apache-2.0
/// A bounded pool of threads that run jobs from top to bottom.
///
/// Network threads never run domain code; they hand a job to the pool. The queue has a limit, so
/// overload is an answer (ERR_BUSY) and not a growing heap.
#pragma once

#include "base/err.h"

#include <stddef.h>

typedef struct WorkerPool WorkerPool;

typedef struct WorkerOptions {
    uint32_t threads;   ///< 1..64
    uint32_t queue_max; ///< jobs that wait, 1..65536
} WorkerOptions;

/// Start the threads (256 KiB stacks).
Err worker_pool_open(const WorkerOptions *options, WorkerPool **ret_pool);
/// Run `job(arg)` on some thread, after the jobs submitted before it have started. Thread-safe.
/// ERR_BUSY: the queue is full, nothing was taken. ERR_UNAVAILABLE: the pool is closing.
Err worker_submit(WorkerPool *pool, void (*job)(void *arg), void *arg);
/// Finish every accepted job, then stop the threads. NULL-safe; returns NULL.
WorkerPool *worker_pool_close(WorkerPool *pool);
