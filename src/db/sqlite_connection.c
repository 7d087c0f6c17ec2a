// SPDX-License-Identifier: Apache-2.0
#include "db/sqlite_connection.h"

#include "base/clock.h"
#include "base/scope.h"

#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BUSY_TIMEOUT_MS = 10'000 };

/// SQLite would create it for everyone to read. Only a new file is opened: closing a descriptor of
/// a used one would drop this process's locks on it.
static Err connection_file_create(const char *path) {
    SCOPED(fd_closep) int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno != EEXIST) return FAIL_SYS("cannot create the database file");
    return SUCCESS;
}

static Err connection_settings_apply(Connection *connection) {
    sqlite3 *handle = connection->handle;
    sqlite3_extended_result_codes(handle, 1);
    sqlite3_busy_timeout(handle, BUSY_TIMEOUT_MS);
    // A misspelt column is an error, not a text.
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    static const char *const settings[] = {
        "PRAGMA synchronous = FULL",
        "PRAGMA foreign_keys = OFF",
        "PRAGMA temp_store = MEMORY",
        "PRAGMA cache_size = -1024",           // KiB
        "PRAGMA journal_size_limit = 8388608", // a log that had to grow beyond gives that back
    };
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        int code = sqlite3_exec(handle, settings[i], NULL, NULL, NULL);
        if (code != SQLITE_OK) return connection_err(connection, code);
    }
    return SUCCESS;
}

Err connection_open(const char *path, bool create, Connection *ret_connection, Reason *reason) {
    Err err = create ? connection_file_create(path) : SUCCESS;
    if (err.code != OK) return reason_fail(reason, err, "%s", path);
    SCOPED(connection_close) Connection connection = {};
    text_init(&connection.sql, SQL_BYTES_MAX);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    int code = sqlite3_open_v2(path, &connection.handle, flags, NULL);
    err = code == SQLITE_OK ? connection_settings_apply(&connection)
                            : connection_err(&connection, code);
    if (err.code != OK)
        return reason_fail(reason, err, "%s: %s", path, connection_words(&connection));
    *ret_connection = connection;
    connection = (Connection){};
    return SUCCESS;
}

void connection_close(Connection *connection) {
    for (size_t i = 0; i < STATEMENTS_MAX; i++)
        sqlite3_finalize(connection->statements[i]);
    for (size_t i = 0; i < connection->kept_count; i++)
        sqlite3_finalize(connection->kept[i]);
    free(connection->kept);
    int code = sqlite3_close(connection->handle);
    assert(code == SQLITE_OK); // else a statement has leaked
    text_done(&connection->sql);
    *connection = (Connection){};
}

Err connection_use_wal(Connection *connection) {
    // The change of mode does not wait for other programs that open the file at the same time.
    uint64_t deadline_ms = clock_monotonic_ms() + BUSY_TIMEOUT_MS;
    for (;;) {
        text_clear(&connection->sql);
        text_add(&connection->sql, S("PRAGMA journal_mode = WAL"));
        SCOPED(statement_reset) sqlite3_stmt *statement = NULL;
        TRY(connection_prepare(connection, &statement));
        int code = sqlite3_step(statement);
        if (code == SQLITE_ROW) {
            Str mode = str_from((const char *)sqlite3_column_text(statement, 0));
            if (!str_eq(mode, S("wal")))
                return (Err){ERR_SYSTEM, ENOTSUP, "the file system cannot hold the database"};
            return SUCCESS;
        }
        if ((code & 0xff) != SQLITE_BUSY || clock_monotonic_ms() >= deadline_ms)
            return connection_err(connection, code);
        usleep(1000);
    }
}

/// FNV-1a.
static size_t connection_text_hash(Str text) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (uint8_t)text.ptr[i]) * 0x100000001b3u;
    return (size_t)(hash ^ (hash >> 32));
}

/// Prepare the statement in `sql` into an empty slot.
static Err connection_slot_fill(Connection *connection, sqlite3_stmt **slot) {
    TRY(text_check(&connection->sql));
    Str sql = text_str(&connection->sql);
    int code = sqlite3_prepare_v3(
        connection->handle, sql.ptr, (int)sql.len, SQLITE_PREPARE_PERSISTENT, slot, NULL);
    return code == SQLITE_OK ? SUCCESS : connection_err(connection, code);
}

/// Where the statement of this text is, or will be: in one of a few slots.
static sqlite3_stmt **connection_slot_find(Connection *connection, Str sql) {
    size_t first = connection_text_hash(sql);
    for (size_t i = 0; i < STATEMENT_SLOTS; i++) {
        sqlite3_stmt **slot = &connection->statements[(first + i) % STATEMENTS_MAX];
        if (!*slot || str_eq(str_from(sqlite3_sql(*slot)), sql)) return slot;
    }
    return &connection->statements[first % STATEMENTS_MAX];
}

Err connection_prepare(Connection *connection, sqlite3_stmt **ret_statement) {
    TRY(text_check(&connection->sql));
    Str sql = text_str(&connection->sql);
    sqlite3_stmt **slot = connection_slot_find(connection, sql);
    if (!*slot || !str_eq(str_from(sqlite3_sql(*slot)), sql)) {
        sqlite3_finalize(*slot);
        *slot = NULL;
        TRY(connection_slot_fill(connection, slot));
    }
    sqlite3_clear_bindings(*slot);
    *ret_statement = *slot;
    return SUCCESS;
}

Err connection_keep(Connection *connection, size_t count) {
    assert(!connection->kept);
    connection->kept = calloc(count, sizeof(sqlite3_stmt *));
    if (!connection->kept) return OUT_OF_MEMORY;
    connection->kept_count = count;
    return SUCCESS;
}

sqlite3_stmt *connection_kept(Connection *connection, size_t number) {
    assert(number < connection->kept_count);
    sqlite3_stmt *statement = connection->kept[number];
    if (statement) sqlite3_clear_bindings(statement);
    return statement;
}

Err connection_prepare_kept(Connection *connection, size_t number, sqlite3_stmt **ret_statement) {
    assert(number < connection->kept_count && !connection->kept[number]);
    TRY(connection_slot_fill(connection, &connection->kept[number]));
    *ret_statement = connection->kept[number];
    return SUCCESS;
}

Err connection_run(Connection *connection, const char *sql) {
    text_clear(&connection->sql);
    text_add(&connection->sql, str_from(sql));
    SCOPED(statement_reset) sqlite3_stmt *statement = NULL;
    TRY(connection_prepare(connection, &statement));
    int code = sqlite3_step(statement);
    return code == SQLITE_DONE ? SUCCESS : connection_err(connection, code);
}

const char *connection_words(const Connection *connection) {
    return sqlite3_errmsg(connection->handle);
}

void statement_finish(sqlite3_stmt **statement) {
    sqlite3_finalize(*statement);
}

void statement_reset(sqlite3_stmt **statement) {
    if (*statement) sqlite3_reset(*statement);
}

static Err connection_open_err(const Connection *connection) {
    int sys = sqlite3_system_errno(connection->handle);
    return (Err){ERR_SYSTEM, sys != 0 ? sys : ENOENT, "cannot open the database file"};
}

/// SQLite does not keep the errno of a failing write, so `sys` is what errno was right after it.
static Err connection_io_err(int sys) {
    if (err_sys(sys, "").code == ERR_FULL) return FAIL(ERR_FULL, "the disk is full");
    return (Err){ERR_SYSTEM, EIO, "the database file cannot be read or written"};
}

Err connection_err(const Connection *connection, int code) {
    int sys = errno;
    switch (code & 0xff) {
    case SQLITE_CONSTRAINT:
        if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY)
            return FAIL(ERR_EXISTS, "something with this key or name is there already");
        return FAIL(ERR_INVALID, "the record breaks a rule of its table");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return FAIL(ERR_UNAVAILABLE, "another program holds the database");
    case SQLITE_FULL:
        return FAIL(ERR_FULL, "the disk is full");
    case SQLITE_NOMEM:
        return OUT_OF_MEMORY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return (Err){ERR_SYSTEM, EBADMSG, "the database file is damaged or cannot be read"};
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return (Err){ERR_SYSTEM, EACCES, "the database file cannot be written"};
    case SQLITE_CANTOPEN:
        return connection_open_err(connection);
    case SQLITE_IOERR:
        return connection_io_err(sys);
    default:
        return (Err){ERR_SYSTEM, EIO, "the database refuses a statement"};
    }
}
