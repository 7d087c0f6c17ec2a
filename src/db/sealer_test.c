// SPDX-License-Identifier: Apache-2.0
#include "db/sealer.h"

#include "db/db_fixture.h"
#include "db/engine.h"
#include "db/journal_fixture.h"
#include "test.h"

#include <pthread.h>
#include <sched.h>
#include <sodium.h>
#include <stdatomic.h>

enum { WRITERS = 64, NOTES_EACH = 10, WITHIN_MS = 10'000 };

static void woken(void *ctx, const Note *, size_t, bool) {
    sealer_wake(ctx);
}

static Err leave(Db *db, const Id *org, Str action) {
    SCOPED(arena_done) Arena arena = {};
    arena_init(&arena, 1 << 20);
    SCOPED(tx_closep) Tx *tx = NULL;
    TRY(tx_open(db, &arena, id_str(org), &tx));
    const Note note = {.org_id = *org, .at = {1}, .action = action};
    TRY(tx_note(tx, &note));
    return tx_commit(tx, NULL);
}

static uint64_t journal_count(Fixture *fixture) {
    uint64_t count = 0;
    CHECK_OK(tx_count(fixture_tx(fixture, NULL), &JournalRow_schema, &(Query){}, &count));
    return count;
}

static Sealer *sealer_of(Fixture *fixture, const JwsKey *key) {
    Sealer *sealer = NULL;
    const SealerOptions options = {.db = fixture->db, .key = key, .clock = clock_system()};
    CHECK_OK(sealer_open(&options, &sealer));
    db_watch(fixture->db, (NoteWatch){woken, sealer});
    return sealer;
}

static void sealer_end(Fixture *fixture, Sealer *sealer) {
    db_watch(fixture->db, (NoteWatch){});
    sealer_close(sealer);
}

TEST_BOTH(what_waits_is_sealed_at_the_start_and_what_comes_soon_after) {
    JwsKey key;
    CHECK(sodium_init() >= 0);
    jws_key_make(&key);
    Id org = id_new(S("org"), 1);
    CHECK_OK(leave(fixture->db, &org, S("a")));
    Sealer *sealer = sealer_of(fixture, &key);
    CHECK(journal_count(fixture) == 1); // before anybody is served
    CHECK_OK(leave(fixture->db, &org, S("b")));
    uint64_t end_ms = clock_monotonic_ms() + WITHIN_MS;
    while (journal_count(fixture) < 2 && clock_monotonic_ms() < end_ms)
        sched_yield();
    CHECK(journal_count(fixture) == 2);
    CHECK_OK(leave(fixture->db, &org, S("c")));
    sealer_end(fixture, sealer);
    CHECK(journal_count(fixture) == 3); // nothing is left behind
}

typedef struct Crowd {
    Db *db;
    Id org;
    atomic_uint failures;
} Crowd;

static void *crowd_main(void *ctx) {
    Crowd *crowd = ctx;
    for (int i = 0; i < NOTES_EACH; i++)
        if (leave(crowd->db, &crowd->org, S("x")).code != OK) atomic_fetch_add(&crowd->failures, 1);
    return NULL;
}

/// One order without a gap or a double.
static void journal_check(Fixture *fixture, const Id *org, const JwsKey *key) {
    Checkpoint head;
    CHECK(journal_walk(fixture, org, key, &head) == WRITERS * NOTES_EACH);
    CHECK(head.number == WRITERS * NOTES_EACH);
}

TEST_BOTH(sixty_four_writers_and_two_sealers_leave_one_order_without_a_gap_or_a_double) {
    JwsKey key;
    CHECK(sodium_init() >= 0);
    jws_key_make(&key);
    Crowd crowd = {.db = fixture->db, .org = id_new(S("org"), 1)};
    Sealer *other = sealer_of(fixture, &key);
    Sealer *sealer = sealer_of(fixture, &key);
    pthread_t threads[WRITERS];
    for (size_t i = 0; i < WRITERS; i++)
        CHECK(pthread_create(&threads[i], NULL, crowd_main, &crowd) == 0);
    for (int i = 0; i < 20; i++) {
        CHECK_OK(sealer_flush(other)); // does not wait for the other's lease
        CHECK_OK(sealer_flush(sealer));
    }
    for (size_t i = 0; i < WRITERS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(atomic_load(&crowd.failures) == 0);
    CHECK_OK(sealer_flush(sealer));
    sealer_end(fixture, sealer);
    sealer_close(other);
    journal_check(fixture, &crowd.org, &key);
}

static Engine broken;
static const Engine *below;
static atomic_bool is_broken;
static atomic_uint attempts;

static Err broken_select(Db *db, const Select *select, RowSink sink) {
    if (!atomic_load(&is_broken)) return below->select(db, select, sink);
    atomic_fetch_add(&attempts, 1);
    return FAIL(ERR_UNAVAILABLE, "the store is away");
}

TEST(a_store_that_fails_is_tried_again_with_pauses) {
    SCOPED(fixture_close) Fixture fixture = {};
    CHECK_OK(fixture_open(&fixture, ENGINE_MEMORY));
    JwsKey key;
    CHECK(sodium_init() >= 0);
    jws_key_make(&key);
    Id org = id_new(S("org"), 1);
    below = fixture.db->engine;
    broken = *below;
    broken.select = broken_select;
    fixture.db->engine = &broken;
    Sealer *sealer = sealer_of(&fixture, &key);
    atomic_store(&is_broken, true);
    uint64_t begin_ms = clock_monotonic_ms();
    CHECK_OK(leave(fixture.db, &org, S("a")));
    while (atomic_load(&attempts) < 3 && clock_monotonic_ms() < begin_ms + WITHIN_MS)
        sched_yield();
    CHECK(atomic_load(&attempts) == 3);
    CHECK(clock_monotonic_ms() - begin_ms >= 150); // it does not spin
    CHECK_ERR(sealer_flush(sealer), ERR_UNAVAILABLE);
    atomic_store(&is_broken, false);
    CHECK_OK(sealer_flush(sealer));
    CHECK(journal_count(&fixture) == 1);
    sealer_end(&fixture, sealer);
}

TEST(a_sealer_of_a_store_that_fails_ends_nevertheless) {
    SCOPED(fixture_close) Fixture fixture = {};
    CHECK_OK(fixture_open(&fixture, ENGINE_MEMORY));
    JwsKey key;
    CHECK(sodium_init() >= 0);
    jws_key_make(&key);
    Id org = id_new(S("org"), 1);
    CHECK_OK(leave(fixture.db, &org, S("a")));
    below = fixture.db->engine;
    broken = *below;
    broken.select = broken_select;
    fixture.db->engine = &broken;
    atomic_store(&is_broken, true);
    sealer_end(&fixture, sealer_of(&fixture, &key));
    atomic_store(&is_broken, false);
    CHECK(journal_count(&fixture) == 0);
}

TEST_MAIN(CASE_BOTH(what_waits_is_sealed_at_the_start_and_what_comes_soon_after),
          CASE_BOTH(sixty_four_writers_and_two_sealers_leave_one_order_without_a_gap_or_a_double),
          CASE(a_store_that_fails_is_tried_again_with_pauses),
          CASE(a_sealer_of_a_store_that_fails_ends_nevertheless))
