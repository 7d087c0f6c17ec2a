// SPDX-License-Identifier: Apache-2.0
#include "db/engine.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/random.h>

Err db_init(Db *db, const Engine *engine, const DbOptions *options) {
    Table *tables = calloc(options->schema_count + 1, sizeof(Table));
    if (!tables) return OUT_OF_MEMORY;
    for (size_t i = 0; i < options->schema_count; i++)
        table_init(&tables[i], i, options->schemas[i]);
    *db = (Db){.engine = engine, .tables = tables, .table_count = options->schema_count};
    ssize_t got = getrandom(&db->node, sizeof(db->node), 0);
    assert(got == sizeof(db->node)); // up to 256 bytes never fail once the pool is seeded
    return SUCCESS;
}

void db_done(Db *db) {
    free(db->tables);
    *db = (Db){};
}

const Table *db_table(const Db *db, const Schema *schema) {
    for (size_t i = 0; i < db->table_count; i++)
        if (db->tables[i].schema == schema) return &db->tables[i];
    assert(false && "the schema is one of those the store was opened with");
    return NULL;
}

Db *db_close(Db *db) {
    if (db) db->engine->close(db);
    return NULL;
}

Err db_check(Db *db) {
    return db->engine->check(db);
}
