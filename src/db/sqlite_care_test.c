// SPDX-License-Identifier: Apache-2.0
/// A damaged page is found without anybody reading it, and in nobody's way.
#include "db/db_fixture.h"
#include "db/sqlite.h"

#include "test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096, TRIES = 1000, CRATES = 300 };

/// A store with some pages of crates, closed.
static void prepare(Fixture *fixture) {
    CHECK_OK(fixture_open(fixture, ENGINE_SQLITE));
    for (unsigned i = 1; i <= CRATES; i++) {
        char name[16];
        snprintf(name, sizeof(name), "crate %u", i);
        Crate crate = crate_new(&fixture->arena, "yard", name, i);
        CHECK_OK(crate_create(fixture->db, &crate));
    }
    fixture->db = db_close(fixture->db);
}

/// A page that is a leaf of a table without row ids: those are the crates.
static off_t leaf_find(int fd) {
    enum { LEAF_OF_INDEX = 0x0a };
    struct stat status;
    CHECK(fstat(fd, &status) == 0);
    for (off_t at = status.st_size - PAGE; at > 0; at -= PAGE) {
        uint8_t kind = 0;
        CHECK(pread(fd, &kind, 1, at) == 1);
        if (kind == LEAF_OF_INDEX) return at;
    }
    CHECK(false);
    return 0;
}

/// Put `bytes` into the page, and give what was there.
static void page_swap(const char *path, uint8_t bytes[PAGE]) {
    uint8_t before[PAGE];
    int fd = open(path, O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0);
    static off_t at; // the same one when it is put back
    if (at == 0) at = leaf_find(fd);
    CHECK(pread(fd, before, PAGE, at) == PAGE && pwrite(fd, bytes, PAGE, at) == PAGE);
    memcpy(bytes, before, PAGE);
    close(fd);
}

/// Wait until the store's own word is this one.
static void word_await(Db *db, ErrCode code) {
    int tries = 0;
    while (db_check(db).code != code && tries++ < TRIES)
        usleep(10'000);
    CHECK_ERR(db_check(db), code);
}

TEST(a_damaged_page_is_found_at_the_start_and_a_mended_one_later) {
    SCOPED(fixture_close) Fixture fixture = {};
    uint8_t page[PAGE];
    memset(page, 0xa5, sizeof(page));
    prepare(&fixture);
    page_swap(fixture.path, page);
    DbOptions options = fixture_options(&fixture);
    options.check_every_s = 1;
    CHECK_OK(db_open_sqlite(&options, &fixture.db, NULL));
    word_await(fixture.db, ERR_SYSTEM);
    CHECK(db_check(fixture.db).sys == EBADMSG);
    page_swap(fixture.path, page);
    word_await(fixture.db, OK);
}

TEST(damage_that_comes_later_is_found_by_a_later_look) {
    SCOPED(fixture_close) Fixture fixture = {};
    uint8_t page[PAGE];
    memset(page, 0x5a, sizeof(page));
    prepare(&fixture);
    DbOptions options = fixture_options(&fixture);
    options.check_every_s = 1;
    CHECK_OK(db_open_sqlite(&options, &fixture.db, NULL));
    CHECK_OK(db_check(fixture.db));
    page_swap(fixture.path, page);
    word_await(fixture.db, ERR_SYSTEM);
}

TEST(a_store_that_is_closed_at_once_does_not_wait_for_the_look) {
    for (int round = 0; round < 20; round++) {
        SCOPED(fixture_close) Fixture fixture = {};
        CHECK_OK(fixture_init(&fixture));
        DbOptions options = fixture_options(&fixture);
        options.check_every_s = 86'400;
        CHECK_OK(db_open_sqlite(&options, &fixture.db, NULL));
        CHECK_OK(db_check(fixture.db));
    }
}

TEST_MAIN(CASE(a_damaged_page_is_found_at_the_start_and_a_mended_one_later),
          CASE(damage_that_comes_later_is_found_by_a_later_look),
          CASE(a_store_that_is_closed_at_once_does_not_wait_for_the_look))
