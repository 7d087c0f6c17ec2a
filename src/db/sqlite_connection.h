// SPDX-License-Identifier: Apache-2.0
/// One connection to SQLite: its settings, its prepared statements, its errors.
///
/// Not thread-safe: one owner at a time. A statement is written into `sql`, then prepared or found
/// among those prepared before.
#pragma once

#include "base/text.h"

#include <sqlite3.h>

enum {
    STATEMENTS_MAX = 128, ///< prepared ones kept per connection
    STATEMENT_SLOTS = 4,  ///< where one of them may be
    SQL_BYTES_MAX = 16 * 1024,
};

typedef struct Connection {
    sqlite3 *handle;                          ///< NULL while closed
    Text sql;                                 ///< the statement being written
    sqlite3_stmt *statements[STATEMENTS_MAX]; ///< by hash of their text; so many clashes replace
    sqlite3_stmt **kept; ///< those that are prepared once; malloc'ed, `kept_count` of them
    size_t kept_count;
} Connection;

/// Open `path` with our settings. The file is created, readable by its owner only, when `create`.
/// ERR_SYSTEM: it cannot be used. The Reason is the path and SQLite's words.
Err connection_open(const char *path, bool create, Connection *ret_connection, Reason *reason);
/// Close what is open; twice is well. Fits SCOPED.
void connection_close(Connection *connection);
/// Make the file a write-ahead log's, which stays. ERR_UNAVAILABLE: others hold it. ERR_SYSTEM.
Err connection_use_wal(Connection *connection);
/// The statement whose text is in `sql`, reset and without bindings; owned by the connection. Give
/// it to statement_reset when done. Errors as connection_err; ERR_LIMIT: the text is too long.
Err connection_prepare(Connection *connection, sqlite3_stmt **ret_statement);
/// Make room for `count` statements that are prepared once, by whose number they are found without
/// their text. ERR_MEMORY.
Err connection_keep(Connection *connection, size_t count);
/// The kept statement of this number, without bindings; NULL: it is to be prepared yet.
sqlite3_stmt *connection_kept(Connection *connection, size_t number);
/// connection_prepare, once for this number.
Err connection_prepare_kept(Connection *connection, size_t number, sqlite3_stmt **ret_statement);
/// Run one statement that yields nothing, like "COMMIT". Errors as connection_err.
Err connection_run(Connection *connection, const char *sql);
/// The Err of a result code that means failure; call it at once. ERR_EXISTS: a key or unique value
/// is taken. ERR_INVALID: another rule of the table. ERR_UNAVAILABLE: another program holds the
/// file. ERR_MEMORY. ERR_FULL. ERR_SYSTEM: EBADMSG for a damaged file or a failing read (SQLite
/// does not tell), EIO for a failing write, EACCES, or why the file cannot be opened.
Err connection_err(const Connection *connection, int code);
/// SQLite's words about the last failure, static or owned by the connection.
const char *connection_words(const Connection *connection);
/// Free a statement that is not one of the connection's own. Fits SCOPED.
void statement_finish(sqlite3_stmt **statement);
/// Let go of what a statement holds. Fits SCOPED.
void statement_reset(sqlite3_stmt **statement);
