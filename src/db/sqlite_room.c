// SPDX-License-Identifier: Apache-2.0
#include "db/sqlite_room.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/scope.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    RETRY_MS = 200,
    PAGE_BYTES = 4096,
    BLOCK_BYTES = 512, // of st_blocks
    FREE_PART = 4,     // of the reserve: what deletions may take, and what must be free beside it
};
static const uint64_t pages_unbounded = 0xfffffffe; // SQLite's own bound

/// Some room beside a new reserve, or the disk is full again at once.
static bool room_is_ample(int fd, uint64_t bytes) {
    struct statvfs status;
    return fstatvfs(fd, &status) != 0 || (uint64_t)status.f_bavail * status.f_frsize >= bytes;
}

static Err room_fill(int fd, uint64_t bytes) {
    struct stat status;
    if (fstat(fd, &status) != 0) return FAIL_SYS("cannot look at");
    if ((uint64_t)status.st_blocks * BLOCK_BYTES >= bytes) return SUCCESS;
    int error = posix_fallocate(fd, 0, (off_t)bytes);
    if (error != 0) return err_sys(error, "cannot hold room back");
    return room_is_ample(fd, bytes / FREE_PART) ? SUCCESS : FAIL(ERR_FULL, "the disk is full");
}

static Err room_reserve(const Room *room) {
    SCOPED(fd_closep)
    int fd = open(room->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    Err err = fd < 0 ? FAIL_SYS("cannot open") : room_fill(fd, room->bytes);
    if (err.code == ERR_FULL) (void)unlink(room->path);
    return err;
}

Err room_open(const DbOptions *options, Room *ret_room, Reason *reason) {
    *ret_room = (Room){.bytes = options->reserve_bytes};
    if (options->reserve_bytes == 0) return SUCCESS;
    Room room = {.bytes = options->reserve_bytes};
    if (asprintf(&room.path, "%s-reserve", options->path) < 0) return OUT_OF_MEMORY;
    Err err = room_reserve(&room);
    if (err.code == OK || err.code == ERR_FULL) {
        ret_room->path = room.path;
        atomic_store(&ret_room->is_full, err.code == ERR_FULL);
        return SUCCESS;
    }
    (void)reason_fail(reason, err, "%s", room.path);
    free(room.path);
    return err;
}

void room_close(Room *room) {
    free(room->path);
    room->path = NULL;
}

bool room_has_reserve(const Room *room) {
    return room->path && !room_is_full(room);
}

bool room_is_full(const Room *room) {
    return atomic_load(&room->is_full);
}

/// What a pragma says, a number.
static uint64_t room_number(const Connection *connection, const char *pragma) {
    SCOPED(statement_finish) sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(connection->handle, pragma, -1, &statement, NULL);
    if (code != SQLITE_OK || sqlite3_step(statement) != SQLITE_ROW) return 0;
    return (uint64_t)sqlite3_column_int64(statement, 0);
}

static uint64_t room_pages(const Connection *connection) {
    return room_number(connection, "PRAGMA page_count");
}

/// Deletions have left as much room within the file as the reserve would hold beside it.
static bool room_is_inside(const Room *room, const Connection *connection) {
    return room_number(connection, "PRAGMA freelist_count") * PAGE_BYTES >= room->bytes;
}

static void room_pages_max(Connection *connection, uint64_t pages) {
    char sql[64];
    snprintf(sql, sizeof(sql), "PRAGMA max_page_count = %llu", (unsigned long long)pages);
    (void)sqlite3_exec(connection->handle, sql, NULL, NULL, NULL);
}

bool room_give_back(Room *room, Connection *connection) {
    if (!room_has_reserve(room)) return false;
    (void)unlink(room->path);
    room->pages = room_pages(connection);
    room->tried_ms = clock_monotonic_ms();
    atomic_store(&room->is_full, true);
    log_event(LOG_ERROR, "store.full", F("file", sqlite3_db_filename(connection->handle, "main")));
    return true;
}

void room_bound(Room *room, Connection *connection, bool frees) {
    // What the log has goes into the file, so that it starts anew and need not grow.
    (void)sqlite3_wal_checkpoint_v2(
        connection->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    if (room->pages == 0) room->pages = room_pages(connection); // it was full at the start
    uint64_t more = frees ? room->bytes / FREE_PART / PAGE_BYTES : 0;
    room_pages_max(connection, room->pages + more);
}

void room_heal(Room *room, Connection *connection) {
    uint64_t now_ms = clock_monotonic_ms();
    if (!room_is_full(room) || now_ms - room->tried_ms < RETRY_MS) return;
    room->tried_ms = now_ms;
    if (room_reserve(room).code != OK && !room_is_inside(room, connection)) return;
    room_pages_max(connection, pages_unbounded);
    room->pages = 0;
    atomic_store(&room->is_full, false);
    log_event(
        LOG_WARN, "store.has_room", F("file", sqlite3_db_filename(connection->handle, "main")));
}
