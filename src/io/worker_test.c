// SPDX-License-Identifier: Apache-2.0
#include "io/worker.h"

#include "base/clock.h"
#include "base/str.h"
#include "test.h"

#include <pthread.h>

#include <semaphore.h>
#include <stdatomic.h>

/// What a job does to the test: say that it runs, wait for leave, note its turn.
typedef struct Bench {
    sem_t running, leave;
    unsigned order[64];
    atomic_uint done;
    WorkerPool *pool;
    Err resubmit;
} Bench;

typedef struct Turn {
    Bench *bench;
    unsigned number;
} Turn;

static void bench_init(Bench *bench, uint32_t threads, uint32_t queue_max) {
    *bench = (Bench){};
    sem_init(&bench->running, 0, 0);
    sem_init(&bench->leave, 0, 0);
    CHECK_OK(worker_pool_open(&(WorkerOptions){threads, queue_max}, &bench->pool));
}

static void bench_done(Bench *bench) {
    bench->pool = worker_pool_close(bench->pool);
    sem_destroy(&bench->running);
    sem_destroy(&bench->leave);
}

static void job_hold(void *arg) {
    Bench *bench = arg;
    sem_post(&bench->running);
    sem_wait(&bench->leave);
    atomic_fetch_add(&bench->done, 1);
}

static void job_note(void *arg) {
    Turn *turn = arg;
    turn->bench->order[atomic_fetch_add(&turn->bench->done, 1)] = turn->number;
}

static void job_count(void *arg) {
    atomic_fetch_add((atomic_uint *)arg, 1);
}

TEST(jobs_start_in_the_order_in_which_they_were_submitted) {
    Bench bench;
    bench_init(&bench, 1, 64);
    Turn turns[64];
    for (unsigned i = 0; i < 64; i++) {
        turns[i] = (Turn){&bench, i};
        CHECK_OK(worker_submit(bench.pool, job_note, &turns[i]));
    }
    bench_done(&bench);
    CHECK(bench.done == 64);
    for (unsigned i = 0; i < 64; i++)
        CHECK(bench.order[i] == i);
}

TEST(a_full_queue_is_busy_and_takes_nothing) {
    Bench bench;
    bench_init(&bench, 1, 2);
    CHECK_OK(worker_submit(bench.pool, job_hold, &bench));
    sem_wait(&bench.running); // the thread has it: the queue is empty
    CHECK_OK(worker_submit(bench.pool, job_hold, &bench));
    CHECK_OK(worker_submit(bench.pool, job_hold, &bench));
    CHECK_ERR(worker_submit(bench.pool, job_hold, &bench), ERR_BUSY);
    for (int i = 0; i < 3; i++)
        sem_post(&bench.leave);
    bench_done(&bench);
    CHECK(bench.done == 3);
}

TEST(a_queue_has_room_again_after_it_was_full) {
    Bench bench;
    bench_init(&bench, 1, 3);
    atomic_uint counted = 0;
    for (unsigned accepted = 0; accepted < 100;) {
        Err err = worker_submit(bench.pool, job_count, &counted);
        CHECK(err.code == OK || err.code == ERR_BUSY);
        accepted += err.code == OK;
    }
    bench_done(&bench);
    CHECK(counted == 100);
}

TEST(jobs_run_on_as_many_threads_as_there_are) {
    Bench bench;
    bench_init(&bench, 4, 4);
    for (int i = 0; i < 4; i++)
        CHECK_OK(worker_submit(bench.pool, job_hold, &bench));
    for (int i = 0; i < 4; i++)
        sem_wait(&bench.running); // all four at once
    for (int i = 0; i < 4; i++)
        sem_post(&bench.leave);
    bench_done(&bench);
    CHECK(bench.done == 4);
}

TEST(closing_finishes_every_accepted_job) {
    for (int round = 0; round < 50; round++) {
        Bench bench;
        bench_init(&bench, 3, 256);
        atomic_uint counted = 0;
        for (int i = 0; i < 256; i++)
            CHECK_OK(worker_submit(bench.pool, job_count, &counted));
        bench_done(&bench);
        CHECK(counted == 256);
    }
}

/// Fill the queue, then submit until the pool says that it is closing.
static void job_resubmit(void *arg) {
    Bench *bench = arg;
    bench->resubmit = worker_submit(bench->pool, job_count, &bench->done);
    sem_post(&bench->running);
    while (bench->resubmit.code == OK || bench->resubmit.code == ERR_BUSY)
        bench->resubmit = worker_submit(bench->pool, job_count, &bench->done);
}

TEST(a_closing_pool_takes_no_more) {
    Bench bench;
    bench_init(&bench, 1, 1);
    CHECK_OK(worker_submit(bench.pool, job_resubmit, &bench));
    sem_wait(&bench.running);
    bench_done(&bench);
    CHECK(bench.resubmit.code == ERR_UNAVAILABLE);
    CHECK(bench.done == 1);
}

/// Note the turn, and let the test go on.
static void job_note_post(void *arg) {
    Turn *turn = arg;
    job_note(turn);
    sem_post(&turn->bench->running);
}

TEST(a_job_for_later_runs_in_its_time_and_keeps_no_thread) {
    Bench bench;
    bench_init(&bench, 1, 64);
    Turn turns[4];
    for (unsigned i = 0; i < 4; i++)
        turns[i] = (Turn){&bench, i};
    uint64_t start_ms = clock_monotonic_ms();
    CHECK_OK(worker_submit_after(bench.pool, 60, job_note_post, &turns[3]));
    CHECK_OK(worker_submit_after(bench.pool, 20, job_note_post, &turns[1]));
    CHECK_OK(worker_submit_after(bench.pool, 40, job_note_post, &turns[2]));
    CHECK_OK(worker_submit(bench.pool, job_note_post, &turns[0]));
    for (int i = 0; i < 4; i++)
        sem_wait(&bench.running);
    CHECK(clock_monotonic_ms() - start_ms >= 60);
    for (unsigned i = 0; i < 4; i++)
        CHECK(bench.order[i] == i);
    bench_done(&bench);
}

TEST(many_jobs_for_later_are_a_bounded_number) {
    Bench bench;
    bench_init(&bench, 2, 64);
    atomic_uint counted = 0;
    for (unsigned i = 0; i < 64; i++)
        CHECK_OK(worker_submit_after(bench.pool, 600'000 + i * 7919 % 64, job_count, &counted));
    CHECK_ERR(worker_submit_after(bench.pool, 0, job_count, &counted), ERR_BUSY);
    CHECK_OK(worker_submit(bench.pool, job_count, &counted)); // has a queue of its own
    bench_done(&bench);                                       // closing is their time
    CHECK(counted == 65);
}

static void job_name(void *arg) {
    pthread_getname_np(pthread_self(), arg, 16);
}

TEST(threads_are_called_what_their_pool_is) {
    WorkerPool *pool = NULL;
    char name[16] = "";
    CHECK_OK(worker_pool_open(&(WorkerOptions){1, 1, "smith", 1}, &pool));
    CHECK_OK(worker_submit(pool, job_name, name));
    worker_pool_close(pool);
    CHECK_STR(str_from(name), S("smith-1"));
}

TEST(closing_nothing_is_nothing) {
    CHECK(!worker_pool_close(NULL));
}

TEST_MAIN(CASE(jobs_start_in_the_order_in_which_they_were_submitted),
          CASE(a_full_queue_is_busy_and_takes_nothing),
          CASE(a_queue_has_room_again_after_it_was_full),
          CASE(jobs_run_on_as_many_threads_as_there_are),
          CASE(closing_finishes_every_accepted_job),
          CASE(a_closing_pool_takes_no_more),
          CASE(a_job_for_later_runs_in_its_time_and_keeps_no_thread),
          CASE(many_jobs_for_later_are_a_bounded_number),
          CASE(threads_are_called_what_their_pool_is),
          CASE(closing_nothing_is_nothing))
