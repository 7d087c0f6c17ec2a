// SPDX-License-Identifier: Apache-2.0
#include "db/sqlite_step.h"
#include "db/sqlite_sql_parts.h"

#include <assert.h>
#include <inttypes.h>

static const char *const sqlite_types[] = {
    [STEP_TEXT] = "TEXT", [STEP_INTEGER] = "INTEGER", [STEP_REAL] = "REAL", [STEP_BYTES] = "BLOB"};

/// Append `words` and a quoted name.
static void sqlite_add(const char *words, const char *name, Text *sql) {
    text_add(sql, str_from(words));
    sql_name(str_from(name), sql);
}

static void sqlite_add_column(const StepColumn *column, Text *sql) {
    assert(column->role == STEP_PLAIN || column->type == STEP_TEXT
           || (column->role == STEP_ORDERED && column->type == STEP_INTEGER));
    sql_name(str_from(column->name), sql);
    text_print(
        sql, " %s%s", sqlite_types[column->type], column->role == STEP_KEY ? " PRIMARY KEY" : "");
}

static void sqlite_add_literal(const char *text, Text *sql) {
    text_add_char(sql, '\'');
    for (; *text; text++) {
        if (*text == '\'') text_add_char(sql, '\'');
        text_add_char(sql, *text);
    }
    text_add_char(sql, '\'');
}

static void sqlite_add_table(const Step *step, Text *sql) {
    sqlite_add("CREATE TABLE ", step->table, sql);
    for (size_t i = 0; i < step->column_count; i++) {
        assert((step->columns[i].role == STEP_KEY) == (i == 0));
        text_add(sql, i == 0 ? S(" (") : S(", "));
        sqlite_add_column(&step->columns[i], sql);
    }
    text_add(sql, S(") STRICT, WITHOUT ROWID"));
}

static void sqlite_add_index(const Step *step, Text *sql) {
    bool unique = step->kind == STEP_ADD_UNIQUE;
    sqlite_add(unique ? "CREATE UNIQUE INDEX " : "CREATE INDEX ", step->name, sql);
    sqlite_add(" ON ", step->table, sql);
    for (size_t i = 0; i < step->field_count; i++)
        sqlite_add(i == 0 ? " (" : ", ", step->fields[i], sql);
    text_add_char(sql, ')');
}

static void sqlite_fill(const Step *step, Text *sql) {
    sqlite_add("UPDATE ", step->table, sql);
    sqlite_add(" SET ", step->name, sql);
    text_add(sql, S(" = "));
    if (step->kind == STEP_FILL_TEXT) sqlite_add_literal(step->text, sql);
    if (step->kind == STEP_FILL_INTEGER) text_print(sql, "%" PRId64, step->integer);
    if (step->kind == STEP_FILL_FROM) sql_name(str_from(step->other), sql);
    sqlite_add(" WHERE ", step->name, sql);
    text_add(sql, S(" IS NULL"));
}

static void sqlite_add_field(const Step *step, Text *sql) {
    const StepColumn *column = &step->columns[0];
    assert(step->column_count == 1 && column->role != STEP_KEY);
    sqlite_add("ALTER TABLE ", step->table, sql);
    text_add(sql, S(" ADD COLUMN "));
    sqlite_add_column(column, sql);
    if (column->role != STEP_ORDERED) return;
    text_add(sql, S(";\n"));
    bool is_text = column->type == STEP_TEXT;
    sqlite_fill(
        &(Step){
            is_text ? STEP_FILL_TEXT : STEP_FILL_INTEGER, step->table, column->name, .text = ""},
        sql);
}

static void sqlite_drop_table(const Step *step, Text *sql) {
    sqlite_add("DROP TABLE ", step->table, sql);
}

static void sqlite_rename_table(const Step *step, Text *sql) {
    sqlite_add("ALTER TABLE ", step->table, sql);
    sqlite_add(" RENAME TO ", step->other, sql);
}

static void sqlite_drop_field(const Step *step, Text *sql) {
    sqlite_add("ALTER TABLE ", step->table, sql);
    sqlite_add(" DROP COLUMN ", step->name, sql);
}

static void sqlite_rename_field(const Step *step, Text *sql) {
    sqlite_add("ALTER TABLE ", step->table, sql);
    sqlite_add(" RENAME COLUMN ", step->name, sql);
    sqlite_add(" TO ", step->other, sql);
}

static void sqlite_drop_index(const Step *step, Text *sql) {
    sqlite_add("DROP INDEX ", step->name, sql);
}

void sqlite_step(const Step *step, Text *sql) {
    static void (*const renderers[STEP_KIND_COUNT])(const Step *step, Text *sql) = {
        [STEP_ADD_TABLE] = sqlite_add_table,
        [STEP_DROP_TABLE] = sqlite_drop_table,
        [STEP_RENAME_TABLE] = sqlite_rename_table,
        [STEP_ADD_FIELD] = sqlite_add_field,
        [STEP_DROP_FIELD] = sqlite_drop_field,
        [STEP_RENAME_FIELD] = sqlite_rename_field,
        [STEP_ADD_INDEX] = sqlite_add_index,
        [STEP_ADD_UNIQUE] = sqlite_add_index,
        [STEP_DROP_INDEX] = sqlite_drop_index,
        [STEP_FILL_TEXT] = sqlite_fill,
        [STEP_FILL_INTEGER] = sqlite_fill,
        [STEP_FILL_FROM] = sqlite_fill,
    };
    renderers[step->kind](step, sql);
    text_add(sql, S(";\n"));
}
