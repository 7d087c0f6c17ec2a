// SPDX-License-Identifier: Apache-2.0
#include "db/sqlite_sql_parts.h"

#include "base/scope.h"

#include <assert.h>

enum { SQL_LIST_MAX = 16 << 20 }; // bytes of a list of values

void sql_name(Str name, Text *sql) {
    assert(str_index(name, '"', 0) == name.len);
    text_add_char(sql, '"');
    text_add(sql, name);
    text_add_char(sql, '"');
}

void sql_add_column(const Table *table, size_t column, Text *sql) {
    sql_name(table->columns[column]->name, sql);
}

void sql_add_columns(const Table *table, Text *sql) {
    for (size_t i = 0; i < table->column_count; i++) {
        if (i > 0) text_add_char(sql, ',');
        sql_add_column(table, i, sql);
    }
}

void sql_add_term(const Table *table, size_t column, const char *is, size_t number, Text *sql) {
    sql_add_column(table, column, sql);
    text_print(sql, " %s ?%zu", is, number);
}

/// The rows are those of some keys.
static bool sql_is_of_keys(const Select *select) {
    for (size_t i = 0; i < select->term_count; i++)
        if (select->terms[i].column == select->table->key && select->terms[i].how == HOW_ONE_OF)
            return true;
    return false;
}

static void sql_add_condition(const Select *select, size_t at, Text *sql) {
    static const char *const signs[] = {[HOW_IS] = "=", [HOW_BELOW] = "<", [HOW_AT_LEAST] = ">="};
    const Term *term = &select->terms[at];
    assert(term->how != HOW_BEGINS);
    // The sign keeps SQLite from going through the whole scope, by an index, for a few keys of it.
    if (term->column == select->table->scope && sql_is_of_keys(select)) text_add_char(sql, '+');
    if (term->how != HOW_ONE_OF) {
        sql_add_term(select->table, term->column, signs[term->how], at + 1, sql);
        return;
    }
    sql_add_column(select->table, term->column, sql);
    text_print(sql, " IN (SELECT value FROM json_each(?%zu))", at + 1);
}

void sql_add_terms(const Select *select, Text *sql) {
    for (size_t i = 0; i < select->term_count; i++) {
        text_add(sql, i == 0 ? S(" WHERE ") : S(" AND "));
        sql_add_condition(select, i, sql);
    }
}

static bool sql_is_by_key(const Select *select) {
    return select->order == select->table->key;
}

/// Only rows beyond the one at `after`.
static void sql_add_after(const Select *select, Text *sql) {
    const Table *table = select->table;
    const char *beyond = select->descending ? "<" : ">";
    size_t number = select->term_count + 1;
    text_add(sql, select->term_count == 0 ? S(" WHERE ") : S(" AND "));
    if (sql_is_by_key(select)) {
        sql_add_term(table, table->key, beyond, number, sql);
        return;
    }
    text_add_char(sql, '(');
    sql_add_column(table, select->order, sql);
    text_add_char(sql, ',');
    sql_add_column(table, table->key, sql);
    text_print(sql, ") %s (?%zu,?%zu)", beyond, number + 2, number);
}

static void sql_add_order(const Select *select, Text *sql) {
    const char *direction = select->descending ? " DESC" : "";
    text_add(sql, S(" ORDER BY "));
    if (!sql_is_by_key(select)) {
        sql_add_column(select->table, select->order, sql);
        text_print(sql, "%s,", direction);
    }
    sql_add_column(select->table, select->table->key, sql);
    text_print(sql, "%s", direction);
}

void sql_select(const Select *select, Text *sql) {
    text_add(sql, S("SELECT "));
    sql_add_columns(select->table, sql);
    text_add(sql, S(" FROM "));
    sql_name(select->table->schema->name, sql);
    sql_add_terms(select, sql);
    if (select->after.ptr) sql_add_after(select, sql);
    sql_add_order(select, sql);
    text_print(sql, " LIMIT ?%zu", select->term_count + 2);
}

void sql_count_by(const Select *select, size_t column, Text *sql) {
    text_add(sql, S("SELECT "));
    sql_add_column(select->table, column, sql);
    text_add(sql, S(",count(*) FROM "));
    sql_name(select->table->schema->name, sql);
    sql_add_terms(select, sql);
    text_add(sql, S(" GROUP BY 1 ORDER BY 1"));
}

void sql_count(const Select *select, Text *sql) {
    text_add(sql, S("SELECT count(*) FROM "));
    sql_name(select->table->schema->name, sql);
    sql_add_terms(select, sql);
}

int sql_bind(sqlite3_stmt *statement, size_t number, const Value *value) {
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

/// A list as the JSON array that json_each takes; SQLite has a copy.
static int sql_bind_list(sqlite3_stmt *statement, size_t number, const Term *term) {
    SCOPED(text_done) Text list;
    text_init(&list, SQL_LIST_MAX);
    for (size_t i = 0; i < term->count; i++) {
        text_add_char(&list, i == 0 ? '[' : ',');
        if (term->values[i].kind == VALUE_TEXT)
            text_add_json(&list, term->values[i].text);
        else
            text_add_i64(&list, term->values[i].i64);
    }
    text_add(&list, term->count == 0 ? S("[]") : S("]"));
    if (list.failed) return list.failed == ERR_MEMORY ? SQLITE_NOMEM : SQLITE_TOOBIG;
    return sqlite3_bind_text64(
        statement, (int)number, list.ptr, list.len, SQLITE_TRANSIENT, SQLITE_UTF8);
}

int sql_bind_terms(sqlite3_stmt *statement, const Select *select) {
    int code = SQLITE_OK;
    for (size_t i = 0; i < select->term_count && code == SQLITE_OK; i++) {
        const Term *term = &select->terms[i];
        code = term->how == HOW_ONE_OF ? sql_bind_list(statement, i + 1, term)
                                       : sql_bind(statement, i + 1, &term->value);
    }
    return code;
}

int sql_bind_select(sqlite3_stmt *statement, const Select *select) {
    size_t after = select->term_count + 1;
    size_t parameters = (size_t)sqlite3_bind_parameter_count(statement);
    int code = sql_bind_terms(statement, select);
    if (parameters < after) return code; // of a count
    const Value limit = {.kind = VALUE_I64, .i64 = select->limit ? (int64_t)select->limit : -1};
    const Value key = value_str(select->after);
    if (code == SQLITE_OK) code = sql_bind(statement, after, &key);
    if (code == SQLITE_OK) code = sql_bind(statement, after + 1, &limit);
    if (code == SQLITE_OK && parameters > after + 1)
        code = sql_bind(statement, after + 2, &select->after_value);
    return code;
}

static Str sql_column_bytes(sqlite3_stmt *statement, int at) {
    const char *ptr = sqlite3_column_blob(statement, at);
    // SQLite has no pointer for an empty blob or text; ours would then be absent.
    return (Str){ptr ? ptr : "", (size_t)sqlite3_column_bytes(statement, at)};
}

static Value sql_value(sqlite3_stmt *statement, int at) {
    switch (sqlite3_column_type(statement, at)) {
    case SQLITE_INTEGER:
        return (Value){.kind = VALUE_I64, .i64 = sqlite3_column_int64(statement, at)};
    case SQLITE_FLOAT:
        return (Value){.kind = VALUE_DOUBLE, .real = sqlite3_column_double(statement, at)};
    case SQLITE_TEXT:
        return (Value){.kind = VALUE_TEXT, .text = sql_column_bytes(statement, at)};
    case SQLITE_BLOB:
        return (Value){.kind = VALUE_BLOB, .text = sql_column_bytes(statement, at)};
    default:
        return (Value){.kind = VALUE_NULL};
    }
}

void sql_row(sqlite3_stmt *statement, size_t columns, Value *ret_row) {
    for (size_t i = 0; i < columns; i++)
        ret_row[i] = sql_value(statement, (int)i);
}
