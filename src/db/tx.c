// SPDX-License-Identifier: Apache-2.0
#include "db/tx_parts.h"

#include <assert.h>

Err tx_open(Db *db, Arena *arena, Str scope, Tx **ret_tx) {
    Tx *tx = ARENA_NEW(arena, Tx);
    if (!tx) return arena_check(arena);
    *tx = (Tx){.db = db, .arena = arena, .scope = str_dup(arena, scope)};
    // A scope lost here would open every scope.
    if (scope.ptr && !tx->scope.ptr) return arena_check(arena);
    *ret_tx = tx;
    return SUCCESS;
}

Tx *tx_close(Tx *tx) {
    if (tx) tx->op_count = 0;
    return NULL;
}

void tx_closep(Tx **tx) {
    *tx = tx_close(*tx);
}

static Err tx_op_slot(Tx *tx, Op **ret_slot) {
    if (tx->op_count == TX_OPS_MAX) return FAIL(ERR_LIMIT, "the call writes too many records");
    if (!tx->ops) tx->ops = ARENA_ARRAY(tx->arena, Op, TX_OPS_MAX);
    if (!tx->ops) return arena_check(tx->arena);
    *ret_slot = &tx->ops[tx->op_count];
    return SUCCESS;
}

static bool tx_is_visible(const Tx *tx, const Table *table, const Value *row) {
    if (!tx->scope.ptr || table->scope == COLUMN_NONE) return true;
    const Value *scope = &row[table->scope];
    return scope->kind == VALUE_TEXT && str_eq(scope->text, tx->scope);
}

/// Turn the record's revision, which is returned, into the one that will be stored.
static int64_t tx_row_revise(OpKind kind, Value *rev) {
    int64_t expected = rev->i64;
    if (kind == OP_CREATE || kind == OP_APPEND) rev->i64 = 1;
    if (kind == OP_UPDATE) rev->i64 = expected + 1;
    return expected;
}

static Err tx_op_add(Tx *tx, OpKind kind, const Schema *schema, const void *record, TxLink link) {
    Op *slot = NULL;
    TRY(tx_op_slot(tx, &slot));
    const Table *table = db_table(tx->db, schema);
    Value *row = NULL;
    TRY(table_row(table, record, tx->arena, &row));
    assert(kind == OP_APPEND || row[table->key].kind == VALUE_TEXT);
    if (!tx_is_visible(tx, table, row)) return FAIL(ERR_NOT_FOUND, "there is no such record");
    *slot = (Op){.kind = kind, .table = table, .row = row, .link = link};
    if (table->rev != COLUMN_NONE) slot->rev = tx_row_revise(kind, &row[table->rev]);
    tx->op_count++;
    return SUCCESS;
}

Err tx_create(Tx *tx, const Schema *schema, const void *record) {
    return tx_op_add(tx, OP_CREATE, schema, record, NULL);
}

Err tx_update(Tx *tx, const Schema *schema, const void *record) {
    assert(db_table(tx->db, schema)->rev != COLUMN_NONE);
    return tx_op_add(tx, OP_UPDATE, schema, record, NULL);
}

Err tx_put(Tx *tx, const Schema *schema, const void *record) {
    const Table *table = db_table(tx->db, schema);
    assert(table->rev == COLUMN_NONE);
    for (size_t i = 0; i < table->column_count; i++)
        assert(!table_is_unique(table, i));
    return tx_op_add(tx, OP_PUT, schema, record, NULL);
}

Err tx_delete(Tx *tx, const Schema *schema, const void *record) {
    return tx_op_add(tx, OP_DELETE, schema, record, NULL);
}

Err tx_expect(Tx *tx, const Schema *schema, const void *record) {
    assert(db_table(tx->db, schema)->rev != COLUMN_NONE);
    return tx_op_add(tx, OP_EXPECT, schema, record, NULL);
}

Err tx_append(Tx *tx, const Schema *schema, const void *record, TxLink link) {
    assert(link);
    return tx_op_add(tx, OP_APPEND, schema, record, link);
}

Err tx_commit(Tx *tx) {
    size_t count = tx->op_count;
    tx->op_count = 0;
    return count == 0 ? SUCCESS : tx->db->engine->apply(tx->db, tx->ops, count);
}
