// SPDX-License-Identifier: Apache-2.0
/// Durable commits a second through a Tx, beside a bare loop of write and fdatasync.
///
/// usage: db_commit_bench [FOLDER]   (on the disk to be measured; default: the current one)
///
/// The loop appends one WAL frame's bytes and waits for the disk: what a store that commits one
/// by one can reach at best. Commits on the store share a sync, so they may exceed it: those of
/// threads that each wait for their own, and those of a few threads that wait for none
/// (tx_commit_then, so many under way in all).
#include "base/clock.h"
#include "base/scope.h"
#include "db/db.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { RUN_MS = 2000, FRAME_BYTES = 24 + 4096, THREADS_MAX = 64, FEW_THREADS = 4 };

typedef struct Item {
    Id id;
    uint64_t rev;
} Item;
static const Field Item_fields[] = {
    FIELD(Item, id, KEY, "key"),
    FIELD(Item, rev, REV, "revision"),
};
static const Schema Item_schema = SCHEMA(Item, "item", "a row to write");

typedef struct Lane {
    Db *db;
    uint64_t until_ms; ///< monotonic
    uint64_t commits;
    Err err;
} Lane;

static Err item_create(Db *db, Arena *arena) {
    Tx *tx = NULL;
    Item item = {.id = id_new(S("item"), 1)};
    arena_reset(arena);
    TRY(tx_open_all(db, arena, &tx));
    TRY(tx_create(tx, &Item_schema, &item));
    return tx_commit(tx, NULL);
}

static void *lane_main(void *ctx) {
    Lane *lane = ctx;
    Arena arena;
    arena_init(&arena, 1 << 20);
    while (lane->err.code == OK && clock_monotonic_ms() < lane->until_ms) {
        lane->err = item_create(lane->db, &arena);
        if (lane->err.code == OK) lane->commits++;
    }
    arena_done(&arena);
    return NULL;
}

/// One commit under way; when it has ended, its lane may use it again.
typedef struct Slot {
    Arena arena;
    struct Flight *flight;
    struct Slot *next;
} Slot;

/// A lane that waits for no commit, only for a slot.
typedef struct Flight {
    Lane lane;
    size_t slot_count;
    pthread_mutex_t mutex; ///< guards what follows
    pthread_cond_t freed;
    Slot *free;
    size_t free_count;
} Flight;

static void flight_slot_free(Slot *slot, Err err) {
    Flight *flight = slot->flight;
    pthread_mutex_lock(&flight->mutex);
    if (err.code == OK)
        flight->lane.commits++;
    else
        flight->lane.err = err;
    slot->next = flight->free;
    flight->free = slot;
    flight->free_count++;
    pthread_cond_signal(&flight->freed);
    pthread_mutex_unlock(&flight->mutex);
}

static void flight_done(void *ctx, Err err, const TxFault *) {
    flight_slot_free(ctx, err);
}

static Slot *flight_slot_take(Flight *flight, size_t free_min) {
    pthread_mutex_lock(&flight->mutex);
    while (flight->free_count < free_min)
        pthread_cond_wait(&flight->freed, &flight->mutex);
    Slot *slot = flight->free;
    flight->free = slot->next;
    flight->free_count--;
    pthread_mutex_unlock(&flight->mutex);
    return slot;
}

static Err item_create_then(Db *db, Slot *slot) {
    Tx *tx = NULL;
    Item item = {.id = id_new(S("item"), 1)};
    arena_reset(&slot->arena);
    TRY(tx_open_all(db, &slot->arena, &tx));
    TRY(tx_create(tx, &Item_schema, &item));
    tx_commit_then(tx, flight_done, slot);
    return SUCCESS;
}

static void *flight_main(void *ctx) {
    Flight *flight = ctx;
    Slot *slots = calloc(flight->slot_count, sizeof(Slot));
    if (!slots) abort();
    for (size_t i = 0; i < flight->slot_count; i++) {
        arena_init(&slots[i].arena, 1 << 20);
        slots[i].flight = flight;
        slots[i].next = flight->free;
        flight->free = &slots[i];
    }
    flight->free_count = flight->slot_count;
    while (clock_monotonic_ms() < flight->lane.until_ms) {
        Slot *slot = flight_slot_take(flight, 1);
        Err err = item_create_then(flight->lane.db, slot);
        if (err.code != OK) flight_slot_free(slot, err);
    }
    (void)flight_slot_take(flight, flight->slot_count); // all have ended
    for (size_t i = 0; i < flight->slot_count; i++)
        arena_done(&slots[i].arena);
    free(slots);
    return NULL;
}

/// Commits a second of `threads` at once that keep `under_way` among them.
static Err flight_rate(Db *db, size_t threads, size_t under_way, double *ret_rate) {
    Flight flights[THREADS_MAX];
    pthread_t ids[THREADS_MAX];
    uint64_t until_ms = clock_monotonic_ms() + RUN_MS;
    for (size_t i = 0; i < threads; i++) {
        flights[i] = (Flight){
            .lane = {.db = db, .until_ms = until_ms},
              .slot_count = under_way / threads
        };
        pthread_mutex_init(&flights[i].mutex, NULL);
        pthread_cond_init(&flights[i].freed, NULL);
        if (pthread_create(&ids[i], NULL, flight_main, &flights[i]) != 0)
            return FAIL(ERR_LIMIT, "too few threads");
    }
    uint64_t commits = 0;
    Err err = SUCCESS;
    for (size_t i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
        commits += flights[i].lane.commits;
        if (flights[i].lane.err.code != OK) err = flights[i].lane.err;
    }
    TRY(err);
    *ret_rate = (double)commits * 1000 / RUN_MS;
    return SUCCESS;
}

/// Commits a second of `threads` at once.
static Err store_rate(Db *db, size_t threads, double *ret_rate) {
    Lane lanes[THREADS_MAX];
    pthread_t ids[THREADS_MAX];
    uint64_t until_ms = clock_monotonic_ms() + RUN_MS;
    size_t started = 0;
    for (; started < threads; started++) {
        lanes[started] = (Lane){.db = db, .until_ms = until_ms};
        if (pthread_create(&ids[started], NULL, lane_main, &lanes[started]) != 0) break;
    }
    uint64_t commits = 0;
    Err err = started == threads ? SUCCESS : FAIL(ERR_LIMIT, "too few threads");
    for (size_t i = 0; i < started; i++) {
        pthread_join(ids[i], NULL);
        commits += lanes[i].commits;
        if (lanes[i].err.code != OK) err = lanes[i].err;
    }
    TRY(err);
    *ret_rate = (double)commits * 1000 / RUN_MS;
    return SUCCESS;
}

/// Bare appends with fdatasync a second.
static Err bare_rate(const char *path, double *ret_rate) {
    static const char frame[FRAME_BYTES];
    SCOPED(fd_closep) int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return FAIL_SYS("cannot create a file");
    // Like the log, the file has its length already.
    for (size_t i = 0; i < 1000; i++)
        if (write(fd, frame, sizeof(frame)) != sizeof(frame)) return FAIL_SYS("cannot write");
    if (fsync(fd) != 0) return FAIL_SYS("cannot sync");
    uint64_t until_ms = clock_monotonic_ms() + RUN_MS;
    uint64_t count = 0;
    for (; clock_monotonic_ms() < until_ms; count++) {
        off_t at = (off_t)(count % 1000) * FRAME_BYTES;
        if (pwrite(fd, frame, sizeof(frame), at) != sizeof(frame)) return FAIL_SYS("cannot write");
        if (fdatasync(fd) != 0) return FAIL_SYS("cannot sync");
    }
    *ret_rate = (double)count * 1000 / RUN_MS;
    return SUCCESS;
}

static Err bench(void) {
    static const Migration migration = {
        1,
        "start",
        .sql = "CREATE TABLE item (id TEXT PRIMARY KEY, rev INTEGER) STRICT, WITHOUT ROWID"};
    static const Schema *const schemas[] = {&Item_schema};
    static const size_t threads[] = {1, FEW_THREADS, THREADS_MAX};
    double bare = 0;
    TRY(bare_rate("bare.bin", &bare));
    printf("bare write+fdatasync   %8.0f/s\n", bare);
    Db *db = NULL;
    TRY(db_open_sqlite(&(DbOptions){.path = "bench.db",
                                    .migrations = &migration,
                                    .migration_count = 1,
                                    .schemas = schemas,
                                    .schema_count = 1,
                                    .readers = 1},
                       &db,
                       NULL));
    Err err = SUCCESS;
    for (size_t i = 0; i < sizeof(threads) / sizeof(threads[0]) && err.code == OK; i++) {
        double rate = 0;
        err = store_rate(db, threads[i], &rate);
        if (err.code == OK)
            printf(
                "tx_commit, %2zu threads  %8.0f/s  %5.2f of bare\n", threads[i], rate, rate / bare);
    }
    static const size_t under_way[] = {64, 512, 4096};
    for (size_t i = 0; i < sizeof(under_way) / sizeof(under_way[0]) && err.code == OK; i++) {
        double rate = 0;
        err = flight_rate(db, FEW_THREADS, under_way[i], &rate);
        if (err.code == OK)
            printf("tx_commit_then, %d threads, %4zu under way %8.0f/s  %5.2f of bare\n",
                   FEW_THREADS,
                   under_way[i],
                   rate,
                   rate / bare);
    }
    db_close(db);
    return err;
}

int main(int count, char **arguments) {
    char folder[4096];
    snprintf(folder, sizeof(folder), "%s/bench.XXXXXX", count > 1 ? arguments[1] : ".");
    if (!mkdtemp(folder) || chdir(folder) != 0) {
        perror(folder);
        return 1;
    }
    Err err = bench();
    static const char *const files[] = {"bare.bin", "bench.db", "bench.db-wal", "bench.db-shm"};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        (void)unlink(files[i]);
    if (chdir("..") != 0 || rmdir(folder) != 0) perror(folder);
    if (err.code != OK) fprintf(stderr, "%s (errno %d)\n", err.what, err.sys);
    return err.code == OK ? 0 : 1;
}
