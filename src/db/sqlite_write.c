// SPDX-License-Identifier: Apache-2.0
#include "db/sqlite_write.h"

#include "base/scope.h"
#include "db/sqlite_sql.h"

#include <assert.h>

// Operations.

/// The statement of an operation whose text depends on nothing but its kind and table is prepared
/// once.
static bool write_op_is_kept(const Op *op) {
    return !op->select && op->kind != OP_SET && op->kind != OP_PUT_IF;
}

static Err write_op_prepare(Connection *connection, const Op *op, sqlite3_stmt **ret_statement) {
    size_t number = op->table->number * OP_KIND_COUNT + op->kind;
    bool is_kept = write_op_is_kept(op);
    sqlite3_stmt *kept = is_kept ? connection_kept(connection, number) : NULL;
    if (kept) {
        *ret_statement = kept;
        return SUCCESS;
    }
    text_clear(&connection->sql);
    sql_op(op, &connection->sql);
    return is_kept ? connection_prepare_kept(connection, number, ret_statement)
                   : connection_prepare(connection, ret_statement);
}

/// The field that SQLite's words say is taken: "UNIQUE constraint failed: device.org_id,
/// device.name" names it last. NULL: they say no such thing.
static const Field *write_taken(const Connection *connection, const Table *table) {
    Str words = str_from(connection_words(connection));
    size_t from = words.len;
    while (from > 0 && words.ptr[from - 1] != '.')
        from--;
    size_t column = table_column(table, str_slice(words, from, words.len));
    return column == COLUMN_NONE ? NULL : table->columns[column];
}

/// Run the op's statement. `*ret_hit`: it met a row (or inserted one). `*ret_field`: on
/// ERR_EXISTS, what is taken.
static Err
write_op_run(Connection *connection, const Op *op, bool *ret_hit, const Field **ret_field) {
    SCOPED(statement_reset) sqlite3_stmt *statement = NULL;
    TRY(write_op_prepare(connection, op, &statement));
    int code = sql_bind_op(statement, op);
    if (code == SQLITE_OK) code = sqlite3_step(statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        Err err = connection_err(connection, code);
        if (err.code == ERR_EXISTS) *ret_field = write_taken(connection, op->table);
        return err;
    }
    bool reads = op->kind == OP_EXPECT || op->kind == OP_EXPECT_ABSENT;
    *ret_hit = reads ? code == SQLITE_ROW : sqlite3_changes(connection->handle) > 0;
    return SUCCESS;
}

/// Why a counter was not changed.
static Err write_add_refuse(Connection *connection, const Op *op) {
    SCOPED(statement_reset) sqlite3_stmt *statement = NULL;
    text_clear(&connection->sql);
    sql_exists(op->select, &connection->sql);
    TRY(connection_prepare(connection, &statement));
    int code = sql_bind_select(statement, op->select);
    if (code == SQLITE_OK) code = sqlite3_step(statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE) return connection_err(connection, code);
    return code == SQLITE_ROW ? FAIL(ERR_LIMIT, "the bound of a counter is reached")
                              : FAIL(ERR_NOT_FOUND, "there is no such record");
}

/// What it means that the statement of `op` met no row.
static Err write_op_miss(Connection *connection, const Op *op, const Field **ret_field) {
    bool has_rev = op->table->rev != COLUMN_NONE;
    switch (op->kind) {
    case OP_PUT:
        *ret_field = op->table->columns[op->table->key];
        return FAIL(ERR_EXISTS, "something with this key is there already");
    case OP_PUT_IF:
        return FAIL(ERR_CONFLICT, "the record is not newer than the stored");
    case OP_SET:
        return FAIL(ERR_NOT_FOUND, "there is no such record");
    case OP_ADD:
        return write_add_refuse(connection, op);
    case OP_UPDATE:
    case OP_DELETE:
    case OP_EXPECT:
        return has_rev ? FAIL(ERR_CONFLICT, "the record has changed in the meantime") : SUCCESS;
    case OP_CREATE:
    case OP_DELETE_WHERE:
    case OP_EXPECT_ABSENT:
    case OP_KIND_COUNT:
        break;
    }
    return SUCCESS;
}

static Err write_op_apply(Writer *writer, const Op *op, const Field **ret_field) {
    bool hit = false;
    TRY(write_op_run(&writer->connection, op, &hit, ret_field));
    if (!hit) return write_op_miss(&writer->connection, op, ret_field);
    if (op->kind != OP_EXPECT_ABSENT) return SUCCESS;
    *ret_field = op->table->columns[op->column];
    return FAIL(ERR_EXISTS, "something with this key or name is there already");
}

// Groups.

/// SQLite ends the transaction by itself after some failures of the disk.
static bool write_is_lost(const Writer *writer) {
    return sqlite3_get_autocommit(writer->connection.handle) != 0;
}

/// Apply one submission within the group's transaction. `*ret_err` is its own result; an error
/// returned is the whole group's.
static Err write_submission_apply(Writer *writer, Submission *submission, Err *ret_err) {
    Connection *connection = &writer->connection;
    Err err = SUCCESS;
    TRY(connection_run(connection, "SAVEPOINT submission"));
    for (size_t i = 0; i < submission->count && err.code == OK; i++) {
        const Op *op = &submission->ops[i];
        TxFault fault = {.op = i, .schema = op->table->schema};
        err = write_op_apply(writer, op, &fault.field);
        if (err.code != OK) submission->fault = fault;
    }
    assert(err.code != OK || !write_is_lost(writer)); // never acknowledge what is gone
    if (write_is_lost(writer)) return err;
    if (err.code == ERR_FULL && room_has_reserve(writer->disk)) return err; // all of them again
    if (err.code != OK) TRY(connection_run(connection, "ROLLBACK TO submission"));
    TRY(connection_run(connection, "RELEASE submission"));
    *ret_err = err;
    return SUCCESS;
}

static Err write_group_apply(Writer *writer, Submission *group) {
    TRY(connection_run(&writer->connection, "BEGIN IMMEDIATE"));
    for (Submission *each = group; each; each = each->next)
        TRY(write_submission_apply(writer, each, &each->err));
    return connection_run(&writer->connection, "COMMIT");
}

/// Set the result of every submission; the group's is returned. A failed group has changed nothing.
static Err write_group_try(Writer *writer, Submission *group) {
    Err err = write_group_apply(writer, group);
    if (err.code == OK) return SUCCESS;
    if (!write_is_lost(writer)) {
        Err rollback = connection_run(&writer->connection, "ROLLBACK");
        assert(rollback.code == OK || write_is_lost(writer));
    }
    // Also those that were refused: perhaps for the sake of what is now undone.
    for (Submission *each = group; each; each = each->next) {
        each->err = err;
        each->fault = (TxFault){.op = TX_OP_NONE};
    }
    return err;
}

static bool write_submission_frees(const Submission *submission) {
    for (size_t i = 0; i < submission->count; i++)
        if (submission->ops[i].kind == OP_DELETE || submission->ops[i].kind == OP_DELETE_WHERE)
            return true;
    return false;
}

/// On a full disk each succeeds or fails for itself.
static void write_group_run_full(Writer *writer, Submission *group) {
    for (Submission *each = group; each;) {
        Submission *next = each->next;
        room_bound(writer->disk, &writer->connection, write_submission_frees(each));
        each->next = NULL;
        (void)write_group_try(writer, each).code; // it is each->err
        each->next = next;
        each = next;
    }
}

static void write_group_run(Writer *writer, Submission *group) {
    room_heal(writer->disk, &writer->connection);
    Err err = room_is_full(writer->disk) ? SUCCESS : write_group_try(writer, group);
    if (err.code == ERR_FULL) (void)room_give_back(writer->disk, &writer->connection);
    if (room_is_full(writer->disk)) write_group_run_full(writer, group);
}

/// Who is told may submit again.
static void write_group_end(Submission *group) {
    while (group) {
        Submission *each = group;
        group = each->next; // `each` may be gone when it has ended
        submission_end(each);
    }
}

static void *write_main(void *ctx) {
    Writer *writer = ctx;
    pthread_setname_np(pthread_self(), "writer");
    for (Submission *group = NULL; (group = queue_take(&writer->queue)) != NULL;) {
        write_group_run(writer, group);
        write_group_end(group);
    }
    return NULL;
}

void writer_submit(Writer *writer, Submission *submission) {
    if (queue_put(&writer->queue, submission)) return;
    submission->err = FAIL(ERR_BUSY, "too many changes wait for the disk");
    submission_end(submission);
}

WriterStats writer_stats(Writer *writer) {
    WriteQueue *queue = &writer->queue;
    pthread_mutex_lock(&queue->mutex);
    WriterStats stats = {queue->submissions, queue->groups};
    pthread_mutex_unlock(&queue->mutex);
    return stats;
}

Err writer_open(Connection *connection, size_t table_count, Room *room, Writer *ret_writer) {
    TRY(connection_keep(connection, (table_count + 1) * OP_KIND_COUNT));
    *ret_writer = (Writer){.connection = *connection, .disk = room};
    queue_init(&ret_writer->queue);
    int code = pthread_create(&ret_writer->thread, NULL, write_main, ret_writer);
    if (code != 0) return (Err){ERR_SYSTEM, code, "cannot start the database's writer"};
    ret_writer->is_open = true;
    *connection = (Connection){};
    return SUCCESS;
}

void writer_close(Writer *writer) {
    if (!writer->is_open) return;
    queue_close(&writer->queue);
    pthread_join(writer->thread, NULL);
    connection_close(&writer->connection);
    queue_done(&writer->queue);
}
