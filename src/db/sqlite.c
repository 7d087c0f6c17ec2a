// SPDX-License-Identifier: Apache-2.0
#include "db/sqlite.h"

#include "base/scope.h"
#include "db/sqlite_migrate.h"

#include <stdlib.h>

static Err sqlite_select(Db *db, const Select *select, RowSink sink) {
    return readers_select(&((SqliteDb *)db)->readers, select, sink);
}

static Err sqlite_count(Db *db, const Select *select, uint64_t *ret_count) {
    return readers_count(&((SqliteDb *)db)->readers, select, ret_count);
}

static Err sqlite_count_by(Db *db, const Select *select, size_t column, RowSink sink) {
    return readers_count_by(&((SqliteDb *)db)->readers, select, column, sink);
}

static void sqlite_apply(Db *db, Submission *submission) {
    writer_submit(&((SqliteDb *)db)->writer, submission);
}

static Err sqlite_check(Db *db) {
    SqliteDb *sqlite = (SqliteDb *)db;
    if (care_is_damaged(&sqlite->care))
        return (Err){ERR_SYSTEM, EBADMSG, "the database file is damaged"};
    if (room_is_full(&sqlite->room)) return FAIL(ERR_FULL, "the disk is full");
    return readers_check(&sqlite->readers);
}

/// Close what is there, half-opened included.
static void sqlite_parts_close(SqliteDb *sqlite) {
    care_close(&sqlite->care);
    readers_close(&sqlite->readers);
    // Last, so that closing it copies the write-ahead log into the file.
    writer_close(&sqlite->writer);
    room_close(&sqlite->room);
    db_done(&sqlite->db);
}

static void sqlite_close(Db *db) {
    sqlite_parts_close((SqliteDb *)db);
    free(db);
}

static const Engine sqlite_engine = {
    .select = sqlite_select,
    .count = sqlite_count,
    .count_by = sqlite_count_by,
    .apply = sqlite_apply,
    .check = sqlite_check,
    .close = sqlite_close,
};

/// Bring the tables up to date and compare them with the schemas.
static Err
sqlite_tables_open(Connection *connection, const DbOptions *options, const Db *db, Reason *reason) {
    TRY(migrate(connection, options, reason));
    SCOPED(text_done) Text differences = {};
    text_init(&differences, SQL_BYTES_MAX);
    TRY(tables_diff(connection, db, &differences));
    if (differences.len > 0 || differences.failed)
        return reason_fail(
            reason,
            FAIL(ERR_STATE, "the database's tables do not match this program's records"),
            "%.*s",
            STR_FMT(str_trim(text_str(&differences))));
    return SUCCESS;
}

/// Which file a failure is about: before what is known of it already, or else SQLite's words.
static Err sqlite_file_fail(const Connection *connection,
                            const DbOptions *options,
                            Err err,
                            Reason *known,
                            Reason *reason) {
    const char *words = known->text[0] ? known->text : connection_words(connection);
    return reason_fail(reason, err, "%s: %s", options->path, words);
}

static Err sqlite_open(SqliteDb *sqlite, const DbOptions *options, Reason *reason) {
    SCOPED(connection_close) Connection connection = {};
    TRY(connection_open(options->path, true, &connection, reason));
    Reason known = {};
    Err opened = connection_use_wal(&connection);
    if (opened.code == OK) opened = sqlite_tables_open(&connection, options, &sqlite->db, &known);
    if (opened.code != OK) return sqlite_file_fail(&connection, options, opened, &known, reason);
    TRY(room_open(options, &sqlite->room, reason));
    TRY(readers_open(options->path, options->readers, &sqlite->readers, reason));
    TRY(writer_open(&connection, sqlite->db.table_count, &sqlite->room, &sqlite->writer));
    return care_open(options, &sqlite->writer, &sqlite->room, &sqlite->care);
}

Err db_open_sqlite(const DbOptions *options, Db **ret_db, Reason *reason) {
    SCOPED(mem_freep) SqliteDb *sqlite = calloc(1, sizeof(*sqlite));
    if (!sqlite) return OUT_OF_MEMORY;
    TRY(db_init(&sqlite->db, &sqlite_engine, options));
    Err err = sqlite_open(sqlite, options, reason);
    if (err.code == OK)
        *ret_db = &TAKE_PTR(sqlite)->db;
    else
        sqlite_parts_close(sqlite);
    return err;
}

Err db_schema_diff(const DbOptions *options, Text *out, Reason *reason) {
    SCOPED(connection_close) Connection connection = {};
    TRY(connection_open(":memory:", false, &connection, reason));
    TRY(migrate(&connection, options, reason));
    Db db = {};
    TRY(db_init(&db, &sqlite_engine, options));
    Err err = tables_diff(&connection, &db, out);
    db_done(&db);
    return err;
}
