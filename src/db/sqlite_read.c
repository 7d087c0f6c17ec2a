// SPDX-License-Identifier: Apache-2.0
#include "db/sqlite_read.h"

#include "base/scope.h"
#include "db/sqlite_sql.h"

#include <assert.h>
#include <stdlib.h>

Err readers_open(const char *path, size_t count, Readers *ret_readers, Reason *reason) {
    assert(count >= 1 && count <= READERS_MAX);
    SCOPED(readers_close)
    Readers readers = {.mutex = PTHREAD_MUTEX_INITIALIZER, .returned = PTHREAD_COND_INITIALIZER};
    readers.connections = calloc(count, sizeof(Connection));
    if (!readers.connections) return OUT_OF_MEMORY;
    for (; readers.count < count; readers.count++) {
        Connection *connection = &readers.connections[readers.count];
        TRY(connection_open(path, false, connection, reason));
        readers.idle[readers.idle_count++] = connection;
    }
    *ret_readers = readers;
    readers = (Readers){};
    return SUCCESS;
}

void readers_close(Readers *readers) {
    assert(readers->idle_count == readers->count);
    for (size_t i = 0; i < readers->count; i++)
        connection_close(&readers->connections[i]);
    free(readers->connections);
    *readers = (Readers){};
}

static Connection *sqlite_reader_take(Readers *readers) {
    pthread_mutex_lock(&readers->mutex);
    while (readers->idle_count == 0)
        pthread_cond_wait(&readers->returned, &readers->mutex);
    Connection *connection = readers->idle[--readers->idle_count];
    pthread_mutex_unlock(&readers->mutex);
    text_clear(&connection->sql);
    return connection;
}

static void sqlite_reader_return(Readers *readers, Connection *connection) {
    pthread_mutex_lock(&readers->mutex);
    readers->idle[readers->idle_count++] = connection;
    pthread_cond_signal(&readers->returned);
    pthread_mutex_unlock(&readers->mutex);
}

/// Give the rows of the statement in `sql`.
static Err
sqlite_rows_give(Connection *connection, const Select *select, size_t columns, RowSink sink) {
    SCOPED(statement_reset) sqlite3_stmt *statement = NULL;
    SCOPED(mem_freep) Value *row = calloc(columns, sizeof(*row));
    if (!row) return OUT_OF_MEMORY;
    TRY(connection_prepare(connection, &statement));
    int code = sql_bind_select(statement, select);
    if (code != SQLITE_OK) return connection_err(connection, code);
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        sql_row(statement, columns, row);
        TRY(sink.take(sink.ctx, row));
    }
    return code == SQLITE_DONE ? SUCCESS : connection_err(connection, code);
}

/// Run the statement in `sql`, which yields one number.
static Err sqlite_number_read(Connection *connection, const Select *select, uint64_t *ret_number) {
    SCOPED(statement_reset) sqlite3_stmt *statement = NULL;
    TRY(connection_prepare(connection, &statement));
    int code = select ? sql_bind_select(statement, select) : SQLITE_OK;
    if (code == SQLITE_OK) code = sqlite3_step(statement);
    if (code != SQLITE_ROW) return connection_err(connection, code);
    *ret_number = (uint64_t)sqlite3_column_int64(statement, 0);
    return SUCCESS;
}

Err readers_select(Readers *readers, const Select *select, RowSink sink) {
    Connection *connection = sqlite_reader_take(readers);
    sql_select(select, &connection->sql);
    Err err = sqlite_rows_give(connection, select, select->table->column_count, sink);
    sqlite_reader_return(readers, connection);
    return err;
}

Err readers_count_by(Readers *readers, const Select *select, size_t column, RowSink sink) {
    Connection *connection = sqlite_reader_take(readers);
    sql_count_by(select, column, &connection->sql);
    Err err = sqlite_rows_give(connection, select, 2, sink);
    sqlite_reader_return(readers, connection);
    return err;
}

Err readers_count(Readers *readers, const Select *select, uint64_t *ret_count) {
    Connection *connection = sqlite_reader_take(readers);
    sql_count(select, &connection->sql);
    Err err = sqlite_number_read(connection, select, ret_count);
    sqlite_reader_return(readers, connection);
    return err;
}

Err readers_check(Readers *readers) {
    uint64_t tables = 0;
    Connection *connection = sqlite_reader_take(readers);
    text_add(&connection->sql, S("SELECT count(*) FROM sqlite_schema"));
    Err err = sqlite_number_read(connection, NULL, &tables);
    sqlite_reader_return(readers, connection);
    return err;
}
