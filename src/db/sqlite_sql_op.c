// SPDX-License-Identifier: Apache-2.0
// Statements that write.
#include "db/sqlite_sql_parts.h"

static void sql_add_insert(const Table *table, Text *sql) {
    text_add(sql, S("INSERT INTO "));
    sql_name(table->schema->name, sql);
    text_add_char(sql, '(');
    sql_add_columns(table, sql);
    text_add(sql, S(") VALUES ("));
    for (size_t i = 0; i < table->column_count; i++)
        text_print(sql, i == 0 ? "?%zu" : ",?%zu", i + 1);
    text_add_char(sql, ')');
}

/// The op writes this column of a row that is there. The key it never does: that would rewrite
/// every index.
static bool sql_op_writes(const Op *op, size_t column) {
    if (column == op->table->key) return false;
    if (op->kind == OP_SET) return op->set[column];
    return op->kind != OP_UPDATE || !table_is_loose(op->table, column);
}

static void sql_add_set(const Op *op, Text *sql) {
    const Table *table = op->table;
    const char *comma = "";
    for (size_t i = 0; i < table->column_count; i++) {
        if (!sql_op_writes(op, i)) continue;
        text_print(sql, "%s", comma);
        sql_add_term(table, i, "=", i + 1, sql);
        comma = ",";
    }
}

/// The stored row that an Op is about.
static void sql_add_where(const Op *op, Text *sql) {
    const Table *table = op->table;
    text_add(sql, S(" WHERE "));
    sql_add_term(table, table->key, "=", table->key + 1, sql);
    if (table->scope != COLUMN_NONE) {
        text_add(sql, S(" AND "));
        sql_add_term(table, table->scope, "IS", table->scope + 1, sql);
    }
    if (table->rev != COLUMN_NONE && op->kind != OP_SET) {
        text_add(sql, S(" AND "));
        sql_add_term(table, table->rev, "=", table->column_count + 1, sql);
    }
}

static void sql_add_put(const Op *op, Text *sql) {
    const Table *table = op->table;
    Str noun = table->schema->name;
    sql_add_insert(table, sql);
    text_add(sql, S(" ON CONFLICT ("));
    sql_add_column(table, table->key, sql);
    text_add(sql, S(") DO UPDATE SET "));
    sql_add_set(op, sql);
    if (table->scope != COLUMN_NONE) {
        text_add(sql, S(" WHERE "));
        sql_name(noun, sql);
        text_add_char(sql, '.');
        sql_add_term(table, table->scope, "IS", table->scope + 1, sql);
    }
    if (op->kind == OP_PUT) return;
    text_add(sql, table->scope == COLUMN_NONE ? S(" WHERE ") : S(" AND "));
    sql_name(noun, sql);
    text_add_char(sql, '.');
    sql_add_term(table, op->column, "<", op->column + 1, sql);
}

/// The bounds are of the number before, so that nothing can overflow.
static void sql_add_add(const Op *op, Text *sql) {
    size_t number = op->select->term_count + 1;
    Str name = op->table->columns[op->column]->name;
    text_add(sql, S("UPDATE "));
    sql_name(op->table->schema->name, sql);
    text_add(sql, S(" SET "));
    sql_name(name, sql);
    text_add_char(sql, '=');
    sql_name(name, sql);
    text_print(sql, "+?%zu", number);
    sql_add_terms(op->select, sql);
    text_add(sql, S(" AND "));
    sql_add_term(op->table, op->column, ">=", number + 1, sql);
    text_add(sql, S(" AND "));
    sql_add_term(op->table, op->column, "<=", number + 2, sql);
}

static void sql_add_delete_where(const Op *op, Text *sql) {
    Str noun = op->table->schema->name;
    text_add(sql, S("DELETE FROM "));
    sql_name(noun, sql);
    if (op->select->limit) {
        text_add(sql, S(" WHERE "));
        sql_add_column(op->table, op->table->key, sql);
        text_add(sql, S(" IN (SELECT "));
        sql_add_column(op->table, op->table->key, sql);
        text_add(sql, S(" FROM "));
        sql_name(noun, sql);
    }
    sql_add_terms(op->select, sql);
    if (!op->select->limit) return;
    // The sign keeps SQLite from going through the whole table by key for the sake of the order.
    text_add(sql, S(" ORDER BY +"));
    sql_add_column(op->table, op->table->key, sql);
    text_print(sql, " LIMIT ?%zu)", op->select->term_count + 1);
}

void sql_exists(const Select *select, Text *sql) {
    text_add(sql, S("SELECT 1 FROM "));
    sql_name(select->table->schema->name, sql);
    sql_add_terms(select, sql);
    text_add(sql, S(" LIMIT 1"));
}

/// An operation on the row of a key.
static void sql_add_keyed(const Op *op, Text *sql) {
    bool changes = op->kind == OP_UPDATE || op->kind == OP_SET;
    text_add(sql,
             changes                 ? S("UPDATE ")
             : op->kind == OP_DELETE ? S("DELETE FROM ")
                                     : S("SELECT 1 FROM "));
    sql_name(op->table->schema->name, sql);
    if (changes) text_add(sql, S(" SET "));
    if (changes) sql_add_set(op, sql);
    sql_add_where(op, sql);
}

void sql_op(const Op *op, Text *sql) {
    switch (op->kind) {
    case OP_CREATE:
        sql_add_insert(op->table, sql);
        return;
    case OP_PUT:
    case OP_PUT_IF:
        sql_add_put(op, sql);
        return;
    case OP_ADD:
        sql_add_add(op, sql);
        return;
    case OP_DELETE_WHERE:
        sql_add_delete_where(op, sql);
        return;
    case OP_EXPECT_ABSENT:
        sql_exists(op->select, sql);
        return;
    case OP_UPDATE:
    case OP_SET:
    case OP_DELETE:
    case OP_EXPECT:
    case OP_KIND_COUNT:
        break;
    }
    sql_add_keyed(op, sql);
}

/// What stands behind the terms of the op's select.
static int sql_bind_numbers(sqlite3_stmt *statement, const Op *op) {
    const int64_t numbers[] = {op->by, op->least, op->most};
    size_t number = op->select->term_count + 1;
    Value value = {.kind = VALUE_I64, .i64 = (int64_t)op->select->limit};
    if (op->kind == OP_DELETE_WHERE)
        return op->select->limit ? sql_bind(statement, number, &value) : SQLITE_OK;
    int code = SQLITE_OK;
    for (size_t i = 0; op->kind == OP_ADD && i < 3 && code == SQLITE_OK; i++) {
        value.i64 = numbers[i];
        code = sql_bind(statement, number + i, &value);
    }
    return code;
}

int sql_bind_op(sqlite3_stmt *statement, const Op *op) {
    if (op->select) {
        int bound = sql_bind_terms(statement, op->select);
        return bound == SQLITE_OK ? sql_bind_numbers(statement, op) : bound;
    }
    size_t columns = op->table->column_count;
    size_t parameters = (size_t)sqlite3_bind_parameter_count(statement);
    int code = SQLITE_OK;
    for (size_t i = 0; i < columns && i < parameters && code == SQLITE_OK; i++)
        code = sql_bind(statement, i + 1, &op->row[i]);
    if (code == SQLITE_OK && parameters > columns)
        code = sql_bind(statement, columns + 1, &(Value){.kind = VALUE_I64, .i64 = op->rev});
    return code;
}
