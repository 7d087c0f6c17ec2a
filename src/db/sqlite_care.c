// SPDX-License-Identifier: Apache-2.0
#include "db/sqlite_care.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/scope.h"

#include <time.h>

enum {
    TICK_MS = 1000,
    STEPS = 10'000, // of SQLite between two looks at whether to stop
};

/// The log cannot start anew while somebody reads what was before, so a full disk waits for
/// nothing.
static int care_must_stop(void *ctx) {
    const Care *care = ctx;
    return atomic_load(&care->is_closing) || room_is_full(care->room);
}

/// The first thing that is wrong, in SQLite's words; empty: nothing. `statement` is not run yet.
static Err care_read(const Connection *connection, sqlite3_stmt *statement, Reason *ret_damage) {
    int code = sqlite3_step(statement);
    Str word =
        code == SQLITE_ROW ? str_from((const char *)sqlite3_column_text(statement, 0)) : (Str){};
    reason_clear(ret_damage);
    if (code == SQLITE_ROW && str_eq(word, S("ok"))) return SUCCESS;
    bool is_damage =
        code == SQLITE_ROW || (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB;
    if (!is_damage) return connection_err(connection, code);
    if (word.ptr)
        reason_set(ret_damage, "%.*s", STR_FMT(word));
    else
        reason_set(ret_damage, "%s", connection_words(connection));
    return SUCCESS;
}

/// A connection of its own: no reader waits for it.
static Err care_check(Care *care, Reason *ret_damage, Reason *reason) {
    SCOPED(connection_close) Connection connection = {};
    TRY(connection_open(care->path, false, &connection, reason));
    sqlite3_progress_handler(connection.handle, STEPS, care_must_stop, care);
    SCOPED(statement_finish) sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(connection.handle, "PRAGMA quick_check(1)", -1, &statement, NULL);
    Err err = code == SQLITE_OK ? care_read(&connection, statement, ret_damage)
                                : connection_err(&connection, code);
    if (err.code != OK) reason_set(reason, "%s: %s", care->path, connection_words(&connection));
    return err;
}

/// False: it was broken off, look again later.
static bool care_look(Care *care) {
    Reason damage = {}, reason = {};
    Err err = care_check(care, &damage, &reason);
    if (err.code != OK && care_must_stop(care)) return false;
    if (err.code != OK) {
        log_event(LOG_WARN,
                  "store.check_failed",
                  F("file", care->path),
                  F("what", err.what),
                  F("why", (const char *)reason.text));
        return true;
    }
    bool is_damaged = damage.text[0] != '\0';
    atomic_store(&care->is_damaged, is_damaged);
    if (is_damaged)
        log_event(LOG_ERROR,
                  "store.damaged",
                  F("file", care->path),
                  F("what", (const char *)damage.text));
    return true;
}

/// False: it is closing.
static bool care_wait(Care *care) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += TICK_MS / 1000;
    pthread_mutex_lock(&care->mutex);
    int code = 0;
    while (!atomic_load(&care->is_closing) && code == 0)
        code = pthread_cond_timedwait(&care->change, &care->mutex, &until);
    pthread_mutex_unlock(&care->mutex);
    return !atomic_load(&care->is_closing);
}

static void care_looked(void *ctx, Err, const TxFault *) {
    Care *care = ctx;
    atomic_store(&care->is_looking, false);
}

static void *care_main(void *ctx) {
    Care *care = ctx;
    pthread_setname_np(pthread_self(), "store-care");
    uint64_t due_ms = 0;
    do {
        uint64_t now_ms = clock_monotonic_ms();
        bool is_due = now_ms >= due_ms && !room_is_full(care->room);
        if (is_due && care_look(care)) due_ms = now_ms + care->every_ms;
        // Nothing to write, but the writer looks for room first.
        if (room_is_full(care->room) && !atomic_exchange(&care->is_looking, true))
            writer_submit(care->writer, &care->look);
    } while (care_wait(care));
    return NULL;
}

Err care_open(const DbOptions *options, Writer *writer, const Room *room, Care *ret_care) {
    *ret_care =
        (Care){.every_ms = (uint64_t)options->check_every_s * 1000, .writer = writer, .room = room};
    if (options->check_every_s == 0) return SUCCESS;
    ret_care->look = (Submission){.done = care_looked, .ctx = ret_care};
    pthread_mutex_init(&ret_care->mutex, NULL);
    pthread_cond_init(&ret_care->change, NULL);
    ret_care->path = options->path;
    int code = pthread_create(&ret_care->thread, NULL, care_main, ret_care);
    if (code == 0) return SUCCESS;
    ret_care->path = NULL;
    return (Err){ERR_SYSTEM, code, "cannot start the thread that looks after the database"};
}

void care_close(Care *care) {
    if (!care->path) return;
    pthread_mutex_lock(&care->mutex);
    atomic_store(&care->is_closing, true);
    pthread_cond_signal(&care->change);
    pthread_mutex_unlock(&care->mutex);
    pthread_join(care->thread, NULL);
    pthread_cond_destroy(&care->change);
    pthread_mutex_destroy(&care->mutex);
    care->path = NULL;
}

bool care_is_damaged(const Care *care) {
    return atomic_load(&care->is_damaged);
}
