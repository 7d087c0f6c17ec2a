// SPDX-License-Identifier: Apache-2.0
/// A bounded pool of threads that run jobs from top to bottom.
///
/// Network threads never run domain code; they hand a job to the pool. The queue has a limit, so
/// overload is an answer (ERR_BUSY) and not a growing heap. A job that shall run again later is not
/// a thread that sleeps: it is a job with a time.
#pragma once

#include "base/err.h"

#include <stddef.h>

typedef struct WorkerPool WorkerPool;

enum { WORKER_THREADS_MAX = 64 };

typedef struct WorkerOptions {
    uint32_t threads;   ///< 1..WORKER_THREADS_MAX
    uint32_t queue_max; ///< jobs that wait, 1..65536; as many again wait for their time
    /// Its threads are called "NAME-1", "NAME-2", ... in /proc; at most 12 bytes. NULL: "worker".
    const char *name;
    uint32_t nice; ///< 0..19: how much its threads give way to others
} WorkerOptions;

/// Start the threads (256 KiB stacks).
Err worker_pool_open(const WorkerOptions *options, WorkerPool **ret_pool);
/// Run `job(arg)` on some thread, after the jobs submitted before it have started. Thread-safe.
/// ERR_BUSY: the queue is full, nothing was taken. ERR_UNAVAILABLE: the pool is closing.
Err worker_submit(WorkerPool *pool, void (*job)(void *arg), void *arg);
/// The same, but not before `after_ms` have passed, or the pool closes; it does not go through the
/// queue then. ERR_BUSY: too many wait for their time. Thread-safe; does not wait.
Err worker_submit_after(WorkerPool *pool, uint64_t after_ms, void (*job)(void *arg), void *arg);
/// Finish every accepted job, those that wait for their time at once; then stop the threads.
/// NULL-safe; returns NULL.
WorkerPool *worker_pool_close(WorkerPool *pool);
