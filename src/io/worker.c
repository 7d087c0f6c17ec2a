// SPDX-License-Identifier: Apache-2.0
#include "io/worker.h"

#include "base/clock.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
    QUEUE_MAX = 65536,
    STACK_BYTES = 256 * 1024,
    NICE_MAX = 19,
    NAME_MAX_BYTES = 12,
    THREAD_NAME_BYTES = 16, ///< what the kernel keeps, with the NUL
};

typedef struct Job {
    void (*run)(void *arg);
    void *arg;
} Job;

typedef struct LateJob {
    uint64_t due_ms; ///< monotonic
    Job job;
} LateJob;

struct WorkerPool {
    pthread_mutex_t lock;  ///< guards what follows up to `queue_max`
    pthread_cond_t change; ///< a job arrived, or the pool is closing
    bool is_closing;
    uint32_t first; ///< of the jobs that wait, in `queue`, which is a ring
    uint32_t count;
    uint32_t late_count;
    uint32_t named; ///< threads that have their name
    uint32_t queue_max;
    uint32_t thread_count;
    uint32_t nice;
    char name[NAME_MAX_BYTES + 1];
    pthread_t threads[WORKER_THREADS_MAX];
    LateJob *late; ///< a heap: the next one due is the first; malloc'ed
    Job queue[];
};

// Jobs that wait for their time.

static void worker_late_swap(LateJob *one, LateJob *other) {
    LateJob kept = *one;
    *one = *other;
    *other = kept;
}

static void worker_late_put(WorkerPool *pool, LateJob late) {
    uint32_t at = pool->late_count++;
    pool->late[at] = late;
    for (; at > 0 && pool->late[at].due_ms < pool->late[(at - 1) / 2].due_ms; at = (at - 1) / 2)
        worker_late_swap(&pool->late[at], &pool->late[(at - 1) / 2]);
}

static Job worker_late_take(WorkerPool *pool) {
    Job job = pool->late[0].job;
    pool->late[0] = pool->late[--pool->late_count];
    for (uint32_t at = 0, child; (child = 2 * at + 1) < pool->late_count; at = child) {
        if (child + 1 < pool->late_count && pool->late[child + 1].due_ms < pool->late[child].due_ms)
            child++;
        if (pool->late[at].due_ms <= pool->late[child].due_ms) break;
        worker_late_swap(&pool->late[at], &pool->late[child]);
    }
    return job;
}

static bool worker_late_is_due(const WorkerPool *pool) {
    return pool->late_count > 0
           && (pool->is_closing || pool->late[0].due_ms <= clock_monotonic_ms());
}

// Threads.

/// The lock is held.
static void worker_change_wait(WorkerPool *pool) {
    if (pool->late_count == 0) {
        pthread_cond_wait(&pool->change, &pool->lock);
        return;
    }
    uint64_t due_ms = pool->late[0].due_ms;
    struct timespec due = {.tv_sec = (time_t)(due_ms / 1000),
                           .tv_nsec = (long)(due_ms % 1000 * 1'000'000)};
    pthread_cond_timedwait(&pool->change, &pool->lock, &due);
}

/// Take what is due, or the oldest job; wait for one. False: the pool is closing and no job is
/// left.
static bool worker_job_take(WorkerPool *pool, Job *ret_job) {
    pthread_mutex_lock(&pool->lock);
    while (pool->count == 0 && !worker_late_is_due(pool) && !pool->is_closing)
        worker_change_wait(pool);
    bool has_job = true;
    if (worker_late_is_due(pool)) {
        *ret_job = worker_late_take(pool);
    } else if (pool->count > 0) {
        *ret_job = pool->queue[pool->first];
        pool->first = (pool->first + 1) % pool->queue_max;
        pool->count--;
    } else {
        has_job = false;
    }
    // Whoever waits may know of a later time than that of what is left.
    if (pool->late_count > 0) pthread_cond_signal(&pool->change);
    pthread_mutex_unlock(&pool->lock);
    return has_job;
}

static void worker_thread_begin(WorkerPool *pool) {
    char name[THREAD_NAME_BYTES];
    pthread_mutex_lock(&pool->lock);
    uint32_t number = ++pool->named;
    pthread_mutex_unlock(&pool->lock);
    snprintf(name, sizeof(name), "%s-%u", pool->name, number % 100);
    pthread_setname_np(pthread_self(), name);
    // Of a thread, on Linux. Without it the work is done all the same.
    if (pool->nice) (void)setpriority(PRIO_PROCESS, (id_t)gettid(), (int)pool->nice);
}

static void *worker_main(void *ctx) {
    worker_thread_begin(ctx);
    Job job;
    while (worker_job_take(ctx, &job))
        job.run(job.arg);
    return NULL;
}

static Err worker_threads_start(WorkerPool *pool, uint32_t count) {
    pthread_attr_t attr;
    int error = pthread_attr_init(&attr);
    if (error == 0) error = pthread_attr_setstacksize(&attr, STACK_BYTES);
    while (error == 0 && pool->thread_count < count) {
        error = pthread_create(&pool->threads[pool->thread_count], &attr, worker_main, pool);
        if (error == 0) pool->thread_count++;
    }
    pthread_attr_destroy(&attr);
    if (error == 0) return SUCCESS;
    return (Err){.code = ERR_SYSTEM, .sys = error, .what = "cannot start a worker thread"};
}

static WorkerPool *worker_pool_new(const WorkerOptions *options) {
    WorkerPool *pool = calloc(1, sizeof(*pool) + options->queue_max * sizeof(Job));
    if (!pool) return NULL;
    pool->late = calloc(options->queue_max, sizeof(LateJob));
    if (!pool->late) {
        free(pool);
        return NULL;
    }
    pool->queue_max = options->queue_max;
    pool->nice = options->nice;
    snprintf(pool->name, sizeof(pool->name), "%s", options->name ? options->name : "worker");
    pthread_mutex_init(&pool->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&pool->change, &attributes);
    pthread_condattr_destroy(&attributes);
    return pool;
}

Err worker_pool_open(const WorkerOptions *options, WorkerPool **ret_pool) {
    assert(options->threads >= 1 && options->threads <= WORKER_THREADS_MAX);
    assert(options->queue_max >= 1 && options->queue_max <= QUEUE_MAX);
    assert(!options->name || strlen(options->name) <= NAME_MAX_BYTES);
    assert(options->nice <= NICE_MAX);
    WorkerPool *pool = worker_pool_new(options);
    if (!pool) return FAIL(ERR_MEMORY, "no memory for the worker pool");
    Err err = worker_threads_start(pool, options->threads);
    if (err.code != OK) {
        worker_pool_close(pool);
        return err;
    }
    *ret_pool = pool;
    return SUCCESS;
}

static Err worker_job_put(WorkerPool *pool, Job job) {
    if (pool->is_closing) return FAIL(ERR_UNAVAILABLE, "the worker pool is closing");
    if (pool->count == pool->queue_max) return FAIL(ERR_BUSY, "too much work is waiting");
    pool->queue[(pool->first + pool->count) % pool->queue_max] = job;
    pool->count++;
    pthread_cond_signal(&pool->change);
    return SUCCESS;
}

Err worker_submit(WorkerPool *pool, void (*job)(void *arg), void *arg) {
    assert(job);
    pthread_mutex_lock(&pool->lock);
    Err err = worker_job_put(pool, (Job){job, arg});
    pthread_mutex_unlock(&pool->lock);
    return err;
}

static Err worker_late_accept(WorkerPool *pool, LateJob late) {
    if (pool->is_closing) return FAIL(ERR_UNAVAILABLE, "the worker pool is closing");
    if (pool->late_count == pool->queue_max) return FAIL(ERR_BUSY, "too much work is waiting");
    worker_late_put(pool, late);
    pthread_cond_signal(&pool->change);
    return SUCCESS;
}

Err worker_submit_after(WorkerPool *pool, uint64_t after_ms, void (*job)(void *arg), void *arg) {
    assert(job);
    LateJob late = {
        clock_monotonic_ms() + after_ms, {job, arg}
    };
    pthread_mutex_lock(&pool->lock);
    Err err = worker_late_accept(pool, late);
    pthread_mutex_unlock(&pool->lock);
    return err;
}

WorkerPool *worker_pool_close(WorkerPool *pool) {
    if (!pool) return NULL;
    pthread_mutex_lock(&pool->lock);
    pool->is_closing = true;
    pthread_cond_broadcast(&pool->change);
    pthread_mutex_unlock(&pool->lock);
    for (uint32_t i = 0; i < pool->thread_count; i++)
        pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->change);
    pthread_mutex_destroy(&pool->lock);
    free(pool->late);
    free(pool);
    return NULL;
}
