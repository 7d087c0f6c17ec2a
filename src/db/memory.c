// SPDX-License-Identifier: Apache-2.0
/// The engine for tests and simulation: per table an array of rows in key order, one mutex for all.
///
/// An apply works its operations off one by one and keeps a journal of what it replaced; the first
/// failure plays the journal backwards.
#include "base/scope.h"
#include "db/memory_parts.h"

#include <assert.h>
#include <stdlib.h>

enum { LINK_BYTES_MAX = 8 << 20 }; // what one TxLink may allocate

/// Make a change and note it in the journal. `values` NULL removes.
static Err memory_change(MemoryDb *memory, const Table *table, Value *before, const Value *values) {
    Rows *rows = memory_rows_of(memory, table);
    Value *after = NULL;
    if (values) {
        TRY(rows_reserve(rows));
        after = row_new(table, values);
        if (!after) return OUT_OF_MEMORY;
    }
    rows_swap(rows, table, before, after);
    assert(memory->journal_count < TX_OPS_MAX);
    memory->journal[memory->journal_count++] = (Change){table, before, after};
    return SUCCESS;
}

static void memory_journal_settle(MemoryDb *memory, bool keep) {
    while (memory->journal_count > 0) {
        Change *last = &memory->journal[--memory->journal_count];
        if (!keep)
            rows_swap(memory_rows_of(memory, last->table), last->table, last->after, last->before);
        free(keep ? last->before : last->after);
    }
}

static bool memory_is_same_scope(const Table *table, const Value *a, const Value *b) {
    return table->scope == COLUMN_NONE || value_is_same(&a[table->scope], &b[table->scope]);
}

/// Another row than `self` holds this value of `values`, where the column must be unique.
static bool memory_is_held(
    const Rows *rows, const Table *table, size_t column, const Value *self, const Value *values) {
    bool scoped = table_is_scoped(table, column);
    for (size_t i = 0; i < rows->count; i++) {
        const Value *row = rows->items[i];
        if (row != self && value_is_same(&row[column], &values[column])
            && (!scoped || memory_is_same_scope(table, row, values)))
            return true;
    }
    return false;
}

/// Another row than `self` holds a unique value of `values`. Absent values never collide, nor, in
/// what is unique within a scope, do rows without one.
static bool
memory_is_taken(MemoryDb *memory, const Table *table, const Value *self, const Value *values) {
    const Rows *rows = memory_rows_of(memory, table);
    bool unscoped = table->scope != COLUMN_NONE && values[table->scope].kind == VALUE_NULL;
    for (size_t column = 0; column < table->column_count; column++) {
        if (!table_is_unique(table, column) || values[column].kind == VALUE_NULL) continue;
        if (unscoped && table_is_scoped(table, column)) continue;
        if (memory_is_held(rows, table, column, self, values)) return true;
    }
    return false;
}

static Err memory_insert(MemoryDb *memory, const Table *table, const Value *values) {
    if (rows_find(memory_rows_of(memory, table), table, values[table->key].text)
        || memory_is_taken(memory, table, NULL, values))
        return FAIL(ERR_EXISTS, "something with this key or name is there already");
    return memory_change(memory, table, NULL, values);
}

static Err memory_put(MemoryDb *memory, const Op *op, Value *stored) {
    if (stored && !memory_is_same_scope(op->table, stored, op->row))
        return FAIL(ERR_EXISTS, "something with this key is there already");
    return memory_change(memory, op->table, stored, op->row);
}

static Err memory_update(MemoryDb *memory, const Op *op, Value *stored) {
    if (memory_is_taken(memory, op->table, stored, op->row))
        return FAIL(ERR_EXISTS, "something with this name is there already");
    return memory_change(memory, op->table, stored, op->row);
}

static Err memory_append(MemoryDb *memory, const Op *op) {
    const Table *table = op->table;
    const Rows *rows = memory_rows_of(memory, table);
    const Value *last = NULL;
    for (size_t i = rows->count; i > 0 && !last; i--)
        if (memory_is_same_scope(table, rows->items[i - 1], op->row)) last = rows->items[i - 1];
    SCOPED(arena_done) Arena arena = {};
    arena_init(&arena, LINK_BYTES_MAX);
    Value *linked = NULL;
    TRY(table_link(table, op->row, last, op->link, &arena, &linked));
    return memory_insert(memory, table, linked);
}

static Err memory_op_apply(MemoryDb *memory, const Op *op) {
    const Table *table = op->table;
    if (op->kind == OP_APPEND) return memory_append(memory, op);
    if (op->kind == OP_CREATE) return memory_insert(memory, table, op->row);
    Value *stored = rows_find(memory_rows_of(memory, table), table, op->row[table->key].text);
    if (op->kind == OP_PUT) return memory_put(memory, op, stored);

    bool meets = stored && memory_is_same_scope(table, stored, op->row)
                 && (table->rev == COLUMN_NONE || stored[table->rev].i64 == op->rev);
    if (!meets && table->rev != COLUMN_NONE)
        return FAIL(ERR_CONFLICT, "the record has changed in the meantime");
    if (!meets || op->kind == OP_EXPECT) return SUCCESS;
    if (op->kind == OP_UPDATE) return memory_update(memory, op, stored);
    assert(op->kind == OP_DELETE);
    return memory_change(memory, table, stored, NULL);
}

static Err memory_apply(Db *db, const Op *ops, size_t count) {
    MemoryDb *memory = (MemoryDb *)db;
    Err err = SUCCESS;
    pthread_mutex_lock(&memory->mutex);
    for (size_t i = 0; i < count && err.code == OK; i++)
        err = memory_op_apply(memory, &ops[i]);
    memory_journal_settle(memory, err.code == OK);
    pthread_mutex_unlock(&memory->mutex);
    return err;
}

static Err memory_check(Db *) {
    return SUCCESS;
}

static void memory_close(Db *db) {
    MemoryDb *memory = (MemoryDb *)db;
    for (size_t i = 0; i < db->table_count; i++)
        rows_done(&memory->rows[i]);
    free(memory->rows);
    pthread_mutex_destroy(&memory->mutex);
    db_done(db);
    free(memory);
}

static const Engine memory_engine = {
    .select = memory_select,
    .count = memory_count,
    .count_by = memory_count_by,
    .apply = memory_apply,
    .check = memory_check,
    .close = memory_close,
};

Err db_open_memory(const DbOptions *options, Db **ret_db) {
    SCOPED(mem_freep) MemoryDb *memory = calloc(1, sizeof(*memory));
    if (!memory) return OUT_OF_MEMORY;
    memory->rows = calloc(options->schema_count + 1, sizeof(Rows));
    SCOPED(mem_freep) Rows *rows = memory->rows;
    if (!rows) return OUT_OF_MEMORY;
    TRY(db_init(&memory->db, &memory_engine, options));
    pthread_mutex_init(&memory->mutex, NULL);
    memory->rows = TAKE_PTR(rows);
    *ret_db = &TAKE_PTR(memory)->db;
    return SUCCESS;
}
