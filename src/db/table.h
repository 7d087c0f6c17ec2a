// SPDX-License-Identifier: Apache-2.0
/// A Schema as an engine sees it: its stored fields are columns, in the schema's order.
///
/// A row is an array of Values, one per column. Engines move rows; only this file and tx.c know
/// that there are C structs on the other side.
#pragma once

#include "db/tx.h"

enum { COLUMN_NONE = SCHEMA_FIELDS_MAX };

typedef struct Table {
    const Schema *schema;
    size_t number; ///< among the store's tables
    const Field *columns[SCHEMA_FIELDS_MAX];
    size_t column_count;
    size_t key;   ///< position of the KEY column
    size_t scope; ///< of the SCOPE column; COLUMN_NONE if there is none
    size_t rev;   ///< of the REV column; COLUMN_NONE if there is none
} Table;

/// The table of `schema`. Asserts what an engine needs of it: one KEY that is a text, and so on.
void table_init(Table *table, size_t number, const Schema *schema);
/// Position of the column called `name`; COLUMN_NONE if there is none.
size_t table_column(const Table *table, Str name);
/// Position of the column of a member of `schema`, which is the table's; asserts that there is one.
size_t table_member(const Table *table, Member member);
/// What the column at `position` holds when it is not NULL: VALUE_I64, _DOUBLE, _TEXT or _BLOB.
int table_kind(const Table *table, size_t position);
/// No two rows of a scope may share this column's value. (The KEY is unique in the whole table.)
bool table_is_unique(const Table *table, size_t position);
/// Of a unique column: the scope narrows it, it being neither GLOBAL nor the scope itself.
bool table_is_scoped(const Table *table, size_t position);
/// The row of `record`; it and its texts are copies in `arena`. ERR_LIMIT: arena exhausted.
Err table_row(const Table *table, const void *record, Arena *arena, Value **ret_row);
/// The record of `row`, of schema->size bytes; texts are copied into `arena`. ERR_LIMIT: arena
/// exhausted. ERR_SYSTEM: a damaged or foreign row.
Err table_record(const Table *table, const Value *row, Arena *arena, void *record);
/// Updates leave this column as it is.
bool table_is_loose(const Table *table, size_t position);
/// The column is one by which rows are found.
bool table_is_findable(const Table *table, size_t position);

/// Same kind and contents; NULL equals NULL.
bool value_is_same(const Value *a, const Value *b);
/// <0, 0, >0: NULL first, then numbers, then texts by their bytes. Not of reals.
int value_cmp(const Value *a, const Value *b);
