// SPDX-License-Identifier: Apache-2.0
#include "base/scope.h"
#include "db/memory_parts.h"

#include <assert.h>
#include <stdlib.h>

static bool memory_is_one_of(const Value *value, const Term *term) {
    for (size_t i = 0; i < term->count; i++)
        if (value_is_same(value, &term->values[i])) return true;
    return false;
}

static bool memory_term_holds(const Value *value, const Term *term) {
    if (value->kind == VALUE_NULL) return false;
    if (term->how == HOW_ONE_OF) return memory_is_one_of(value, term);
    if (term->value.kind == VALUE_NULL) return false;
    if (term->how == HOW_IS) return value_is_same(value, &term->value);
    int order = value_cmp(value, &term->value);
    assert(term->how != HOW_BEGINS);
    return term->how == HOW_BELOW ? order < 0 : order >= 0;
}

bool memory_row_meets(const Value *row, const Select *select) {
    for (size_t i = 0; i < select->term_count; i++)
        if (!memory_term_holds(&row[select->terms[i].column], &select->terms[i])) return false;
    return true;
}

/// Where the row stands to the place (`value`, `key`) in the select's order.
static int memory_row_cmp(const Select *select, const Value *row, const Value *value, Str key) {
    int order = select->order == select->table->key ? 0 : value_cmp(&row[select->order], value);
    return order ? order : str_cmp(row[select->table->key].text, key);
}

static bool memory_is_beyond(const Value *row, const Select *select) {
    if (!select->after.ptr) return true;
    int order = memory_row_cmp(select, row, &select->after_value, select->after);
    return select->descending ? order < 0 : order > 0;
}

static int memory_sort_cmp(const void *a, const void *b, void *ctx) {
    const Select *select = ctx;
    const Value *row = *(const Value *const *)a;
    const Value *other = *(const Value *const *)b;
    int order = memory_row_cmp(select, row, &other[select->order], other[select->table->key].text);
    return select->descending ? -order : order;
}

/// The rows that meet the select, in its order: malloc'ed, the rows borrowed.
static Err
memory_gather(const Rows *rows, const Select *select, Value ***ret_met, size_t *ret_count) {
    Value **met = calloc(rows->count + 1, sizeof(*met));
    if (!met) return OUT_OF_MEMORY;
    size_t count = 0;
    for (size_t i = 0; i < rows->count; i++)
        if (memory_row_meets(rows->items[i], select) && memory_is_beyond(rows->items[i], select))
            met[count++] = rows->items[i];
    Select order = *select;
    if (select->descending || select->order != select->table->key)
        qsort_r(met, count, sizeof(*met), memory_sort_cmp, &order);
    *ret_met = met;
    *ret_count = count;
    return SUCCESS;
}

/// The select asks for the row of one key, which is found at once.
static bool memory_is_of_one_key(const Rows *rows, const Select *select, Value **ret_row) {
    for (size_t i = 0; i < select->term_count; i++) {
        const Term *term = &select->terms[i];
        if (term->column != select->table->key || term->how != HOW_IS) continue;
        if (term->value.kind != VALUE_TEXT) continue;
        *ret_row = rows_find(rows, select->table, term->value.text);
        return true;
    }
    return false;
}

/// Rows are kept by key, so that these need no list of them.
static Err memory_rows_give_by_key(const Rows *rows, const Select *select, RowSink sink) {
    size_t taken = 0;
    Value *only = NULL;
    if (memory_is_of_one_key(rows, select, &only)) {
        if (!only || !memory_row_meets(only, select)) return SUCCESS;
        return memory_is_beyond(only, select) ? sink.take(sink.ctx, only) : SUCCESS;
    }
    size_t at = select->after.ptr ? rows_seek(rows, select->table, select->after) : 0;
    for (; at < rows->count && (select->limit == 0 || taken < select->limit); at++) {
        if (!memory_row_meets(rows->items[at], select)) continue;
        if (!memory_is_beyond(rows->items[at], select)) continue;
        TRY(sink.take(sink.ctx, rows->items[at]));
        taken++;
    }
    return SUCCESS;
}

static Err memory_rows_give(const Rows *rows, const Select *select, RowSink sink) {
    if (!select->descending && select->order == select->table->key)
        return memory_rows_give_by_key(rows, select, sink);
    SCOPED(mem_freep) Value **met = NULL;
    size_t count = 0;
    TRY(memory_gather(rows, select, &met, &count));
    for (size_t i = 0; i < count && (select->limit == 0 || i < select->limit); i++)
        TRY(sink.take(sink.ctx, met[i]));
    return SUCCESS;
}

Err memory_select(Db *db, const Select *select, RowSink sink) {
    MemoryDb *memory = (MemoryDb *)db;
    pthread_mutex_lock(&memory->mutex);
    Err err = memory_rows_give(memory_rows_of(memory, select->table), select, sink);
    pthread_mutex_unlock(&memory->mutex);
    return err;
}

Err memory_count(Db *db, const Select *select, uint64_t *ret_count) {
    MemoryDb *memory = (MemoryDb *)db;
    const Rows *rows = memory_rows_of(memory, select->table);
    uint64_t count = 0;
    pthread_mutex_lock(&memory->mutex);
    for (size_t i = 0; i < rows->count; i++)
        if (memory_row_meets(rows->items[i], select)) count++;
    pthread_mutex_unlock(&memory->mutex);
    *ret_count = count;
    return SUCCESS;
}

static Err memory_groups_give(const Rows *rows, const Select *select, size_t column, RowSink sink) {
    SCOPED(mem_freep) Value **met = NULL;
    size_t count = 0;
    Select by_value = *select;
    by_value.order = column;
    by_value.descending = false;
    TRY(memory_gather(rows, &by_value, &met, &count));
    size_t first = 0;
    for (size_t i = 0; i < count; i++) {
        if (i + 1 < count && value_is_same(&met[i][column], &met[i + 1][column])) continue;
        const Value group[2] = {met[i][column], value_u64(i + 1 - first)};
        TRY(sink.take(sink.ctx, group));
        first = i + 1;
    }
    return SUCCESS;
}

Err memory_count_by(Db *db, const Select *select, size_t column, RowSink sink) {
    MemoryDb *memory = (MemoryDb *)db;
    pthread_mutex_lock(&memory->mutex);
    Err err = memory_groups_give(memory_rows_of(memory, select->table), select, column, sink);
    pthread_mutex_unlock(&memory->mutex);
    return err;
}
