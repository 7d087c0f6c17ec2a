// SPDX-License-Identifier: Apache-2.0
#include "io/worker.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

enum { THREADS_MAX = 64, QUEUE_MAX = 65536, STACK_BYTES = 256 * 1024 };

typedef struct Job {
    void (*run)(void *arg);
    void *arg;
} Job;

struct WorkerPool {
    pthread_mutex_t lock;  ///< guards what follows up to `queue_max`
    pthread_cond_t change; ///< a job arrived, or the pool is closing
    bool is_closing;
    uint32_t first; ///< of the jobs that wait, in `queue`, which is a ring
    uint32_t count;
    uint32_t queue_max;
    uint32_t thread_count;
    pthread_t threads[THREADS_MAX];
    Job queue[];
};

/// Take the oldest job; wait for one. False: the pool is closing and no job is left.
static bool worker_job_take(WorkerPool *pool, Job *ret_job) {
    pthread_mutex_lock(&pool->lock);
    while (pool->count == 0 && !pool->is_closing)
        pthread_cond_wait(&pool->change, &pool->lock);
    bool has_job = pool->count > 0;
    if (has_job) {
        *ret_job = pool->queue[pool->first];
        pool->first = (pool->first + 1) % pool->queue_max;
        pool->count--;
    }
    pthread_mutex_unlock(&pool->lock);
    return has_job;
}

static void *worker_main(void *ctx) {
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

Err worker_pool_open(const WorkerOptions *options, WorkerPool **ret_pool) {
    assert(options->threads >= 1 && options->threads <= THREADS_MAX);
    assert(options->queue_max >= 1 && options->queue_max <= QUEUE_MAX);
    WorkerPool *pool = calloc(1, sizeof(*pool) + options->queue_max * sizeof(Job));
    if (!pool) return FAIL(ERR_MEMORY, "no memory for the worker pool");
    pool->queue_max = options->queue_max;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->change, NULL);
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
    free(pool);
    return NULL;
}
