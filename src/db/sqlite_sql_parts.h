// SPDX-License-Identifier: Apache-2.0
/// What the files of sqlite_sql.h share.
#pragma once

#include "db/sqlite_sql.h"

/// Append a column's name.
void sql_add_column(const Table *table, size_t column, Text *sql);
/// Append "a,b,c": all columns.
void sql_add_columns(const Table *table, Text *sql);
/// Append "column operator ?number".
void sql_add_term(const Table *table, size_t column, const char *is, size_t number, Text *sql);
/// Append " WHERE " and the terms of a Select, whose parameters are 1, 2, ...
void sql_add_terms(const Select *select, Text *sql);
/// Bind one value. Result code.
int sql_bind(sqlite3_stmt *statement, size_t number, const Value *value);
/// Bind what sql_add_terms wrote. Result code.
int sql_bind_terms(sqlite3_stmt *statement, const Select *select);
