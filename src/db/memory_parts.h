// SPDX-License-Identifier: Apache-2.0
/// The engine in memory, for its own files.
#pragma once

#include "db/engine.h"
#include "db/memory_rows.h"

#include <pthread.h>

/// One change of an apply: the row `before` gave way to `after`; either may be NULL.
typedef struct Change {
    const Table *table;
    Value *before;
    Value *after;
} Change;

typedef struct MemoryDb {
    Db db;
    pthread_mutex_t mutex;
    Rows *rows;      ///< parallel to db.tables
    Change *journal; ///< malloc'ed
    size_t journal_count;
    size_t journal_capacity;
} MemoryDb;

/// The rows of a table.
static inline Rows *memory_rows_of(MemoryDb *memory, const Table *table) {
    return &memory->rows[table - memory->db.tables];
}
/// The row meets every term.
bool memory_row_meets(const Value *row, const Select *select);
/// Engine.apply.
void memory_apply(Db *db, Submission *submission);
/// Engine.select.
Err memory_select(Db *db, const Select *select, RowSink sink);
/// Engine.count.
Err memory_count(Db *db, const Select *select, uint64_t *ret_count);
/// Engine.count_by.
Err memory_count_by(Db *db, const Select *select, size_t column, RowSink sink);
