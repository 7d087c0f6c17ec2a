// SPDX-License-Identifier: Apache-2.0
/// Many threads on one store: no lost update, no gap in a chain, and commits that are shared.
#include "db/db_fixture.h"
#include "db/sqlite.h"

#include "test.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

enum { THREADS = 8, ROUNDS = 40 };

typedef struct Team {
    Db *db;
    Id counter;
    atomic_uint failures;
} Team;

/// Read, add one, write; again when another was faster.
static Err counter_add(Team *team, Arena *arena) {
    for (;;) {
        arena_reset(arena);
        Tx *tx = NULL;
        Crate crate = {};
        TRY(tx_open(team->db, arena, S("north"), &tx));
        TRY(tx_get(tx, &Crate_schema, id_str(&team->counter), &crate));
        crate.size++;
        TRY(tx_update(tx, &Crate_schema, &crate));
        Err err = tx_commit(tx, NULL);
        if (err.code != ERR_CONFLICT) return err;
    }
}

/// What one commits, it reads in the next Tx.
static Err gauge_turn(Db *db, Arena *arena, unsigned thread, unsigned round) {
    arena_reset(arena);
    Tx *tx = NULL;
    Gauge gauge = {.name = str_print(arena, "gauge %u", thread), .yard = S("north")};
    gauge.level = round;
    TRY(tx_open(db, arena, S("north"), &tx));
    TRY(tx_put(tx, &Gauge_schema, &gauge));
    TRY(tx_commit(tx, NULL));
    Gauge got = {};
    TRY(tx_open(db, arena, S("north"), &tx));
    TRY(tx_get(tx, &Gauge_schema, gauge.name, &got));
    return got.level == round ? SUCCESS : FAIL(ERR_STATE, "a commit was not seen");
}

static void *member_main(void *ctx) {
    static atomic_uint numbers;
    Team *team = ctx;
    unsigned thread = atomic_fetch_add(&numbers, 1);
    SCOPED(arena_done) Arena arena = {};
    arena_init(&arena, 1 << 20);
    for (unsigned round = 1; round <= ROUNDS; round++) {
        Err err = counter_add(team, &arena);
        if (err.code == OK) err = entry_append(team->db, S("north"), S("x"));
        if (err.code == OK) err = gauge_turn(team->db, &arena, thread, round);
        if (err.code != OK) atomic_fetch_add(&team->failures, 1);
    }
    return NULL;
}

static void team_run(Team *team) {
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, member_main, team) == 0);
    for (size_t i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(atomic_load(&team->failures) == 0);
}

TEST_BOTH(eight_threads_lose_no_update_and_leave_no_gap) {
    Crate crate = crate_new(&fixture->arena, "north", "counter", 1);
    CHECK_OK(crate_create(fixture->db, &crate));
    Team team = {.db = fixture->db, .counter = crate.id};
    team_run(&team);

    Tx *tx = fixture_tx(fixture, "north");
    CHECK_OK(tx_get(tx, &Crate_schema, id_str(&crate.id), &crate));
    CHECK(crate.size == THREADS * ROUNDS);
    CHECK(crate.rev == 1 + THREADS * ROUNDS);
    Page page = {};
    CHECK_OK(tx_list(tx, &Entry_schema, &(Query){.limit = TX_PAGE_MAX}, &page));
    const Entry *entries = page.items;
    CHECK(page.count == THREADS * ROUNDS);
    for (size_t i = 0; i < page.count; i++) {
        CHECK(entries[i].sequence == i + 1);
        if (i > 0) CHECK_STR(entries[i].before, entries[i - 1].key);
    }
}

static void *creator_main(void *ctx) {
    static atomic_uint numbers;
    Team *team = ctx;
    SCOPED(arena_done) Arena arena = {};
    arena_init(&arena, 1 << 20);
    Crate crate = crate_new(&arena, "north", NULL, 1 + atomic_fetch_add(&numbers, 1));
    crate.name = (Str){};
    if (crate_create(team->db, &crate).code != OK) atomic_fetch_add(&team->failures, 1);
    return NULL;
}

/// How many submissions the writer has taken or has in its queue.
static uint64_t submitted(Writer *writer) {
    WriteQueue *queue = &writer->queue;
    pthread_mutex_lock(&queue->mutex);
    uint64_t count = queue->submissions + queue->count;
    pthread_mutex_unlock(&queue->mutex);
    return count;
}

TEST(what_gathers_during_a_commit_shares_the_next) {
    SCOPED(fixture_close) Fixture fixture = {};
    CHECK_OK(fixture_open(&fixture, ENGINE_SQLITE));
    Writer *writer = &((SqliteDb *)fixture.db)->writer;
    SCOPED(connection_close) Connection other = {};
    CHECK_OK(connection_open(fixture.path, false, &other, NULL));
    CHECK_OK(connection_run(&other, "BEGIN IMMEDIATE")); // holds up the first commit

    Team team = {.db = fixture.db};
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, creator_main, &team) == 0);
    while (submitted(writer) < THREADS)
        sched_yield();
    CHECK_OK(connection_run(&other, "ROLLBACK"));
    for (size_t i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);

    CHECK(atomic_load(&team.failures) == 0);
    WriterStats stats = writer_stats(writer);
    CHECK(stats.submissions == THREADS);
    CHECK(stats.commits <= 2); // what came before the writer looked, and the rest
}

/// Everybody wants the same lease, by the same epoch.
typedef struct Claim {
    Db *db;
    pthread_barrier_t start;
    uint32_t epoch;
    atomic_uint won, lost;
} Claim;

static void *claimant_main(void *ctx) {
    Claim *claim = ctx;
    SCOPED(arena_done) Arena arena = {};
    arena_init(&arena, 1 << 16);
    SCOPED(tx_closep) Tx *tx = NULL;
    const Gauge lease = {.name = S("lease"), .yard = S("north"), .level = claim->epoch};
    CHECK_OK(tx_open(claim->db, &arena, S("north"), &tx));
    CHECK_OK(tx_put_if(tx, &lease, BY(Gauge, level)));
    pthread_barrier_wait(&claim->start);
    Err err = tx_commit(tx, NULL);
    atomic_fetch_add(err.code == OK ? &claim->won : &claim->lost, 1);
    CHECK(err.code == OK || err.code == ERR_CONFLICT);
    return NULL;
}

TEST_BOTH(of_many_who_claim_a_lease_by_one_epoch_one_gets_it) {
    enum { CLAIMANTS = 64, EPOCHS = 3 };
    for (uint32_t epoch = 1; epoch <= EPOCHS; epoch++) {
        Claim claim = {.db = fixture->db, .epoch = epoch};
        pthread_barrier_init(&claim.start, NULL, CLAIMANTS);
        pthread_t threads[CLAIMANTS];
        for (size_t i = 0; i < CLAIMANTS; i++)
            CHECK(pthread_create(&threads[i], NULL, claimant_main, &claim) == 0);
        for (size_t i = 0; i < CLAIMANTS; i++)
            CHECK(pthread_join(threads[i], NULL) == 0);
        pthread_barrier_destroy(&claim.start);
        CHECK(claim.won == 1 && claim.lost == CLAIMANTS - 1);
    }
}

TEST_MAIN(CASE_BOTH(of_many_who_claim_a_lease_by_one_epoch_one_gets_it),
          CASE_BOTH(eight_threads_lose_no_update_and_leave_no_gap),
          CASE(what_gathers_during_a_commit_shares_the_next))
