// SPDX-License-Identifier: Apache-2.0
/// Full disks, failing disks, kill -9: what was acknowledged stays, what was refused left nothing,
/// and the store works again once the fault is gone.
#include "db/db_fixture.h"
#include "db/sqlite.h"

#include "soak.h"
#include "test.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { YARDS = 3, TEXT_LEN = 3000 };

static const char *const yards[YARDS] = {"east", "north", "west"};

/// One call that must come whole: an entry of the yard's chain, and a crate for it.
static Err pair_write(Db *db, Arena *arena, const char *yard, uint64_t sequence) {
    static const char filler[TEXT_LEN] = {[0 ... TEXT_LEN - 1] = 'x'};
    arena_reset(arena);
    Tx *tx = NULL;
    Crate crate = {.id = id_new(S("crate"), 1), .yard = str_from(yard)};
    crate.name = str_print(arena, "crate %llu", (unsigned long long)sequence);
    Entry entry = {
        .yard = crate.yard, .text = {filler, TEXT_LEN}
    };
    TRY(tx_open(db, arena, crate.yard, &tx));
    TRY(tx_create(tx, &Crate_schema, &crate));
    TRY(entry_add(tx, arena, &entry));
    return tx_commit(tx, NULL);
}

/// How many calls of `yard` are stored. Fails the test where a half one is, or a gap.
static uint64_t pairs_stored(Fixture *fixture, const char *yard) {
    arena_reset(&fixture->arena);
    Tx *tx = fixture_tx(fixture, yard);
    uint64_t crates = 0;
    uint64_t entries = 0;
    CHECK_OK(tx_count(tx, &Crate_schema, &(Query){}, &crates));
    CHECK_OK(tx_count(tx, &Entry_schema, &(Query){}, &entries));
    CHECK(crates == entries);
    Entry last = {};
    Query newest = {.where = {WHERE(Entry, key, AT_LEAST, S(""))}, .descending = true};
    Err err = tx_find(tx, &newest, &last);
    CHECK(err.code == (entries > 0 ? OK : ERR_NOT_FOUND));
    CHECK(last.sequence == entries);
    Crate crate = {};
    for (uint64_t i = 1; i <= crates; i++) {
        Str name = str_print(&fixture->arena, "crate %llu", (unsigned long long)i);
        CHECK_OK(tx_find(tx, &(Query){.where = {WHERE(Crate, name, IS, name)}}, &crate));
    }
    return entries;
}

// A full disk.

static void pages_limit(Fixture *fixture, const char *pragma) {
    // The writer is idle: nothing is submitted.
    sqlite3 *handle = ((SqliteDb *)fixture->db)->writer.connection.handle;
    CHECK(sqlite3_exec(handle, pragma, NULL, NULL, NULL) == SQLITE_OK);
}

typedef struct Filler {
    Db *db;
    const char *yard;
    uint64_t written;
    Err err;
} Filler;

static void *filler_main(void *ctx) {
    Filler *filler = ctx;
    Arena arena;
    arena_init(&arena, 1 << 20);
    while (filler->err.code == OK) {
        filler->err = pair_write(filler->db, &arena, filler->yard, filler->written + 1);
        if (filler->err.code == OK) filler->written++;
    }
    arena_done(&arena);
    return NULL;
}

TEST(a_full_disk_is_an_answer_and_loses_nothing) {
    SCOPED(fixture_close) Fixture fixture = {};
    CHECK_OK(fixture_open(&fixture, ENGINE_SQLITE));
    pages_limit(&fixture, "PRAGMA max_page_count = 200");
    Filler fillers[YARDS];
    pthread_t threads[YARDS];
    for (size_t i = 0; i < YARDS; i++) {
        fillers[i] = (Filler){.db = fixture.db, .yard = yards[i]};
        CHECK(pthread_create(&threads[i], NULL, filler_main, &fillers[i]) == 0);
    }
    for (size_t i = 0; i < YARDS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    for (size_t i = 0; i < YARDS; i++) {
        CHECK_ERR(fillers[i].err, ERR_FULL);
        CHECK(pairs_stored(&fixture, yards[i]) == fillers[i].written);
    }
    CHECK(fillers[0].written + fillers[1].written + fillers[2].written > 20);
    pages_limit(&fixture, "PRAGMA max_page_count = 100000");
    CHECK_OK(pair_write(fixture.db, &fixture.arena, yards[0], fillers[0].written + 1));
    CHECK(pairs_stored(&fixture, yards[0]) == fillers[0].written + 1);
}

/// In a process of its own: the limit on the size of files cannot be told from a full disk.
static bool survives_file_limit(Fixture *fixture) {
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    if (fixture_open(fixture, ENGINE_SQLITE).code != OK) return false;
    if (getrlimit(RLIMIT_FSIZE, &limit) != 0) return false;
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = 300'000;
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return false;
    Filler filler = {.db = fixture->db, .yard = yards[0]};
    filler_main(&filler);
    if (filler.err.code != ERR_FULL) return false;
    limit.rlim_cur = before;
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return false;
    if (pair_write(fixture->db, &fixture->arena, yards[0], filler.written + 1).code != OK)
        return false;
    return pairs_stored(fixture, yards[0]) == filler.written + 1;
}

TEST(a_limit_on_the_files_size_is_a_full_disk) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        Fixture fixture = {};
        bool survives = survives_file_limit(&fixture);
        fixture_close(&fixture);
        _exit(survives ? 0 : 1);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

// A failing disk: SQLite's calls of the system are replaced by ones that fail on demand.

typedef ssize_t (*Pwrite)(int fd, const void *bytes, size_t len, off_t at);
typedef ssize_t (*Pread)(int fd, void *bytes, size_t len, off_t at);

static atomic_int calls_left; ///< until one fails; below 0: none will

static bool must_fail(void) {
    if (atomic_load(&calls_left) < 0 || atomic_fetch_sub(&calls_left, 1) != 0) return false;
    errno = EIO;
    return true;
}

static ssize_t faulty_pwrite(int fd, const void *bytes, size_t len, off_t at) {
    return must_fail() ? -1 : pwrite(fd, bytes, len, at);
}

static ssize_t faulty_pread(int fd, void *bytes, size_t len, off_t at) {
    return must_fail() ? -1 : pread(fd, bytes, len, at);
}

static void faults_install(bool install) {
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    sqlite3_syscall_ptr writer = install ? (sqlite3_syscall_ptr)faulty_pwrite : NULL;
    sqlite3_syscall_ptr reader = install ? (sqlite3_syscall_ptr)faulty_pread : NULL;
    static const char *const writers[] = {"pwrite", "pwrite64"};
    static const char *const readers[] = {"pread", "pread64"};
    for (size_t i = 0; i < 2; i++) {
        (void)vfs->xSetSystemCall(vfs, writers[i], writer);
        (void)vfs->xSetSystemCall(vfs, readers[i], reader);
    }
}

TEST(every_failing_read_or_write_of_the_disk_is_survived) {
    enum { CALLS_MAX = 400 };
    SCOPED(fixture_close) Fixture fixture = {};
    atomic_store(&calls_left, -1);
    faults_install(true);
    CHECK_OK(fixture_open(&fixture, ENGINE_SQLITE));
    pages_limit(&fixture, "PRAGMA wal_autocheckpoint = 4"); // so that the file is written, too
    uint64_t written = 0;
    size_t failures = 0;
    for (int nth = 0; nth < CALLS_MAX; nth++) {
        atomic_store(&calls_left, nth % 40);
        Err err = SUCCESS;
        for (int i = 0; i < 3 && err.code == OK; i++) {
            err = pair_write(fixture.db, &fixture.arena, yards[0], written + 1);
            if (err.code == OK) written++;
        }
        atomic_store(&calls_left, -1);
        CHECK(err.code == OK || err.code == ERR_SYSTEM);
        CHECK(err.code == OK || err.sys == EIO || err.sys == EBADMSG);
        if (err.code != OK) failures++;
        if (err.code != OK || nth % 40 == 0) CHECK(pairs_stored(&fixture, yards[0]) == written);
    }
    CHECK(failures > 20);
    fixture.db = db_close(fixture.db);
    faults_install(false);
    DbOptions options = fixture_options(&fixture);
    CHECK_OK(db_open_sqlite(&options, &fixture.db, NULL));
    CHECK(pairs_stored(&fixture, yards[0]) == written);
}

// Commits that nobody waits for.

static atomic_int syncs_left; ///< until one fails; below 0: none will

/// Stands before the C library's, also for SQLite.
__attribute__((visibility("default"))) int fdatasync(int fd) {
    if (atomic_load(&syncs_left) >= 0 && atomic_fetch_sub(&syncs_left, 1) == 0) {
        errno = EIO;
        return -1;
    }
    return fsync(fd);
}

typedef struct Ends {
    atomic_uint good, failed;
    Err err; ///< of one that failed
} Ends;

static void ends_note(void *ctx, Err err, const TxFault *) {
    Ends *ends = ctx;
    if (err.code != OK) ends->err = err;
    atomic_fetch_add(err.code == OK ? &ends->good : &ends->failed, 1);
}

/// How many submissions the writer has taken.
static uint64_t taken(Fixture *fixture) {
    WriteQueue *queue = &((SqliteDb *)fixture->db)->writer.queue;
    pthread_mutex_lock(&queue->mutex);
    uint64_t count = queue->submissions;
    pthread_mutex_unlock(&queue->mutex);
    return count;
}

/// Submit `count` crates while another holds the file: the first is a group of its own, which waits
/// for it, the others are one. Wait for their ends.
static void crates_submit(Fixture *fixture, unsigned from, unsigned count, Ends *ends) {
    SCOPED(connection_close) Connection other = {};
    CHECK_OK(connection_open(fixture->path, false, &other, NULL));
    CHECK_OK(connection_run(&other, "BEGIN IMMEDIATE"));
    const uint64_t before = taken(fixture);
    for (unsigned i = from; i < from + count; i++) {
        Tx *tx = fixture_tx(fixture, "north");
        const char *name = str_print(&fixture->arena, "crate %u", i).ptr;
        Crate crate = crate_new(&fixture->arena, "north", name, i);
        CHECK_OK(tx_create(tx, &Crate_schema, &crate));
        tx_commit_then(tx, ends_note, ends);
        while (i == from && taken(fixture) == before)
            sched_yield();
    }
    CHECK_OK(connection_run(&other, "ROLLBACK"));
    while (atomic_load(&ends->good) + atomic_load(&ends->failed) < count)
        sched_yield();
}

static uint64_t crates_stored(Fixture *fixture) {
    uint64_t count = 0;
    CHECK_OK(tx_count(fixture_tx(fixture, "north"), &Crate_schema, &(Query){}, &count));
    return count;
}

TEST(a_group_whose_sync_fails_ends_once_each_and_is_not_acknowledged) {
    enum { COUNT = 100 };
    SCOPED(fixture_close) Fixture fixture = {};
    atomic_store(&syncs_left, -1);
    CHECK_OK(fixture_open(&fixture, ENGINE_SQLITE));
    static const unsigned failed[] = {1, COUNT - 1, 0}; // where the nth sync fails
    unsigned made = 0;
    for (int nth = 0; nth < 3; nth++) {
        Ends ends = {};
        atomic_store(&syncs_left, nth);
        crates_submit(&fixture, 1 + (unsigned)nth * COUNT, COUNT, &ends);
        atomic_store(&syncs_left, -1);
        CHECK(ends.good + ends.failed == COUNT && ends.failed == failed[nth]);
        if (ends.failed) CHECK_ERR(ends.err, ERR_SYSTEM);
        made += ends.good;
        CHECK(crates_stored(&fixture) == made);
    }
    fixture.db = db_close(fixture.db);
    DbOptions options = fixture_options(&fixture);
    CHECK_OK(db_open_sqlite(&options, &fixture.db, NULL));
    CHECK(crates_stored(&fixture) == made);
}

TEST(a_group_that_a_full_disk_has_no_room_for_ends_once_each) {
    enum { COUNT = 1000 };
    SCOPED(fixture_close) Fixture fixture = {};
    CHECK_OK(fixture_open(&fixture, ENGINE_SQLITE));
    pages_limit(&fixture, "PRAGMA max_page_count = 60");
    Ends ends = {};
    crates_submit(&fixture, 1, COUNT, &ends);
    CHECK(ends.good + ends.failed == COUNT && ends.failed > 0);
    CHECK_ERR(ends.err, ERR_FULL);
    CHECK(crates_stored(&fixture) == ends.good);
}

// kill -9.

typedef struct Ack {
    uint32_t yard;
    uint64_t sequence;
} Ack;

typedef struct Worker {
    Db *db;
    uint32_t yard;
    uint64_t stored;
    int acks;
} Worker;

static void *worker_main(void *ctx) {
    Worker *worker = ctx;
    Arena arena;
    arena_init(&arena, 1 << 20);
    for (uint64_t i = worker->stored + 1;; i++) {
        Ack ack = {worker->yard, i};
        if (pair_write(worker->db, &arena, yards[worker->yard], i).code != OK) _exit(1);
        if (write(worker->acks, &ack, sizeof(ack)) != sizeof(ack)) _exit(1);
    }
    return NULL;
}

/// The child: writes and acknowledges until it is killed.
static void child_main(Fixture *fixture, int acks) {
    DbOptions options = fixture_options(fixture);
    Worker workers[YARDS];
    pthread_t threads[YARDS];
    if (db_open_sqlite(&options, &fixture->db, NULL).code != OK) _exit(1);
    for (uint32_t i = 0; i < YARDS; i++)
        workers[i] = (Worker){fixture->db, i, pairs_stored(fixture, yards[i]), acks};
    for (uint32_t i = 0; i < YARDS; i++)
        if (pthread_create(&threads[i], NULL, worker_main, &workers[i]) != 0) _exit(1);
    for (;;)
        pause();
}

/// Read acknowledgements; kill the child after `kill_after` of them, then read the rest.
static void acks_read(int acks, pid_t child, unsigned kill_after, uint64_t acked[YARDS]) {
    Ack ack;
    unsigned count = 0;
    while (read(acks, &ack, sizeof(ack)) == sizeof(ack)) {
        acked[ack.yard] = ack.sequence;
        if (++count == kill_after) CHECK(kill(child, SIGKILL) == 0);
    }
    CHECK(count >= kill_after);
}

TEST(kill_9_loses_nothing_that_was_acknowledged) {
    const unsigned rounds = soak_size(100);
    SCOPED(fixture_close) Fixture fixture = {};
    CHECK_OK(fixture_init(&fixture));
    uint64_t acked[YARDS] = {};
    for (unsigned round = 0; round < rounds; round++) {
        int acks[2];
        CHECK(pipe(acks) == 0);
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            close(acks[0]);
            child_main(&fixture, acks[1]);
        }
        close(acks[1]);
        acks_read(acks[0], child, 1 + (round * 37 + 11) % 60, acked);
        close(acks[0]);
        int status = 0;
        CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status));

        DbOptions options = fixture_options(&fixture);
        CHECK_OK(db_open_sqlite(&options, &fixture.db, NULL));
        for (size_t i = 0; i < YARDS; i++) {
            uint64_t stored = pairs_stored(&fixture, yards[i]);
            CHECK(stored >= acked[i]);
            CHECK(stored <= acked[i] + 1); // one call may have been under way
            acked[i] = stored;
        }
        fixture.db = db_close(fixture.db);
    }
}

TEST_MAIN(CASE(a_full_disk_is_an_answer_and_loses_nothing),
          CASE(a_limit_on_the_files_size_is_a_full_disk),
          CASE(every_failing_read_or_write_of_the_disk_is_survived),
          CASE(a_group_whose_sync_fails_ends_once_each_and_is_not_acknowledged),
          CASE(a_group_that_a_full_disk_has_no_room_for_ends_once_each),
          CASE(kill_9_loses_nothing_that_was_acknowledged))
