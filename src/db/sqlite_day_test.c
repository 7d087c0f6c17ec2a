// SPDX-License-Identifier: Apache-2.0
/// A day of the store on a disk that is full from its nth write on, or for that write alone, for
/// every n: rows come, change and go, each with a note; the journal is sealed and cut. In the
/// evening there is room again.
///
/// MUSTER_SOAK=1: each n; else every so many, from one that TEST_SEED tells (printed on failure).
#include "db/disk_fixture.h"
#include "db/journal_fixture.h"
#include "db/sqlite.h"

#include "soak.h"
#include "test.h"

#include <errno.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    CRATES = 24,
    HOURS = 96, ///< steps of the day
    TEXT_LEN = 1500,
    NEVER = -1,
    ROUNDS_QUICK = 12, ///< for each shortage
    KEPT = 40,         ///< notes that stay, of those that are sealed
    NOTES_MAX = 256,
};

/// What the nth write meets.
typedef enum Shortage {
    FULL_FROM, ///< a disk that is full, and stays so until the evening
    FULL_ONCE, ///< one that others leave room on again at once
} Shortage;

static Disk disk;
static atomic_int writes_left = NEVER; ///< until the disk is full; NEVER: it will not be
static atomic_int writes_done;
static Shortage shortage; ///< set while the writer is idle

/// The disk is full in the moment before the nth write.
static ssize_t counted_pwrite(int fd, const void *bytes, size_t len, off_t at) {
    atomic_fetch_add(&writes_done, 1);
    bool is_hit = atomic_load(&writes_left) >= 0 && atomic_fetch_sub(&writes_left, 1) == 0;
    if (is_hit && shortage == FULL_ONCE) {
        errno = ENOSPC;
        return -1;
    }
    if (is_hit) disk_fill(&disk, 0);
    return pwrite(fd, bytes, len, at);
}

static void writes_count(bool install) {
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    static const char *const names[] = {"pwrite", "pwrite64"};
    for (size_t i = 0; i < 2; i++)
        (void)vfs->xSetSystemCall(
            vfs, names[i], install ? (sqlite3_syscall_ptr)counted_pwrite : NULL);
}

/// What was acknowledged.
typedef struct Day {
    JwsKey key;
    Id org;
    uint64_t now_ms;
    uint64_t notes;
    uint64_t noted_ms[NOTES_MAX]; ///< of each in its order, all different
    uint64_t floor;               ///< entries that were removed
    uint64_t refused;
    uint64_t rev[CRATES]; ///< 0: there is no such crate
    uint64_t size[CRATES];
    uint64_t level; ///< of the gauge
} Day;

static Str name_of(unsigned number) {
    return str_print(&disk.fixture.arena, "crate %u", number);
}

static Crate crate_at(const Day *day, unsigned number) {
    Crate crate = crate_new(&disk.fixture.arena, day->org.text, name_of(number).ptr, number + 1);
    crate.size = day->size[number];
    crate.rev = day->rev[number];
    return crate;
}

/// Collect a note of `action`, and commit.
static Err commit_noted(Day *day, Tx *tx, const char *action) {
    static const char filler[TEXT_LEN] = {[0 ... TEXT_LEN - 1] = 'x'};
    const Note note = {
        .org_id = day->org,
        .class = ENTRY_AUDIT,
        .at = {day->now_ms},
        .actor = S("somebody"),
        .action = str_from(action),
        .subject_name = { filler,   TEXT_LEN}
    };
    TRY(tx_note(tx, &note));
    TRY(tx_commit(tx, NULL));
    CHECK(day->notes < NOTES_MAX);
    day->noted_ms[day->notes++] = day->now_ms;
    return SUCCESS;
}

static Err crate_comes(Day *day, unsigned number) {
    SCOPED(tx_closep) Tx *tx = fixture_tx(&disk.fixture, day->org.text);
    Crate crate = crate_at(day, number);
    crate.size = day->now_ms;
    TRY(tx_create(tx, &Crate_schema, &crate));
    TRY(commit_noted(day, tx, "crate.create"));
    day->rev[number] = 1;
    day->size[number] = crate.size;
    return SUCCESS;
}

static Err crate_changes(Day *day, unsigned number) {
    SCOPED(tx_closep) Tx *tx = fixture_tx(&disk.fixture, day->org.text);
    Crate crate = crate_at(day, number);
    crate.size = day->now_ms;
    const Gauge gauge = {.name = S("gauge"), .yard = id_str(&day->org), .level = day->now_ms};
    TRY(tx_update(tx, &Crate_schema, &crate));
    TRY(tx_put(tx, &Gauge_schema, &gauge));
    TRY(commit_noted(day, tx, "crate.update"));
    day->rev[number]++;
    day->size[number] = crate.size;
    day->level = gauge.level;
    return SUCCESS;
}

static Err crate_goes(Day *day, unsigned number) {
    SCOPED(tx_closep) Tx *tx = fixture_tx(&disk.fixture, day->org.text);
    const Crate crate = crate_at(day, number);
    TRY(tx_delete(tx, &Crate_schema, &crate));
    TRY(commit_noted(day, tx, "crate.delete"));
    day->rev[number] = 0;
    return SUCCESS;
}

static Err seal_all(Day *day) {
    SealResult sealed = {.more = true};
    while (sealed.more)
        TRY(journal_seal(
            disk.fixture.db, &(SealBy){&day->key, S("me"), false}, day->now_ms, &sealed));
    return SUCCESS;
}

static Err trim(Day *day) {
    uint64_t removed;
    const JournalKeep keep = {.audit_ms = KEPT, .events_ms = KEPT};
    return journal_trim(disk.fixture.db, &day->key, &keep, day->now_ms, &removed);
}

/// The next step of the day. What goes is let go however full the disk is.
static void hour(Day *day, unsigned number) {
    Err err;
    unsigned crate = number * 7 % CRATES;
    day->now_ms++;
    arena_reset(&disk.fixture.arena);
    if (number % 8 == 5)
        err = seal_all(day);
    else if (number % 24 == 23)
        CHECK_OK(err = trim(day));
    else if (day->rev[crate] == 0)
        err = crate_comes(day, crate);
    else if (number % 3 == 0)
        CHECK_OK(err = crate_goes(day, crate));
    else
        err = crate_changes(day, crate);
    CHECK(err.code == OK || err.code == ERR_FULL);
    day->refused += err.code == ERR_FULL;
}

/// The journal is proved; each note is in it once, at its place, but the oldest, which were
/// removed, and the newest, which wait. Gives those that it has had.
static uint64_t journal_compare(Day *day) {
    Checkpoint head = {};
    const uint64_t count = journal_walk(&disk.fixture, &day->org, &day->key, &head);
    CHECK(head.floor_number >= day->floor && head.floor_number + count == head.number);
    CHECK(head.number <= day->notes);
    day->floor = head.floor_number;
    Page page = {};
    SCOPED(tx_closep) Tx *tx = fixture_tx(&disk.fixture, day->org.text);
    CHECK_OK(tx_list(tx, &JournalRow_schema, &(Query){.limit = TX_PAGE_MAX}, &page));
    const JournalRow *rows = page.items;
    for (size_t i = 0; i < page.count; i++)
        CHECK(rows[i].at.ms == day->noted_ms[rows[i].number - 1]);
    return head.number;
}

/// Exactly what was acknowledged is there.
static void compare(Day *day) {
    arena_reset(&disk.fixture.arena);
    SCOPED(tx_closep) Tx *tx = fixture_tx(&disk.fixture, day->org.text);
    for (unsigned i = 0; i < CRATES; i++) {
        Crate crate;
        const Crate wanted = crate_at(day, i);
        Err err = tx_get(tx, &Crate_schema, id_str(&wanted.id), &crate);
        CHECK(err.code == (day->rev[i] ? OK : ERR_NOT_FOUND));
        if (day->rev[i]) CHECK(crate.rev == day->rev[i] && crate.size == day->size[i]);
    }
    Gauge gauge = {};
    Err err = tx_get(tx, &Gauge_schema, S("gauge"), &gauge);
    CHECK(err.code == (day->level ? OK : ERR_NOT_FOUND) && gauge.level == day->level);
    uint64_t unsealed = 0;
    CHECK_OK(tx_count(tx, &Note_schema, &(Query){}, &unsealed));
    const uint64_t sealed = unsealed < day->notes ? journal_compare(day) : 0;
    CHECK(sealed + unsealed == day->notes);
}

static void day_begin(Day *day, int writes) {
    *day = (Day){.org = id_new(S("org"), 1), .now_ms = 1000};
    jws_key_make(&day->key);
    if (!disk_open(&disk, 0)) SKIP("a file system of its own");
    // The writer is idle: nothing is submitted. So that the file itself is written, too:
    sqlite3 *handle = ((SqliteDb *)disk.fixture.db)->writer.connection.handle;
    CHECK(sqlite3_exec(handle, "PRAGMA wal_autocheckpoint = 8", NULL, NULL, NULL) == SQLITE_OK);
    atomic_store(&writes_done, 0);
    atomic_store(&writes_left, writes);
    for (unsigned i = 0; i < HOURS; i++)
        hour(day, i);
    atomic_store(&writes_left, NEVER);
    compare(day);
}

/// There is room again. The writer looks for it now and then; this time at once.
static void wakes(Day *day) {
    SCOPED(tx_closep) Tx *tx = fixture_tx(&disk.fixture, day->org.text);
    const Gauge gauge = {.name = S("gauge"), .yard = id_str(&day->org), .level = ++day->now_ms};
    if (shortage == FULL_FROM) disk_clear(&disk);
    ((SqliteDb *)disk.fixture.db)->writer.disk->tried_ms = 0; // the writer is idle
    CHECK_OK(tx_put(tx, &Gauge_schema, &gauge));
    CHECK_OK(tx_commit(tx, NULL));
    CHECK_OK(db_check(disk.fixture.db));
    day->level = gauge.level;
}

/// Everything goes on, here and after the next start.
static void evening(Day *day) {
    for (int again = 0; again < 2; again++) {
        const uint64_t refused = day->refused;
        for (unsigned i = 0; i < 16; i++)
            hour(day, HOURS + i);
        CHECK_OK(seal_all(day));
        CHECK(day->refused == refused);
        compare(day);
        disk.fixture.db = db_close(disk.fixture.db);
        CHECK_OK(disk_store_open(&disk));
        compare(day);
    }
}

/// The day with this shortage at each nth write.
static void days(Shortage what) {
    static Day day;
    CHECK(sodium_init() >= 0);
    shortage = what;
    writes_count(true);
    day_begin(&day, NEVER);
    const unsigned all = (unsigned)atomic_load(&writes_done);
    CHECK(day.refused == 0 && day.floor > 0 && all > HOURS);
    evening(&day);
    disk_close(&disk);
    const unsigned step = soak_is_whole() ? 1 : all / ROUNDS_QUICK;
    const char *given = getenv("TEST_SEED");
    unsigned nth = given ? (unsigned)strtoul(given, NULL, 10) % step : (unsigned)getpid() % step;
    for (; nth < all; nth += step) {
        fprintf(stderr, "# full at write %u of %u\n", nth, all);
        day_begin(&day, (int)nth);
        wakes(&day);
        evening(&day);
        disk_close(&disk);
    }
    writes_count(false);
}

TEST(a_disk_full_from_any_write_of_a_day_on_costs_only_what_was_refused) {
    days(FULL_FROM);
}

TEST(a_disk_full_for_any_one_write_of_a_day_costs_only_what_was_refused) {
    days(FULL_ONCE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_disk_full_from_any_write_of_a_day_on_costs_only_what_was_refused),
        CASE(a_disk_full_for_any_one_write_of_a_day_costs_only_what_was_refused),
    };
    disk_begin();
    return cmocka_run_group_tests(tests, NULL, NULL) == 0 ? 0 : 1;
}
