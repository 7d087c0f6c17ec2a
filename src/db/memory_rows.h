// SPDX-License-Identifier: Apache-2.0
/// The rows of one table in memory: an array in key order of rows, each in one piece of memory.
#pragma once

#include "db/table.h"

typedef struct Rows {
    Value **items; ///< malloc'ed, and each of them
    size_t count;
    size_t capacity;
} Rows;

/// A copy of `values` and their texts, to be free'd. NULL: out of memory.
Value *row_new(const Table *table, const Value *values);
/// Position of the first row whose key is not below `key`; `count` if there is none.
size_t rows_seek(const Rows *rows, const Table *table, Str key);
/// The row with this key; NULL if there is none.
Value *rows_find(const Rows *rows, const Table *table, Str key);
/// Make room for one more. ERR_MEMORY: out of memory.
Err rows_reserve(Rows *rows);
/// Put `after` in the place of `before`, which has the same key; either may be NULL. Needs room to
/// insert and frees nothing.
void rows_swap(Rows *rows, const Table *table, Value *before, Value *after);
/// Free all rows.
void rows_done(Rows *rows);
