// SPDX-License-Identifier: Apache-2.0
/// The statements, written from Tables. Nothing else in the program writes SQL but sqlite_step.c.
///
/// Parameters are numbered. Of a Select: its terms in order (a list as a JSON array), then the key
/// in `after`, the limit, and the value of the order at `after`. Of an Op: its row's columns in
/// order, then the expected revision; or the terms of its Select in order, then the limit, or what
/// is added, the least and the most.
#pragma once

#include "db/engine.h"

#include <sqlite3.h>

/// Append a name in its quotes.
void sql_name(Str name, Text *sql);
/// Append the SELECT of a page.
void sql_select(const Select *select, Text *sql);
/// Append the SELECT that counts.
void sql_count(const Select *select, Text *sql);
/// Append the SELECT that counts for each value of `column`.
void sql_count_by(const Select *select, size_t column, Text *sql);
/// Append the SELECT that yields a row if one meets the terms.
void sql_exists(const Select *select, Text *sql);
/// Append the statement of an Op. OP_EXPECT's yields a row, and OP_EXPECT_ABSENT's if there is one.
void sql_op(const Op *op, Text *sql);
/// Bind the parameters of sql_select, sql_count, sql_count_by or sql_exists. Yields an SQLite
/// result code.
int sql_bind_select(sqlite3_stmt *statement, const Select *select);
/// Bind the parameters of sql_op. Result code.
int sql_bind_op(sqlite3_stmt *statement, const Op *op);
/// The row under the statement, one Value a column; texts are SQLite's, until its next step.
void sql_row(sqlite3_stmt *statement, size_t columns, Value *ret_row);
