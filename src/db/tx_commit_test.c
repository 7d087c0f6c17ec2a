// SPDX-License-Identifier: Apache-2.0
/// Commits that nobody waits for: each ends once, whatever happens, and they share what they can.
#include "db/db_fixture.h"
#include "db/sqlite.h"

#include "test.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

enum { FOREVER_MS = 600'000, MANY = 500 };

/// How the commits of a test ended.
typedef struct Ends {
    atomic_uint good, busy, failed;
    atomic_bool elsewhere; ///< one ended on another thread
    pthread_t here;
} Ends;

static void ends_note(void *ctx, Err err, const TxFault *fault) {
    Ends *ends = ctx;
    if (!pthread_equal(pthread_self(), ends->here)) atomic_store(&ends->elsewhere, true);
    if (err.code == OK || err.code == ERR_BUSY) CHECK(fault->op == TX_OP_NONE);
    if (err.code == OK)
        atomic_fetch_add(&ends->good, 1);
    else if (err.code == ERR_BUSY)
        atomic_fetch_add(&ends->busy, 1);
    else
        atomic_fetch_add(&ends->failed, 1);
}

static unsigned ends_count(Ends *ends) {
    return atomic_load(&ends->good) + atomic_load(&ends->busy) + atomic_load(&ends->failed);
}

static void ends_await(Ends *ends, unsigned count) {
    while (ends_count(ends) < count)
        sched_yield();
}

/// A gauge is put, and nobody waits for it.
static void gauge_put_then(Fixture *fixture, unsigned number, bool is_patient, Ends *ends) {
    Tx *tx = fixture_tx(fixture, "north");
    Gauge gauge = {.name = str_print(&fixture->arena, "gauge %u", number), .yard = S("north")};
    CHECK_OK(tx_put(tx, &Gauge_schema, &gauge));
    if (is_patient) tx_patient(tx);
    tx_commit_then(tx, ends_note, ends);
}

static uint64_t gauges(Fixture *fixture) {
    uint64_t count = 0;
    CHECK_OK(tx_count(fixture_tx(fixture, "north"), &Gauge_schema, &(Query){}, &count));
    return count;
}

TEST_BOTH(a_commit_of_nothing_ends_at_once_and_here) {
    Ends ends = {.here = pthread_self()};
    tx_commit_then(fixture_tx(fixture, "north"), ends_note, &ends);
    CHECK(ends.good == 1 && !ends.elsewhere);
}

TEST_BOTH(a_commit_tells_once_what_became_of_it) {
    Ends ends = {.here = pthread_self()};
    Crate crate = crate_new(&fixture->arena, "north", "one", 1);
    for (unsigned i = 0; i < 2; i++) {
        Tx *tx = fixture_tx(fixture, "north");
        CHECK_OK(tx_create(tx, &Crate_schema, &crate));
        tx_commit_then(tx, ends_note, &ends);
        ends_await(&ends, i + 1);
    }
    CHECK(ends.good == 1 && ends.failed == 1); // its key is taken
}

// SQLite's writer.

static Writer *writer_of(Fixture *fixture) {
    return &((SqliteDb *)fixture->db)->writer;
}

static void gather_set(Fixture *fixture, uint64_t gather_ms) {
    WriteQueue *queue = &writer_of(fixture)->queue;
    pthread_mutex_lock(&queue->mutex);
    queue->gather_ms = gather_ms;
    pthread_mutex_unlock(&queue->mutex);
}

/// Put a gauge whose commit is held up by another's transaction.
static void writer_block(Fixture *fixture, Connection *other, Ends *ends) {
    CHECK_OK(connection_open(fixture->path, false, other, NULL));
    CHECK_OK(connection_run(other, "BEGIN IMMEDIATE"));
    gauge_put_then(fixture, 0, false, ends);
    while (writer_stats(writer_of(fixture)).submissions < 1)
        sched_yield();
}

TEST(what_one_thread_submits_behind_a_commit_is_one_group) {
    SCOPED(fixture_close) Fixture fixture = {};
    CHECK_OK(fixture_open(&fixture, ENGINE_SQLITE));
    SCOPED(connection_close) Connection other = {};
    Ends ends = {.here = pthread_self()};
    writer_block(&fixture, &other, &ends);
    for (unsigned i = 1; i <= MANY; i++)
        gauge_put_then(&fixture, i, i % 2 == 0, &ends);
    CHECK_OK(connection_run(&other, "ROLLBACK"));
    ends_await(&ends, MANY + 1);
    CHECK(ends.good == MANY + 1 && ends.elsewhere);
    WriterStats stats = writer_stats(writer_of(&fixture));
    CHECK(stats.submissions == MANY + 1 && stats.commits == 2);
    CHECK(gauges(&fixture) == MANY + 1);
}

TEST(patient_ones_gather_until_one_is_in_a_hurry) {
    SCOPED(fixture_close) Fixture fixture = {};
    CHECK_OK(fixture_open(&fixture, ENGINE_SQLITE));
    gather_set(&fixture, FOREVER_MS);
    Ends ends = {.here = pthread_self()};
    for (unsigned i = 0; i < MANY; i++)
        gauge_put_then(&fixture, i, true, &ends);
    CHECK(writer_stats(writer_of(&fixture)).commits == 0);
    gauge_put_then(&fixture, MANY, false, &ends);
    ends_await(&ends, MANY + 1);
    WriterStats stats = writer_stats(writer_of(&fixture));
    CHECK(stats.submissions == MANY + 1 && stats.commits == 1);
}

TEST(patient_ones_that_are_a_whole_group_wait_for_no_more) {
    SCOPED(fixture_close) Fixture fixture = {};
    CHECK_OK(fixture_open(&fixture, ENGINE_SQLITE));
    gather_set(&fixture, FOREVER_MS);
    Ends ends = {.here = pthread_self()};
    for (unsigned i = 0; i < GROUP_SUBMISSIONS_MAX; i++)
        gauge_put_then(&fixture, i, true, &ends);
    ends_await(&ends, GROUP_SUBMISSIONS_MAX);
    CHECK(writer_stats(writer_of(&fixture)).commits == 1);
}

TEST(a_patient_one_alone_waits_for_a_moment_only) {
    SCOPED(fixture_close) Fixture fixture = {};
    CHECK_OK(fixture_open(&fixture, ENGINE_SQLITE));
    Ends ends = {.here = pthread_self()};
    gauge_put_then(&fixture, 1, true, &ends);
    ends_await(&ends, 1);
    CHECK(ends.good == 1 && gauges(&fixture) == 1);
}

TEST(closing_ends_what_waits) {
    SCOPED(fixture_close) Fixture fixture = {};
    CHECK_OK(fixture_open(&fixture, ENGINE_SQLITE));
    gather_set(&fixture, FOREVER_MS);
    Ends ends = {.here = pthread_self()};
    for (unsigned i = 0; i < MANY; i++)
        gauge_put_then(&fixture, i, true, &ends);
    fixture.db = db_close(fixture.db);
    CHECK(ends.good == MANY && ends_count(&ends) == MANY);
    DbOptions options = fixture_options(&fixture);
    CHECK_OK(db_open_sqlite(&options, &fixture.db, NULL));
    CHECK(gauges(&fixture) == MANY);
}

TEST(beyond_a_full_queue_it_is_busy_and_nothing_is_written) {
    SCOPED(fixture_close) Fixture fixture = {};
    CHECK_OK(fixture_open(&fixture, ENGINE_SQLITE));
    SCOPED(connection_close) Connection other = {};
    Ends ends = {.here = pthread_self()};
    writer_block(&fixture, &other, &ends);
    for (unsigned i = 1; i <= QUEUE_SUBMISSIONS_MAX + MANY; i++)
        gauge_put_then(&fixture, i, false, &ends);
    CHECK(ends.busy == MANY && ends_count(&ends) == MANY);
    CHECK_OK(connection_run(&other, "ROLLBACK"));
    ends_await(&ends, QUEUE_SUBMISSIONS_MAX + MANY + 1);
    CHECK(ends.good == QUEUE_SUBMISSIONS_MAX + 1 && ends.busy == MANY);
    CHECK(gauges(&fixture) == QUEUE_SUBMISSIONS_MAX + 1);
    CHECK(writer_stats(writer_of(&fixture)).commits
          == 1 + QUEUE_SUBMISSIONS_MAX / GROUP_SUBMISSIONS_MAX);
}

/// Whoever is told may submit again, on the writer's own thread.
typedef struct Sequel {
    Fixture *fixture;
    Tx *next;
    Ends ends;
} Sequel;

static void chain_first_done(void *ctx, Err err, const TxFault *fault) {
    Sequel *chain = ctx;
    tx_commit_then(chain->next, ends_note, &chain->ends);
    ends_note(&chain->ends, err, fault);
}

TEST_BOTH(the_end_of_one_may_begin_another) {
    Gauge gauge = {.name = S("gauge"), .yard = S("north")};
    Sequel chain = {.fixture = fixture, .next = fixture_tx(fixture, "north")};
    Tx *first = fixture_tx(fixture, "north");
    CHECK_OK(tx_put(chain.next, &Gauge_schema, &gauge));
    CHECK_OK(tx_put(first, &Gauge_schema, &gauge));
    tx_commit_then(first, chain_first_done, &chain);
    ends_await(&chain.ends, 2);
    CHECK(chain.ends.good == 2);
}

TEST_MAIN(CASE_BOTH(a_commit_of_nothing_ends_at_once_and_here),
          CASE_BOTH(a_commit_tells_once_what_became_of_it),
          CASE(what_one_thread_submits_behind_a_commit_is_one_group),
          CASE(patient_ones_gather_until_one_is_in_a_hurry),
          CASE(patient_ones_that_are_a_whole_group_wait_for_no_more),
          CASE(a_patient_one_alone_waits_for_a_moment_only),
          CASE(closing_ends_what_waits),
          CASE(beyond_a_full_queue_it_is_busy_and_nothing_is_written),
          CASE_BOTH(the_end_of_one_may_begin_another))
