// SPDX-License-Identifier: Apache-2.0
/// An apply works its operations off one by one and keeps a journal of what it replaced; the first
/// failure plays the journal backwards.
#include "base/scope.h"
#include "db/memory_parts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static Err memory_journal_reserve(MemoryDb *memory) {
    if (memory->journal_count < memory->journal_capacity) return SUCCESS;
    size_t capacity = memory->journal_capacity ? memory->journal_capacity * 2 : TX_OPS_MAX;
    Change *journal = reallocarray(memory->journal, capacity, sizeof(*journal));
    if (!journal) return OUT_OF_MEMORY;
    memory->journal = journal;
    memory->journal_capacity = capacity;
    return SUCCESS;
}

/// Make a change and note it in the journal. `values` NULL removes.
static Err memory_change(MemoryDb *memory, const Table *table, Value *before, const Value *values) {
    Rows *rows = memory_rows_of(memory, table);
    Value *after = NULL;
    TRY(memory_journal_reserve(memory));
    if (values) {
        TRY(rows_reserve(rows));
        after = row_new(table, values);
        if (!after) return OUT_OF_MEMORY;
    }
    rows_swap(rows, table, before, after);
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

/// The column of a unique value of `values` that another row than `self` holds; COLUMN_NONE: of
/// none. Absent values never collide, nor, in what is unique within a scope, do rows without one.
static size_t
memory_taken(MemoryDb *memory, const Table *table, const Value *self, const Value *values) {
    const Rows *rows = memory_rows_of(memory, table);
    bool unscoped = table->scope != COLUMN_NONE && values[table->scope].kind == VALUE_NULL;
    for (size_t column = 0; column < table->column_count; column++) {
        if (!table_is_unique(table, column) || values[column].kind == VALUE_NULL) continue;
        if (unscoped && table_is_scoped(table, column)) continue;
        if (memory_is_held(rows, table, column, self, values)) return column;
    }
    return COLUMN_NONE;
}

static Err memory_exists(const Table *table, size_t column, const Field **ret_field) {
    *ret_field = table->columns[column];
    return FAIL(ERR_EXISTS, "something with this key or name is there already");
}

static Err
memory_insert(MemoryDb *memory, const Table *table, const Value *values, const Field **ret_field) {
    if (rows_find(memory_rows_of(memory, table), table, values[table->key].text))
        return memory_exists(table, table->key, ret_field);
    size_t taken = memory_taken(memory, table, NULL, values);
    if (taken != COLUMN_NONE) return memory_exists(table, taken, ret_field);
    return memory_change(memory, table, NULL, values);
}

static Err memory_put(MemoryDb *memory, const Op *op, Value *stored, const Field **ret_field) {
    bool is_ours = !stored || memory_is_same_scope(op->table, stored, op->row);
    if (op->kind == OP_PUT && !is_ours) return memory_exists(op->table, op->table->key, ret_field);
    bool is_newer =
        op->kind == OP_PUT || !stored || value_cmp(&stored[op->column], &op->row[op->column]) < 0;
    if (!is_ours || !is_newer) return FAIL(ERR_CONFLICT, "the record is not newer than the stored");
    return memory_change(memory, op->table, stored, op->row);
}

/// Replace the row by the op's, but for what `keeps` names.
static Err memory_replace(MemoryDb *memory,
                          const Op *op,
                          Value *stored,
                          bool (*keeps)(const Op *op, size_t column),
                          const Field **ret_field) {
    SCOPED(mem_freep) Value *values = calloc(op->table->column_count, sizeof(*values));
    if (!values) return OUT_OF_MEMORY;
    for (size_t i = 0; i < op->table->column_count; i++)
        values[i] = keeps(op, i) ? stored[i] : op->row[i];
    size_t taken = memory_taken(memory, op->table, stored, values);
    if (taken != COLUMN_NONE) return memory_exists(op->table, taken, ret_field);
    return memory_change(memory, op->table, stored, values);
}

static bool memory_update_keeps(const Op *op, size_t column) {
    return table_is_loose(op->table, column);
}

static bool memory_set_keeps(const Op *op, size_t column) {
    return !op->set[column];
}

/// The first row that meets the op's select; NULL: none.
static Value *memory_first(MemoryDb *memory, const Op *op) {
    const Rows *rows = memory_rows_of(memory, op->table);
    for (size_t i = 0; i < rows->count; i++)
        if (memory_row_meets(rows->items[i], op->select)) return rows->items[i];
    return NULL;
}

static Err memory_add(MemoryDb *memory, const Op *op) {
    Value *stored = memory_first(memory, op);
    if (!stored) return FAIL(ERR_NOT_FOUND, "there is no such record");
    const Value *number = &stored[op->column];
    if (number->kind != VALUE_I64 || number->i64 < op->least || number->i64 > op->most)
        return FAIL(ERR_LIMIT, "the bound of a counter is reached");
    SCOPED(mem_freep) Value *values = calloc(op->table->column_count, sizeof(*values));
    if (!values) return OUT_OF_MEMORY;
    memcpy(values, stored, op->table->column_count * sizeof(*values));
    values[op->column].i64 += op->by;
    return memory_change(memory, op->table, stored, values);
}

static Err memory_delete_where(MemoryDb *memory, const Op *op) {
    const Rows *rows = memory_rows_of(memory, op->table);
    size_t removed = 0;
    for (size_t i = 0; i < rows->count;) {
        if (op->select->limit && removed == op->select->limit) break;
        if (!memory_row_meets(rows->items[i], op->select)) {
            i++;
            continue;
        }
        TRY(memory_change(memory, op->table, rows->items[i], NULL));
        removed++;
    }
    return SUCCESS;
}

/// An operation on the row of a key.
static Err memory_keyed_apply(MemoryDb *memory, const Op *op, const Field **ret_field) {
    const Table *table = op->table;
    Value *stored = rows_find(memory_rows_of(memory, table), table, op->row[table->key].text);
    if (op->kind == OP_PUT || op->kind == OP_PUT_IF)
        return memory_put(memory, op, stored, ret_field);

    bool is_there = stored && memory_is_same_scope(table, stored, op->row);
    if (op->kind == OP_SET)
        return is_there ? memory_replace(memory, op, stored, memory_set_keeps, ret_field)
                        : FAIL(ERR_NOT_FOUND, "there is no such record");
    bool meets = is_there && (table->rev == COLUMN_NONE || stored[table->rev].i64 == op->rev);
    if (!meets && table->rev != COLUMN_NONE)
        return FAIL(ERR_CONFLICT, "the record has changed in the meantime");
    if (!meets || op->kind == OP_EXPECT) return SUCCESS;
    if (op->kind == OP_UPDATE)
        return memory_replace(memory, op, stored, memory_update_keeps, ret_field);
    assert(op->kind == OP_DELETE);
    return memory_change(memory, table, stored, NULL);
}

static Err memory_op_apply(MemoryDb *memory, const Op *op, const Field **ret_field) {
    switch (op->kind) {
    case OP_CREATE:
        return memory_insert(memory, op->table, op->row, ret_field);
    case OP_ADD:
        return memory_add(memory, op);
    case OP_DELETE_WHERE:
        return memory_delete_where(memory, op);
    case OP_EXPECT_ABSENT:
        return memory_first(memory, op) ? memory_exists(op->table, op->column, ret_field) : SUCCESS;
    case OP_UPDATE:
    case OP_PUT:
    case OP_PUT_IF:
    case OP_SET:
    case OP_DELETE:
    case OP_EXPECT:
    case OP_KIND_COUNT:
        break;
    }
    return memory_keyed_apply(memory, op, ret_field);
}

void memory_apply(Db *db, Submission *submission) {
    MemoryDb *memory = (MemoryDb *)db;
    pthread_mutex_lock(&memory->mutex);
    submission->err = SUCCESS;
    for (size_t i = 0; i < submission->count && submission->err.code == OK; i++) {
        const Op *op = &submission->ops[i];
        TxFault fault = {.op = i, .schema = op->table->schema};
        submission->err = memory_op_apply(memory, op, &fault.field);
        if (submission->err.code != OK) submission->fault = fault;
    }
    memory_journal_settle(memory, submission->err.code == OK);
    pthread_mutex_unlock(&memory->mutex);
    submission_end(submission);
}
