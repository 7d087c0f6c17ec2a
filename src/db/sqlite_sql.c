// SPDX-License-Identifier: Apache-2.0
#include "db/sqlite_sql.h"

#include <assert.h>

void sql_name(Str name, Text *sql) {
    assert(str_index(name, '"', 0) == name.len);
    text_add_char(sql, '"');
    text_add(sql, name);
    text_add_char(sql, '"');
}

static void sql_add_column(const Table *table, size_t column, Text *sql) {
    sql_name(table->columns[column]->name, sql);
}

static void sql_add_columns(const Table *table, Text *sql) {
    for (size_t i = 0; i < table->column_count; i++) {
        if (i > 0) text_add_char(sql, ',');
        sql_add_column(table, i, sql);
    }
}

/// "column operator ?number"
static void
sql_add_term(const Table *table, size_t column, const char *is, size_t number, Text *sql) {
    sql_add_column(table, column, sql);
    text_print(sql, " %s ?%zu", is, number);
}

static void sql_add_terms(const Select *select, Text *sql) {
    for (size_t i = 0; i < select->term_count; i++) {
        text_add(sql, i == 0 ? S(" WHERE ") : S(" AND "));
        sql_add_term(select->table, select->terms[i].column, "=", i + 1, sql);
    }
}

void sql_select(const Select *select, Text *sql) {
    const Table *table = select->table;
    text_add(sql, S("SELECT "));
    sql_add_columns(table, sql);
    text_add(sql, S(" FROM "));
    sql_name(table->schema->name, sql);
    sql_add_terms(select, sql);
    if (select->after.ptr) {
        text_add(sql, select->term_count == 0 ? S(" WHERE ") : S(" AND "));
        const char *beyond = select->descending ? "<" : ">";
        sql_add_term(table, table->key, beyond, select->term_count + 1, sql);
    }
    text_add(sql, S(" ORDER BY "));
    sql_add_column(table, table->key, sql);
    if (select->descending) text_add(sql, S(" DESC"));
    text_print(sql, " LIMIT ?%zu", select->term_count + 2);
}

void sql_count(const Select *select, Text *sql) {
    text_add(sql, S("SELECT count(*) FROM "));
    sql_name(select->table->schema->name, sql);
    sql_add_terms(select, sql);
}

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

/// Every column but the key: setting that would rewrite every index.
static void sql_add_set(const Table *table, Text *sql) {
    const char *comma = "";
    for (size_t i = 0; i < table->column_count; i++) {
        if (i == table->key) continue;
        text_print(sql, "%s", comma);
        sql_add_term(table, i, "=", i + 1, sql);
        comma = ",";
    }
}

/// The stored row that an Op is about.
static void sql_add_where(const Table *table, Text *sql) {
    text_add(sql, S(" WHERE "));
    sql_add_term(table, table->key, "=", table->key + 1, sql);
    if (table->scope != COLUMN_NONE) {
        text_add(sql, S(" AND "));
        sql_add_term(table, table->scope, "IS", table->scope + 1, sql);
    }
    if (table->rev != COLUMN_NONE) {
        text_add(sql, S(" AND "));
        sql_add_term(table, table->rev, "=", table->column_count + 1, sql);
    }
}

static void sql_add_put(const Table *table, Text *sql) {
    sql_add_insert(table, sql);
    text_add(sql, S(" ON CONFLICT ("));
    sql_add_column(table, table->key, sql);
    text_add(sql, S(") DO UPDATE SET "));
    sql_add_set(table, sql);
    if (table->scope == COLUMN_NONE) return;
    text_add(sql, S(" WHERE "));
    sql_name(table->schema->name, sql);
    text_add_char(sql, '.');
    sql_add_term(table, table->scope, "IS", table->scope + 1, sql);
}

void sql_op(const Op *op, Text *sql) {
    const Table *table = op->table;
    switch (op->kind) {
    case OP_CREATE:
    case OP_APPEND:
        sql_add_insert(table, sql);
        return;
    case OP_PUT:
        sql_add_put(table, sql);
        return;
    case OP_UPDATE:
        text_add(sql, S("UPDATE "));
        sql_name(table->schema->name, sql);
        text_add(sql, S(" SET "));
        sql_add_set(table, sql);
        break;
    case OP_DELETE:
        text_add(sql, S("DELETE FROM "));
        sql_name(table->schema->name, sql);
        break;
    case OP_EXPECT:
        text_add(sql, S("SELECT 1 FROM "));
        sql_name(table->schema->name, sql);
        break;
    }
    sql_add_where(table, sql);
}

void sql_last(const Op *op, Text *sql) {
    const Table *table = op->table;
    text_add(sql, S("SELECT "));
    sql_add_columns(table, sql);
    text_add(sql, S(" FROM "));
    sql_name(table->schema->name, sql);
    if (table->scope != COLUMN_NONE) {
        text_add(sql, S(" WHERE "));
        sql_add_term(table, table->scope, "IS", table->scope + 1, sql);
    }
    text_add(sql, S(" ORDER BY "));
    sql_add_column(table, table->key, sql);
    text_add(sql, S(" DESC LIMIT 1"));
}

static int sql_bind(sqlite3_stmt *statement, size_t number, const Value *value) {
    int at = (int)number;
    switch (value->kind) {
    case VALUE_NULL:
        return sqlite3_bind_null(statement, at);
    case VALUE_I64:
        return sqlite3_bind_int64(statement, at, value->i64);
    case VALUE_DOUBLE:
        return sqlite3_bind_double(statement, at, value->real);
    case VALUE_TEXT:
        return sqlite3_bind_text64(
            statement, at, value->text.ptr, value->text.len, SQLITE_STATIC, SQLITE_UTF8);
    case VALUE_BLOB:
        return sqlite3_bind_blob64(statement, at, value->text.ptr, value->text.len, SQLITE_STATIC);
    }
    assert(false && "a value has a kind");
    return SQLITE_MISUSE;
}

int sql_bind_select(sqlite3_stmt *statement, const Select *select) {
    size_t after = select->term_count + 1;
    size_t parameters = (size_t)sqlite3_bind_parameter_count(statement);
    int code = SQLITE_OK;
    for (size_t i = 0; i < select->term_count && code == SQLITE_OK; i++)
        code = sql_bind(statement, i + 1, &select->terms[i].value);
    if (code == SQLITE_OK && select->after.ptr)
        code = sql_bind(statement, after, &(Value){.kind = VALUE_TEXT, .text = select->after});
    if (code == SQLITE_OK && parameters > after)
        code = sql_bind(
            statement, after + 1, &(Value){.kind = VALUE_I64, .i64 = (int64_t)select->limit});
    return code;
}

int sql_bind_op(sqlite3_stmt *statement, const Op *op, const Value *row) {
    size_t columns = op->table->column_count;
    size_t parameters = (size_t)sqlite3_bind_parameter_count(statement);
    int code = SQLITE_OK;
    for (size_t i = 0; i < columns && i < parameters && code == SQLITE_OK; i++)
        code = sql_bind(statement, i + 1, &row[i]);
    if (code == SQLITE_OK && parameters > columns)
        code = sql_bind(statement, columns + 1, &(Value){.kind = VALUE_I64, .i64 = op->rev});
    return code;
}

static Str sql_column_bytes(sqlite3_stmt *statement, int at) {
    const char *ptr = sqlite3_column_blob(statement, at);
    // SQLite has no pointer for an empty blob or text; ours would then be absent.
    return (Str){ptr ? ptr : "", (size_t)sqlite3_column_bytes(statement, at)};
}

void sql_row(sqlite3_stmt *statement, const Table *table, Value *ret_row) {
    for (size_t i = 0; i < table->column_count; i++) {
        int at = (int)i;
        ret_row[i] = (Value){.kind = VALUE_NULL};
        switch (sqlite3_column_type(statement, at)) {
        case SQLITE_INTEGER:
            ret_row[i] = (Value){.kind = VALUE_I64, .i64 = sqlite3_column_int64(statement, at)};
            break;
        case SQLITE_FLOAT:
            ret_row[i] =
                (Value){.kind = VALUE_DOUBLE, .real = sqlite3_column_double(statement, at)};
            break;
        case SQLITE_TEXT:
            ret_row[i] = (Value){.kind = VALUE_TEXT, .text = sql_column_bytes(statement, at)};
            break;
        case SQLITE_BLOB:
            ret_row[i] = (Value){.kind = VALUE_BLOB, .text = sql_column_bytes(statement, at)};
            break;
        default:
            break;
        }
    }
}
