// SPDX-License-Identifier: Apache-2.0
/// A disk that is really full: a file system of some MiB, in a mount namespace of the test's own.
#include "db/disk_fixture.h"
#include "db/sqlite.h"

#include "test.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    TEXT_LEN = 3000,
    PAGE = 4096,
    DAILY_S = 86'400,
    HEAL_TRIES = 500, // of 10 ms
};

/// What was done on a small disk.
typedef struct Yard {
    Disk disk;
    uint64_t created; ///< crates 1 to this were asked for, and those of `stored` are there
    uint64_t deleted; ///< crates 1 to this are gone
    bool stored[4096];
} Yard;

static void yard_open(Yard *yard, uint32_t check_every_s) {
    *yard = (Yard){};
    if (!disk_open(&yard->disk, check_every_s)) SKIP("a file system of its own");
}

static Crate crate_of(Yard *yard, uint64_t number) {
    Crate crate = crate_new(&yard->disk.fixture.arena, "yard", "", (unsigned)number);
    crate.name = str_print(&yard->disk.fixture.arena, "crate %llu", (unsigned long long)number);
    return crate;
}

/// A crate, and an entry that nearly fills a page.
static Err crate_add(Yard *yard) {
    static const char text[TEXT_LEN] = {[0 ... TEXT_LEN - 1] = 'x'};
    arena_reset(&yard->disk.fixture.arena);
    Crate crate = crate_of(yard, ++yard->created);
    Entry entry = {
        .yard = S("yard"), .text = {text, TEXT_LEN}
    };
    SCOPED(tx_closep) Tx *tx = fixture_tx(&yard->disk.fixture, "yard");
    TRY(tx_create(tx, &Crate_schema, &crate));
    TRY(entry_add(tx, &yard->disk.fixture.arena, &entry));
    Err err = tx_commit(tx, NULL);
    yard->stored[yard->created] = err.code == OK;
    return err;
}

/// Delete the oldest crate that is there, with a note of it.
static Err crate_take(Yard *yard) {
    do
        yard->deleted++;
    while (!yard->stored[yard->deleted] && yard->deleted < yard->created);
    arena_reset(&yard->disk.fixture.arena);
    Crate crate;
    Crate gone = crate_of(yard, yard->deleted);
    Entry entry = {.yard = S("yard"), .text = S("a crate is gone")};
    SCOPED(tx_closep) Tx *tx = fixture_tx(&yard->disk.fixture, "yard");
    TRY(tx_get(tx, &Crate_schema, id_str(&gone.id), &crate));
    TRY(tx_delete(tx, &Crate_schema, &crate));
    TRY(entry_add(tx, &yard->disk.fixture.arena, &entry));
    TRY(tx_commit(tx, NULL));
    yard->stored[yard->deleted] = false;
    return SUCCESS;
}

/// Exactly what was acknowledged is there.
static void yard_compare(Yard *yard) {
    for (uint64_t i = 1; i <= yard->created; i++) {
        arena_reset(&yard->disk.fixture.arena);
        Crate wanted = crate_of(yard, i), crate;
        SCOPED(tx_closep) Tx *tx = fixture_tx(&yard->disk.fixture, "yard");
        Err err = tx_get(tx, &Crate_schema, id_str(&wanted.id), &crate);
        CHECK(err.code == (yard->stored[i] ? OK : ERR_NOT_FOUND));
    }
}

TEST(a_full_disk_is_told_lets_deletions_through_and_heals_by_itself) {
    Yard yard;
    yard_open(&yard, DAILY_S);
    for (int i = 0; i < 200; i++)
        CHECK_OK(crate_add(&yard));
    disk_fill(&yard.disk, 0);
    Err err = SUCCESS;
    for (int i = 0; i < 2000 && err.code == OK; i++)
        err = crate_add(&yard);
    CHECK_ERR(err, ERR_FULL);
    CHECK_ERR(db_check(yard.disk.fixture.db), ERR_FULL);
    for (int i = 0; i < 150; i++)
        CHECK_OK(crate_take(&yard));
    CHECK_ERR(db_check(yard.disk.fixture.db), ERR_FULL); // they left little
    yard_compare(&yard);
    disk_clear(&yard.disk);
    disk_heals(&yard.disk);
    CHECK_OK(crate_add(&yard));
    yard_compare(&yard);
    disk_close(&yard.disk);
}

enum { DELETED_AT_ONCE = 64 };

TEST(a_store_that_has_filled_the_disk_alone_goes_on_after_deletions) {
    Yard yard;
    yard_open(&yard, 0);
    Err err = SUCCESS;
    while (err.code == OK && yard.created < 4000)
        err = crate_add(&yard);
    CHECK_ERR(err, ERR_FULL);
    CHECK(yard.created > 1000);
    disk_fill(&yard.disk, 0);
    Page page = {.count = 1};
    for (int i = 0; i < 60 && page.count > 0; i++) { // each entry fills a page
        arena_reset(&yard.disk.fixture.arena);
        SCOPED(tx_closep) Tx *tx = fixture_tx(&yard.disk.fixture, "yard");
        CHECK_OK(tx_list(tx, &Entry_schema, &(Query){.limit = DELETED_AT_ONCE}, &page));
        const Entry *entries = page.items;
        for (size_t k = 0; k < page.count; k++)
            CHECK_OK(tx_delete(tx, &Entry_schema, &entries[k]));
        CHECK_OK(tx_commit(tx, NULL));
    }
    err = crate_add(&yard);
    for (int i = 0; i < HEAL_TRIES && db_check(yard.disk.fixture.db).code != OK; i++) {
        usleep(10'000);
        err = crate_add(&yard); // nobody else looks
    }
    CHECK_OK(err);
    for (int i = 0; i < 100; i++)
        CHECK_OK(crate_add(&yard));
    yard_compare(&yard);
    disk_close(&yard.disk);
}

TEST(a_store_opens_on_a_full_disk_and_says_so) {
    Yard yard;
    yard_open(&yard, DAILY_S);
    for (int i = 0; i < 20; i++)
        CHECK_OK(crate_add(&yard));
    yard.disk.fixture.db = db_close(yard.disk.fixture.db);
    char reserve[96];
    snprintf(reserve, sizeof(reserve), "%s-reserve", yard.disk.fixture.path);
    struct stat status;
    CHECK(stat(reserve, &status) == 0 && (status.st_mode & 0777) == 0600);
    CHECK(unlink(reserve) == 0);
    disk_fill(&yard.disk, 4 << 20);
    CHECK_OK(disk_store_open(&yard.disk));
    CHECK_ERR(db_check(yard.disk.fixture.db), ERR_FULL);
    CHECK_OK(crate_take(&yard));
    disk_clear(&yard.disk);
    disk_heals(&yard.disk);
    CHECK(stat(reserve, &status) == 0 && status.st_blocks * 512 >= DISK_RESERVE_BYTES);
    yard_compare(&yard);
    disk_close(&yard.disk);
}

/// A tenth of the day that the whole storm has: the disk is full before each write in turn.
TEST(a_disk_full_at_any_write_of_a_day_costs_only_what_was_refused) {
    enum { ROUNDS = 24, MORNING = 30, AFTERNOON = 120 };
    for (unsigned round = 0; round < ROUNDS; round++) {
        Yard yard;
        uint64_t refused = 0;
        yard_open(&yard, DAILY_S);
        for (int i = 0; i < MORNING; i++)
            CHECK_OK(crate_add(&yard));
        disk_fill(&yard.disk, (uint64_t)round * 13 * PAGE);
        for (int i = 0; i < AFTERNOON; i++) {
            Err err = i % 5 == 4 ? crate_take(&yard) : crate_add(&yard);
            CHECK(err.code == OK || (err.code == ERR_FULL && i % 5 != 4));
            refused += err.code == ERR_FULL;
        }
        CHECK(refused > 0);
        yard_compare(&yard);
        disk_clear(&yard.disk);
        yard.disk.fixture.db = db_close(yard.disk.fixture.db);
        CHECK_OK(disk_store_open(&yard.disk));
        CHECK_OK(db_check(yard.disk.fixture.db));
        CHECK_OK(crate_add(&yard));
        yard_compare(&yard);
        disk_close(&yard.disk);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_full_disk_is_told_lets_deletions_through_and_heals_by_itself),
        CASE(a_store_that_has_filled_the_disk_alone_goes_on_after_deletions),
        CASE(a_store_opens_on_a_full_disk_and_says_so),
        CASE(a_disk_full_at_any_write_of_a_day_costs_only_what_was_refused),
    };
    disk_begin();
    return cmocka_run_group_tests(tests, NULL, NULL) == 0 ? 0 : 1;
}
