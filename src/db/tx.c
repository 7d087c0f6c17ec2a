// SPDX-License-Identifier: Apache-2.0
#include "db/tx_parts.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

enum { TX_OPS_FIRST = 16 };

static Err tx_open_with(Db *db, Arena *arena, Str scope, bool sees_all, Tx **ret_tx) {
    Tx *tx = ARENA_NEW(arena, Tx);
    if (!tx) return arena_check(arena);
    *tx = (Tx){.db = db, .arena = arena, .scope = str_dup(arena, scope), .sees_all = sees_all};
    TRY(arena_check(arena));
    *ret_tx = tx;
    return SUCCESS;
}

Err tx_open(Db *db, Arena *arena, Str scope, Tx **ret_tx) {
    return tx_open_with(db, arena, scope, false, ret_tx);
}

Err tx_open_all(Db *db, Arena *arena, Tx **ret_tx) {
    return tx_open_with(db, arena, (Str){}, true, ret_tx);
}

Tx *tx_close(Tx *tx) {
    if (tx) tx->op_count = tx->note_count = 0;
    return NULL;
}

void tx_closep(Tx **tx) {
    *tx = tx_close(*tx);
}

static Err tx_ops_grow(Tx *tx) {
    size_t capacity = tx->op_capacity ? 2 * tx->op_capacity : TX_OPS_FIRST;
    Op *ops = ARENA_ARRAY(tx->arena, Op, capacity);
    if (!ops) return arena_check(tx->arena);
    if (tx->op_count) memcpy(ops, tx->ops, tx->op_count * sizeof(Op));
    tx->ops = ops;
    tx->op_capacity = capacity;
    return SUCCESS;
}

static Err tx_op_slot(Tx *tx, Op **ret_slot) {
    if (tx->op_count == TX_OPS_MAX) return FAIL(ERR_LIMIT, "the call writes too many records");
    if (tx->op_count == tx->op_capacity) TRY(tx_ops_grow(tx));
    *ret_slot = &tx->ops[tx->op_count];
    return SUCCESS;
}

static bool tx_is_visible(const Tx *tx, const Table *table, const Value *row) {
    if (tx->sees_all || !tx->scope.ptr) return tx->sees_all;
    if (table->scope == COLUMN_NONE) return true;
    const Value *scope = &row[table->scope];
    return scope->kind == VALUE_TEXT && str_eq(scope->text, tx->scope);
}

/// Turn the record's revision, which is returned, into the one that will be stored.
static int64_t tx_row_revise(OpKind kind, Value *rev) {
    int64_t expected = rev->i64;
    if (kind == OP_CREATE) rev->i64 = 1;
    if (kind == OP_UPDATE) rev->i64 = expected + 1;
    return expected;
}

/// Collect an operation on the record's row; `*ret_op` is for what it has besides.
static Err tx_op_begin(Tx *tx, OpKind kind, const Schema *schema, const void *record, Op **ret_op) {
    Op *slot = NULL;
    TRY(tx_op_slot(tx, &slot));
    const Table *table = db_table(tx->db, schema);
    Value *row = NULL;
    TRY(table_row(table, record, tx->arena, &row));
    assert(row[table->key].kind == VALUE_TEXT);
    if (!tx_is_visible(tx, table, row)) return FAIL(ERR_NOT_FOUND, "there is no such record");
    *slot = (Op){.kind = kind, .table = table, .row = row, .own_row = row};
    if (table->rev != COLUMN_NONE) slot->rev = tx_row_revise(kind, &row[table->rev]);
    *ret_op = slot;
    return SUCCESS;
}

static Err tx_op_add(Tx *tx, OpKind kind, const Schema *schema, const void *record) {
    Op *op = NULL;
    TRY(tx_op_begin(tx, kind, schema, record, &op));
    tx->op_count++;
    return SUCCESS;
}

/// Collect an operation on rows that meet a select, which is copied.
static Err tx_op_select(Tx *tx, const Op *op, const Select *select) {
    Op *slot = NULL;
    TRY(tx_op_slot(tx, &slot));
    Select *copy = ARENA_NEW(tx->arena, Select);
    TRY(arena_check(tx->arena));
    *copy = *select;
    for (size_t i = 0; i < copy->term_count; i++)
        copy->terms[i].value.text = str_dup(tx->arena, copy->terms[i].value.text);
    TRY(arena_check(tx->arena));
    *slot = *op;
    slot->table = select->table;
    slot->select = copy;
    tx->op_count++;
    return SUCCESS;
}

Err tx_create(Tx *tx, const Schema *schema, const void *record) {
    return tx_op_add(tx, OP_CREATE, schema, record);
}

Err tx_update(Tx *tx, const Schema *schema, const void *record) {
    assert(db_table(tx->db, schema)->rev != COLUMN_NONE);
    return tx_op_add(tx, OP_UPDATE, schema, record);
}

/// What is put is replaced as a whole.
static void tx_put_check(const Table *table) {
    assert(table->rev == COLUMN_NONE);
    for (size_t i = 0; i < table->column_count; i++)
        assert(!table_is_unique(table, i));
}

Err tx_put(Tx *tx, const Schema *schema, const void *record) {
    tx_put_check(db_table(tx->db, schema));
    return tx_op_add(tx, OP_PUT, schema, record);
}

Err tx_put_if(Tx *tx, const void *record, Member epoch) {
    const Table *table = db_table(tx->db, epoch.schema);
    tx_put_check(table);
    Op *op = NULL;
    TRY(tx_op_begin(tx, OP_PUT_IF, epoch.schema, record, &op));
    op->column = table_member(table, epoch);
    assert(op->row[op->column].kind == VALUE_I64);
    tx->op_count++;
    return SUCCESS;
}

Err tx_set(Tx *tx, const void *record, const Member *members) {
    const Schema *schema = members[0].schema;
    Op *op = NULL;
    TRY(tx_op_begin(tx, OP_SET, schema, record, &op));
    bool *set = ARENA_ARRAY(tx->arena, bool, op->table->column_count);
    TRY(arena_check(tx->arena));
    for (; members->schema; members++) {
        size_t column = table_member(op->table, *members);
        assert(table_is_loose(op->table, column));
        set[column] = true;
    }
    op->set = set;
    tx->op_count++;
    return SUCCESS;
}

static const int64_t TX_COUNTER_MAX = 1ll << 53;

Err tx_add(Tx *tx, Str key, Member counter, int64_t by, int64_t min, int64_t max) {
    assert(-TX_COUNTER_MAX <= min && min <= max && max <= TX_COUNTER_MAX);
    assert(-TX_COUNTER_MAX <= by && by <= TX_COUNTER_MAX);
    Select select = tx_select_visible(tx, counter.schema);
    tx_select_add(&select, select.table->key, value_str(key));
    Op op = {.kind = OP_ADD, .by = by, .least = min - by, .most = max - by};
    op.column = table_member(select.table, counter);
    assert(table_is_loose(select.table, op.column));
    assert(min >= 0 || select.table->columns[op.column]->kind == KIND_I64);
    return tx_op_select(tx, &op, &select);
}

Err tx_delete(Tx *tx, const Schema *schema, const void *record) {
    return tx_op_add(tx, OP_DELETE, schema, record);
}

Err tx_expect(Tx *tx, const Schema *schema, const void *record) {
    assert(db_table(tx->db, schema)->rev != COLUMN_NONE);
    return tx_op_add(tx, OP_EXPECT, schema, record);
}

Err tx_delete_where(Tx *tx, const Query *query) {
    const Schema *schema = query->where[0].member.schema;
    assert(schema && !query->order.schema && !query->descending && !query->cursor.ptr);
    Select select;
    TRY(tx_select_query(tx, schema, query, &select));
    select.limit = query->limit;
    return tx_op_select(tx, &(Op){.kind = OP_DELETE_WHERE}, &select);
}

Err tx_expect_absent(Tx *tx, Condition is) {
    if (!tx->sees_all && !tx->scope.ptr) return FAIL(ERR_NOT_FOUND, "there is no such record");
    const Table *table = db_table(tx->db, is.member.schema);
    size_t column = table_member(table, is.member);
    bool is_key = column == table->key;
    assert(is.how == HOW_IS && (is_key || table_is_unique(table, column)));
    Select select = {.table = table, .order = table->key};
    if (!is_key && table_is_scoped(table, column)) select = tx_select_visible(tx, is.member.schema);
    Value value = tx_condition_value(table, &is);
    assert(value.kind != VALUE_NULL);
    tx_select_add(&select, column, value);
    return tx_op_select(tx, &(Op){.kind = OP_EXPECT_ABSENT, .column = column}, &select);
}

void tx_patient(Tx *tx) {
    tx->is_patient = true;
}

/// The batch is applied, or never will be: those who watch hear of it before its owner, who may
/// answer now, and whose Tx may be gone afterwards.
static void tx_committed(void *ctx, Err err, const TxFault *fault) {
    Tx *tx = ctx;
    tx_notes_tell(tx, err);
    tx->done(tx->done_ctx, err, fault);
}

void tx_commit_then(Tx *tx, TxDone done, void *ctx) {
    Err err = tx_notes_stamp(tx);
    tx->done = done;
    tx->done_ctx = ctx;
    tx->submission = (Submission){.ops = tx->ops,
                                  .count = tx->op_count,
                                  .is_patient = tx->is_patient,
                                  .done = tx_committed,
                                  .ctx = tx,
                                  .err = err,
                                  .fault = {.op = TX_OP_NONE}};
    tx->op_count = 0;
    if (err.code != OK || tx->submission.count == 0)
        submission_end(&tx->submission);
    else
        tx->db->engine->apply(tx->db, &tx->submission);
}

/// Who waits for a commit.
typedef struct TxWait {
    pthread_mutex_t mutex;
    pthread_cond_t done;
    bool is_done;
    Err err;
    TxFault fault;
} TxWait;

static void tx_wait_end(void *ctx, Err err, const TxFault *fault) {
    TxWait *wait = ctx;
    pthread_mutex_lock(&wait->mutex);
    wait->err = err;
    wait->fault = *fault;
    wait->is_done = true;
    pthread_cond_signal(&wait->done); // within the lock: once it is free, `wait` may be gone
    pthread_mutex_unlock(&wait->mutex);
}

Err tx_commit(Tx *tx, TxFault *ret_fault) {
    TxWait wait = {.mutex = PTHREAD_MUTEX_INITIALIZER, .done = PTHREAD_COND_INITIALIZER};
    tx_commit_then(tx, tx_wait_end, &wait);
    pthread_mutex_lock(&wait.mutex);
    while (!wait.is_done)
        pthread_cond_wait(&wait.done, &wait.mutex);
    pthread_mutex_unlock(&wait.mutex);
    pthread_mutex_destroy(&wait.mutex);
    pthread_cond_destroy(&wait.done);
    if (wait.err.code != OK && ret_fault) *ret_fault = wait.fault;
    return wait.err;
}
