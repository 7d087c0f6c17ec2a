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

static Err sqlite_apply(Db *db, const Op *ops, size_t count) {
    return writer_submit(&((SqliteDb *)db)->writer, ops, count);
}

static Err sqlite_check(Db *db) {
    return readers_check(&((SqliteDb *)db)->readers);
}

static void sqlite_close(Db *db) {
    SqliteDb *sqlite = (SqliteDb *)db;
    readers_close(&sqlite->readers);
    // Last, so that closing it copies the write-ahead log into the file.
    writer_close(&sqlite->writer);
    db_done(db);
    free(sqlite);
}

static const Engine sqlite_engine = {
    .select = sqlite_select,
    .count = sqlite_count,
    .apply = sqlite_apply,
    .check = sqlite_check,
    .close = sqlite_close,
};

/// Bring the tables up to date and compare them with the schemas.
static Err tables_open(Connection *connection, const DbOptions *options, const Db *db) {
    TRY(migrate(connection, options));
    SCOPED(text_done) Text differences = {};
    text_init(&differences, SQL_BYTES_MAX);
    TRY(tables_diff(connection, db, &differences));
    if (differences.len > 0 || differences.failed)
        return FAIL(ERR_STATE, "the database's tables do not match this program's records");
    return SUCCESS;
}

static Err sqlite_open(SqliteDb *sqlite, const DbOptions *options) {
    SCOPED(connection_close) Connection connection = {};
    TRY(connection_open(options->path, true, &connection));
    TRY(connection_use_wal(&connection));
    TRY(tables_open(&connection, options, &sqlite->db));
    TRY(readers_open(options->path, options->readers, &sqlite->readers));
    Err err = writer_open(&connection, &sqlite->writer);
    if (err.code != OK) readers_close(&sqlite->readers);
    return err;
}

Err db_open_sqlite(const DbOptions *options, Db **ret_db) {
    SCOPED(mem_freep) SqliteDb *sqlite = calloc(1, sizeof(*sqlite));
    if (!sqlite) return OUT_OF_MEMORY;
    TRY(db_init(&sqlite->db, &sqlite_engine, options));
    Err err = sqlite_open(sqlite, options);
    if (err.code != OK) {
        db_done(&sqlite->db);
        return err;
    }
    *ret_db = &TAKE_PTR(sqlite)->db;
    return SUCCESS;
}

Err db_schema_diff(const DbOptions *options, Text *out) {
    SCOPED(connection_close) Connection connection = {};
    TRY(connection_open(":memory:", false, &connection));
    TRY(migrate(&connection, options));
    Db db = {};
    TRY(db_init(&db, &sqlite_engine, options));
    Err err = tables_diff(&connection, &db, out);
    db_done(&db);
    return err;
}
