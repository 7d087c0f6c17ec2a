// SPDX-License-Identifier: Apache-2.0
#include "db/memory_rows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static bool memory_has_text(const Value *value) {
    return value->kind == VALUE_TEXT || value->kind == VALUE_BLOB;
}

Value *row_new(const Table *table, const Value *values) {
    size_t head = table->column_count * sizeof(Value);
    size_t size = head;
    for (size_t i = 0; i < table->column_count; i++)
        if (memory_has_text(&values[i])) size += values[i].text.len + 1;
    Value *row = malloc(size);
    if (!row) return NULL;
    memcpy(row, values, head);
    char *bytes = (char *)row + head;
    for (size_t i = 0; i < table->column_count; i++) {
        if (!memory_has_text(&values[i])) continue;
        size_t len = values[i].text.len;
        if (len > 0) memcpy(bytes, values[i].text.ptr, len);
        bytes[len] = '\0';
        row[i].text = (Str){bytes, len};
        bytes += len + 1;
    }
    return row;
}

static Str memory_row_key(const Table *table, const Value *row) {
    return row[table->key].text;
}

size_t rows_seek(const Rows *rows, const Table *table, Str key) {
    size_t low = 0;
    size_t high = rows->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (str_cmp(memory_row_key(table, rows->items[middle]), key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

Value *rows_find(const Rows *rows, const Table *table, Str key) {
    size_t at = rows_seek(rows, table, key);
    bool hit = at < rows->count && str_cmp(memory_row_key(table, rows->items[at]), key) == 0;
    return hit ? rows->items[at] : NULL;
}

Err rows_reserve(Rows *rows) {
    if (rows->count < rows->capacity) return SUCCESS;
    size_t capacity = rows->capacity ? rows->capacity * 2 : 16;
    Value **items = reallocarray(rows->items, capacity, sizeof(*items));
    if (!items) return OUT_OF_MEMORY;
    rows->items = items;
    rows->capacity = capacity;
    return SUCCESS;
}

void rows_swap(Rows *rows, const Table *table, Value *before, Value *after) {
    size_t at = rows_seek(rows, table, memory_row_key(table, before ? before : after));
    Value **slot = &rows->items[at];
    size_t behind = rows->count - at;
    if (before && after) {
        *slot = after;
    } else if (after) {
        assert(rows->count < rows->capacity);
        memmove(slot + 1, slot, behind * sizeof(*slot));
        *slot = after;
        rows->count++;
    } else {
        assert(behind > 0 && *slot == before);
        memmove(slot, slot + 1, (behind - 1) * sizeof(*slot));
        rows->count--;
    }
}

void rows_done(Rows *rows) {
    for (size_t i = 0; i < rows->count; i++)
        free(rows->items[i]);
    free(rows->items);
    *rows = (Rows){};
}
