// SPDX-License-Identifier: Apache-2.0
/// The engine for tests and simulation: per table an array of rows in key order, one mutex for all.
#include "base/scope.h"
#include "db/memory_parts.h"

#include <stdlib.h>

static Err memory_check(Db *) {
    return SUCCESS;
}

static void memory_close(Db *db) {
    MemoryDb *memory = (MemoryDb *)db;
    for (size_t i = 0; i < db->table_count; i++)
        rows_done(&memory->rows[i]);
    free(memory->rows);
    free(memory->journal);
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
