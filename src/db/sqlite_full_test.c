// SPDX-License-Identifier: Apache-2.0
/// A disk that is really full: a file system of some MiB, in a mount namespace of the test's own.
#include "db/db_fixture.h"
#include "db/sqlite.h"

#include "test.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    DISK_BYTES = 24 << 20,
    RESERVE_BYTES = 8 << 20,
    TEXT_LEN = 3000,
    PAGE = 4096,
    DAILY_S = 86'400,
    HEAL_TRIES = 500, // of 10 ms
};

static bool has_mounts; ///< this process may mount what it likes

static bool mounts_begin(void) {
    if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/// A small disk with an open store on it.
typedef struct Disk {
    Fixture fixture;
    char filler[80];
    uint64_t created; ///< crates 1 to this were asked for, and those of `stored` are there
    uint64_t deleted; ///< crates 1 to this are gone
    bool stored[4096];
} Disk;

static DbOptions disk_options(const Disk *disk, uint32_t check_every_s) {
    DbOptions options = fixture_options(&disk->fixture);
    options.reserve_bytes = RESERVE_BYTES;
    options.check_every_s = check_every_s;
    return options;
}

static void disk_open(Disk *disk, uint32_t check_every_s) {
    char size[32];
    *disk = (Disk){};
    CHECK_OK(fixture_init(&disk->fixture));
    snprintf(size, sizeof(size), "size=%d", DISK_BYTES);
    if (!has_mounts || mount("tmpfs", disk->fixture.folder, "tmpfs", 0, size) != 0) {
        fixture_close(&disk->fixture);
        SKIP("a file system of its own");
    }
    snprintf(disk->filler, sizeof(disk->filler), "%s/filler", disk->fixture.folder);
    DbOptions options = disk_options(disk, check_every_s);
    CHECK_OK(db_open_sqlite(&options, &disk->fixture.db, NULL));
}

static void disk_close(Disk *disk) {
    disk->fixture.db = db_close(disk->fixture.db);
    CHECK(umount(disk->fixture.folder) == 0);
    fixture_close(&disk->fixture);
}

/// Let others take all but `left` bytes.
static void disk_fill(const Disk *disk, uint64_t left) {
    struct statvfs status;
    CHECK(statvfs(disk->fixture.folder, &status) == 0);
    uint64_t free_bytes = (uint64_t)status.f_bavail * status.f_frsize;
    int fd = open(disk->filler, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    if (free_bytes > left) CHECK(posix_fallocate(fd, 0, (off_t)(free_bytes - left)) == 0);
    close(fd);
}

static Crate disk_crate(Disk *disk, uint64_t number) {
    Crate crate = crate_new(&disk->fixture.arena, "yard", "", (unsigned)number);
    crate.name = str_print(&disk->fixture.arena, "crate %llu", (unsigned long long)number);
    return crate;
}

/// A crate, and an entry that nearly fills a page.
static Err crate_add(Disk *disk) {
    static const char text[TEXT_LEN] = {[0 ... TEXT_LEN - 1] = 'x'};
    arena_reset(&disk->fixture.arena);
    Crate crate = disk_crate(disk, ++disk->created);
    Entry entry = {
        .yard = S("yard"), .text = {text, TEXT_LEN}
    };
    SCOPED(tx_closep) Tx *tx = fixture_tx(&disk->fixture, "yard");
    TRY(tx_create(tx, &Crate_schema, &crate));
    TRY(entry_add(tx, &disk->fixture.arena, &entry));
    Err err = tx_commit(tx, NULL);
    disk->stored[disk->created] = err.code == OK;
    return err;
}

/// Delete the oldest crate that is there, with a note of it.
static Err crate_take(Disk *disk) {
    do
        disk->deleted++;
    while (!disk->stored[disk->deleted] && disk->deleted < disk->created);
    arena_reset(&disk->fixture.arena);
    Crate crate;
    Crate gone = disk_crate(disk, disk->deleted);
    Entry entry = {.yard = S("yard"), .text = S("a crate is gone")};
    SCOPED(tx_closep) Tx *tx = fixture_tx(&disk->fixture, "yard");
    TRY(tx_get(tx, &Crate_schema, id_str(&gone.id), &crate));
    TRY(tx_delete(tx, &Crate_schema, &crate));
    TRY(entry_add(tx, &disk->fixture.arena, &entry));
    TRY(tx_commit(tx, NULL));
    disk->stored[disk->deleted] = false;
    return SUCCESS;
}

/// Exactly what was acknowledged is there.
static void disk_compare(Disk *disk) {
    for (uint64_t i = 1; i <= disk->created; i++) {
        arena_reset(&disk->fixture.arena);
        Crate wanted = disk_crate(disk, i), crate;
        SCOPED(tx_closep) Tx *tx = fixture_tx(&disk->fixture, "yard");
        Err err = tx_get(tx, &Crate_schema, id_str(&wanted.id), &crate);
        CHECK(err.code == (disk->stored[i] ? OK : ERR_NOT_FOUND));
    }
}

/// Wait until the store says that it can serve, without a write that would show it.
static void disk_heals(Disk *disk) {
    int tries = 0;
    while (db_check(disk->fixture.db).code == ERR_FULL && tries++ < HEAL_TRIES)
        usleep(10'000);
    CHECK_OK(db_check(disk->fixture.db));
}

TEST(a_full_disk_is_told_lets_deletions_through_and_heals_by_itself) {
    Disk disk;
    disk_open(&disk, DAILY_S);
    for (int i = 0; i < 200; i++)
        CHECK_OK(crate_add(&disk));
    disk_fill(&disk, 0);
    Err err = SUCCESS;
    for (int i = 0; i < 2000 && err.code == OK; i++)
        err = crate_add(&disk);
    CHECK_ERR(err, ERR_FULL);
    CHECK_ERR(db_check(disk.fixture.db), ERR_FULL);
    for (int i = 0; i < 150; i++)
        CHECK_OK(crate_take(&disk));
    CHECK_ERR(db_check(disk.fixture.db), ERR_FULL); // they left little
    disk_compare(&disk);
    CHECK(unlink(disk.filler) == 0);
    disk_heals(&disk);
    CHECK_OK(crate_add(&disk));
    disk_compare(&disk);
    disk_close(&disk);
}

enum { DELETED_AT_ONCE = 64 };

TEST(a_store_that_has_filled_the_disk_alone_goes_on_after_deletions) {
    Disk disk;
    disk_open(&disk, 0);
    Err err = SUCCESS;
    while (err.code == OK && disk.created < 4000)
        err = crate_add(&disk);
    CHECK_ERR(err, ERR_FULL);
    CHECK(disk.created > 1000);
    disk_fill(&disk, 0);
    Page page = {.count = 1};
    for (int i = 0; i < 60 && page.count > 0; i++) { // each entry fills a page
        arena_reset(&disk.fixture.arena);
        SCOPED(tx_closep) Tx *tx = fixture_tx(&disk.fixture, "yard");
        CHECK_OK(tx_list(tx, &Entry_schema, &(Query){.limit = DELETED_AT_ONCE}, &page));
        const Entry *entries = page.items;
        for (size_t k = 0; k < page.count; k++)
            CHECK_OK(tx_delete(tx, &Entry_schema, &entries[k]));
        CHECK_OK(tx_commit(tx, NULL));
    }
    err = crate_add(&disk);
    for (int i = 0; i < HEAL_TRIES && db_check(disk.fixture.db).code != OK; i++) {
        usleep(10'000);
        err = crate_add(&disk); // nobody else looks
    }
    CHECK_OK(err);
    for (int i = 0; i < 100; i++)
        CHECK_OK(crate_add(&disk));
    disk_compare(&disk);
    disk_close(&disk);
}

TEST(a_store_opens_on_a_full_disk_and_says_so) {
    Disk disk;
    disk_open(&disk, DAILY_S);
    for (int i = 0; i < 20; i++)
        CHECK_OK(crate_add(&disk));
    disk.fixture.db = db_close(disk.fixture.db);
    char reserve[96];
    snprintf(reserve, sizeof(reserve), "%s-reserve", disk.fixture.path);
    struct stat status;
    CHECK(stat(reserve, &status) == 0 && (status.st_mode & 0777) == 0600);
    CHECK(unlink(reserve) == 0);
    disk_fill(&disk, 4 << 20);
    DbOptions options = disk_options(&disk, DAILY_S);
    CHECK_OK(db_open_sqlite(&options, &disk.fixture.db, NULL));
    CHECK_ERR(db_check(disk.fixture.db), ERR_FULL);
    CHECK_OK(crate_take(&disk));
    CHECK(unlink(disk.filler) == 0);
    disk_heals(&disk);
    CHECK(stat(reserve, &status) == 0 && status.st_blocks * 512 >= RESERVE_BYTES);
    disk_compare(&disk);
    disk_close(&disk);
}

/// A tenth of the day that the whole storm has: the disk is full before each write in turn.
TEST(a_disk_full_at_any_write_of_a_day_costs_only_what_was_refused) {
    enum { ROUNDS = 24, MORNING = 30, AFTERNOON = 120 };
    for (unsigned round = 0; round < ROUNDS; round++) {
        Disk disk;
        uint64_t refused = 0;
        disk_open(&disk, DAILY_S);
        for (int i = 0; i < MORNING; i++)
            CHECK_OK(crate_add(&disk));
        disk_fill(&disk, (uint64_t)round * 13 * PAGE);
        for (int i = 0; i < AFTERNOON; i++) {
            Err err = i % 5 == 4 ? crate_take(&disk) : crate_add(&disk);
            CHECK(err.code == OK || (err.code == ERR_FULL && i % 5 != 4));
            refused += err.code == ERR_FULL;
        }
        CHECK(refused > 0);
        disk_compare(&disk);
        CHECK(unlink(disk.filler) == 0);
        disk.fixture.db = db_close(disk.fixture.db);
        DbOptions options = disk_options(&disk, DAILY_S);
        CHECK_OK(db_open_sqlite(&options, &disk.fixture.db, NULL));
        CHECK_OK(db_check(disk.fixture.db));
        CHECK_OK(crate_add(&disk));
        disk_compare(&disk);
        disk_close(&disk);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_full_disk_is_told_lets_deletions_through_and_heals_by_itself),
        CASE(a_store_that_has_filled_the_disk_alone_goes_on_after_deletions),
        CASE(a_store_opens_on_a_full_disk_and_says_so),
        CASE(a_disk_full_at_any_write_of_a_day_costs_only_what_was_refused),
    };
    has_mounts = mounts_begin();
    return cmocka_run_group_tests(tests, NULL, NULL) == 0 ? 0 : 1;
}
