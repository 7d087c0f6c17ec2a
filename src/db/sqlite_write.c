// SPDX-License-Identifier: Apache-2.0
#include "db/sqlite_write.h"

#include "base/scope.h"
#include "db/sqlite_sql.h"

#include <assert.h>

enum { LINK_BYTES_MAX = 8 << 20 }; // what one TxLink may allocate

struct Submission {
    const Op *ops;
    size_t count;
    Submission *next;
    Err err;
    bool done;
    pthread_cond_t finished;
};

// Operations.

/// Run the op's statement with `row`. `*ret_hit`: it met a row (or inserted one).
static Err write_op_run(Connection *connection, const Op *op, const Value *row, bool *ret_hit) {
    SCOPED(statement_reset) sqlite3_stmt *statement = NULL;
    text_clear(&connection->sql);
    sql_op(op, &connection->sql);
    TRY(connection_prepare(connection, &statement));
    int code = sql_bind_op(statement, op, row);
    if (code == SQLITE_OK) code = sqlite3_step(statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE) return connection_err(connection, code);
    bool reads = op->kind == OP_EXPECT;
    *ret_hit = reads ? code == SQLITE_ROW : sqlite3_changes(connection->handle) > 0;
    return SUCCESS;
}

/// The row that an OP_APPEND inserts, in the writer's arena.
static Err write_op_link(Writer *writer, const Op *op, Value **ret_row) {
    Connection *connection = &writer->connection;
    SCOPED(statement_reset) sqlite3_stmt *statement = NULL;
    text_clear(&connection->sql);
    sql_last(op, &connection->sql);
    TRY(connection_prepare(connection, &statement));
    int code = sql_bind_op(statement, op, op->row);
    if (code == SQLITE_OK) code = sqlite3_step(statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE) return connection_err(connection, code);
    arena_reset(&writer->arena);
    Value *last = ARENA_ARRAY(&writer->arena, Value, op->table->column_count);
    if (!last) return arena_check(&writer->arena);
    if (code == SQLITE_ROW) sql_row(statement, op->table, last);
    return table_link(
        op->table, op->row, code == SQLITE_ROW ? last : NULL, op->link, &writer->arena, ret_row);
}

static Err write_op_apply(Writer *writer, const Op *op) {
    const Value *row = op->row;
    Value *linked = NULL;
    if (op->kind == OP_APPEND) {
        TRY(write_op_link(writer, op, &linked));
        row = linked;
    }
    bool hit = false;
    TRY(write_op_run(&writer->connection, op, row, &hit));
    if (hit) return SUCCESS;
    if (op->kind == OP_PUT) return FAIL(ERR_EXISTS, "something with this key is there already");
    if (op->table->rev != COLUMN_NONE)
        return FAIL(ERR_CONFLICT, "the record has changed in the meantime");
    return SUCCESS;
}

// Groups.

/// SQLite ends the transaction by itself after some failures of the disk.
static bool write_is_lost(const Writer *writer) {
    return sqlite3_get_autocommit(writer->connection.handle) != 0;
}

/// Apply one submission within the group's transaction. `*ret_err` is its own result; an error
/// returned is the whole group's.
static Err write_submission_apply(Writer *writer, const Submission *submission, Err *ret_err) {
    Connection *connection = &writer->connection;
    Err err = SUCCESS;
    TRY(connection_run(connection, "SAVEPOINT submission"));
    for (size_t i = 0; i < submission->count && err.code == OK; i++)
        err = write_op_apply(writer, &submission->ops[i]);
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
    for (Submission *each = group; each; each = each->next)
        each->err = err;
    return err;
}

static bool write_submission_frees(const Submission *submission) {
    for (size_t i = 0; i < submission->count; i++)
        if (submission->ops[i].kind == OP_DELETE) return true;
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

/// Cut a group off the queue. NULL when closing and nothing is left. The mutex is held.
static Submission *write_group_take(Writer *writer) {
    while (!writer->first && !writer->closing)
        pthread_cond_wait(&writer->work, &writer->mutex);
    Submission *group = writer->first;
    Submission *end = group;
    size_t count = end ? 1 : 0;
    for (; end && end->next && count < WRITER_GROUP_MAX; count++)
        end = end->next;
    if (!group) return NULL;
    writer->first = end->next;
    if (!writer->first) writer->last = NULL;
    end->next = NULL;
    writer->queued -= count;
    writer->stats.submissions += count;
    writer->stats.commits++;
    pthread_cond_broadcast(&writer->room);
    return group;
}

static void *write_main(void *ctx) {
    Writer *writer = ctx;
    pthread_mutex_lock(&writer->mutex);
    for (Submission *group = NULL; (group = write_group_take(writer)) != NULL;) {
        pthread_mutex_unlock(&writer->mutex);
        write_group_run(writer, group);
        pthread_mutex_lock(&writer->mutex);
        while (group) {
            Submission *each = group;
            group = each->next; // its owner may be gone after the signal
            each->done = true;
            pthread_cond_signal(&each->finished);
        }
    }
    pthread_mutex_unlock(&writer->mutex);
    return NULL;
}

Err writer_submit(Writer *writer, const Op *ops, size_t count) {
    Submission submission = {.ops = ops, .count = count};
    pthread_cond_init(&submission.finished, NULL);
    pthread_mutex_lock(&writer->mutex);
    assert(!writer->closing);
    while (writer->queued == WRITER_QUEUE_MAX)
        pthread_cond_wait(&writer->room, &writer->mutex);
    if (writer->last)
        writer->last->next = &submission;
    else
        writer->first = &submission;
    writer->last = &submission;
    writer->queued++;
    pthread_cond_signal(&writer->work);
    while (!submission.done)
        pthread_cond_wait(&submission.finished, &writer->mutex);
    pthread_mutex_unlock(&writer->mutex);
    pthread_cond_destroy(&submission.finished);
    return submission.err;
}

WriterStats writer_stats(Writer *writer) {
    pthread_mutex_lock(&writer->mutex);
    WriterStats stats = writer->stats;
    pthread_mutex_unlock(&writer->mutex);
    return stats;
}

Err writer_open(Connection *connection, Room *room, Writer *ret_writer) {
    *ret_writer = (Writer){.connection = *connection, .disk = room};
    arena_init(&ret_writer->arena, LINK_BYTES_MAX);
    pthread_mutex_init(&ret_writer->mutex, NULL);
    pthread_cond_init(&ret_writer->work, NULL);
    pthread_cond_init(&ret_writer->room, NULL);
    int code = pthread_create(&ret_writer->thread, NULL, write_main, ret_writer);
    if (code != 0) return (Err){ERR_SYSTEM, code, "cannot start the database's writer"};
    ret_writer->is_open = true;
    *connection = (Connection){};
    return SUCCESS;
}

void writer_close(Writer *writer) {
    if (!writer->is_open) return;
    pthread_mutex_lock(&writer->mutex);
    writer->closing = true;
    pthread_cond_signal(&writer->work);
    pthread_mutex_unlock(&writer->mutex);
    pthread_join(writer->thread, NULL);
    connection_close(&writer->connection);
    arena_done(&writer->arena);
    pthread_mutex_destroy(&writer->mutex);
    pthread_cond_destroy(&writer->work);
    pthread_cond_destroy(&writer->room);
}
