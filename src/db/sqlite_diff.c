// SPDX-License-Identifier: Apache-2.0
/// Tables of a file against Schemas. SQLite's pragmas are read as tables, so that the questions are
/// queries.
#include "base/scope.h"
#include "db/sqlite_migrate.h"

static const char *const column_types[] = {
    [VALUE_I64] = "INTEGER", [VALUE_DOUBLE] = "REAL", [VALUE_TEXT] = "TEXT", [VALUE_BLOB] = "BLOB"};

// The indexes of table ?1 that cover every row, each with its columns as "a,b".
#define INDEXES                                                                                \
    "(SELECT name, \"unique\" AS is_unique, origin, (SELECT group_concat(coalesce(name, '?'))" \
    " FROM (SELECT name FROM pragma_index_info(list.name) ORDER BY seqno)) AS columns"         \
    " FROM pragma_index_list(?1) AS list WHERE NOT partial)"

/// Prepare `sql` with texts bound to ?1, ?2, ?3.
static Err
diff_ask(Connection *connection, const char *sql, const Str texts[3], sqlite3_stmt **ret) {
    text_clear(&connection->sql);
    text_add(&connection->sql, str_from(sql));
    TRY(connection_prepare(connection, ret));
    for (int i = 0; i < sqlite3_bind_parameter_count(*ret) && i < 3; i++)
        sqlite3_bind_text(*ret, i + 1, texts[i].ptr, (int)texts[i].len, SQLITE_STATIC);
    return SUCCESS;
}

/// The first column of the only row, a number; `fallback` when there is no row.
static Err diff_ask_number(
    Connection *connection, const char *sql, const Str texts[3], int fallback, int *ret_number) {
    SCOPED(statement_reset) sqlite3_stmt *statement = NULL;
    TRY(diff_ask(connection, sql, texts, &statement));
    int code = sqlite3_step(statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE) return connection_err(connection, code);
    *ret_number = code == SQLITE_ROW ? sqlite3_column_int(statement, 0) : fallback;
    return SUCCESS;
}

static Err diff_column(Connection *connection, const Table *table, size_t position, Text *out) {
    Str noun = table->schema->name;
    Str name = table->columns[position]->name;
    SCOPED(statement_reset) sqlite3_stmt *statement = NULL;
    TRY(diff_ask(connection,
                 "SELECT type, pk FROM pragma_table_info(?1) WHERE name = ?2",
                 (Str[3]){noun, name},
                 &statement));
    int code = sqlite3_step(statement);
    if (code == SQLITE_DONE) {
        text_print(out, "%.*s: no column %.*s\n", STR_FMT(noun), STR_FMT(name));
        return SUCCESS;
    }
    if (code != SQLITE_ROW) return connection_err(connection, code);
    const char *type = (const char *)sqlite3_column_text(statement, 0);
    const char *expected = column_types[table_kind(table, position)];
    if (!str_eq(str_from(type), str_from(expected)))
        text_print(out,
                   "%.*s: column %.*s is %s, not %s\n",
                   STR_FMT(noun),
                   STR_FMT(name),
                   type ? type : "untyped",
                   expected);
    bool is_key = sqlite3_column_int(statement, 1) != 0;
    if (is_key != (position == table->key))
        text_print(out,
                   "%.*s: column %.*s is %s of the primary key\n",
                   STR_FMT(noun),
                   STR_FMT(name),
                   is_key ? "part" : "not part");
    return SUCCESS;
}

static Err diff_columns(Connection *connection, const Table *table, Text *out) {
    for (size_t i = 0; i < table->column_count; i++)
        TRY(diff_column(connection, table, i, out));
    Str noun = table->schema->name;
    SCOPED(statement_reset) sqlite3_stmt *statement = NULL;
    TRY(diff_ask(connection, "SELECT name FROM pragma_table_info(?1)", (Str[3]){noun}, &statement));
    int code = SQLITE_OK;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        Str name = str_from((const char *)sqlite3_column_text(statement, 0));
        if (table_column(table, name) == COLUMN_NONE)
            text_print(
                out, "%.*s: column %.*s is not in the schema\n", STR_FMT(noun), STR_FMT(name));
    }
    return code == SQLITE_DONE ? SUCCESS : connection_err(connection, code);
}

/// Append the columns of a unique index: "field" or "scope,field".
static void diff_unique_columns(const Table *table, size_t position, Text *out) {
    if (table_is_scoped(table, position)) {
        text_add(out, table->columns[table->scope]->name);
        text_add_char(out, ',');
    }
    text_add(out, table->columns[position]->name);
}

static Err diff_index(Connection *connection, const Table *table, size_t position, Text *out) {
    const Field *field = table->columns[position];
    bool unique = table_is_unique(table, position);
    bool ordered = field->flags & ORDERED;
    if (position == table->key || !(field->flags & (UNIQUE | INDEXED | ORDERED))) return SUCCESS;
    SCOPED(text_done) Text wanted = {};
    text_init(&wanted, SQL_BYTES_MAX);
    diff_unique_columns(table, position, &wanted);
    // A unique value needs no key behind it to be a place in an order.
    if (ordered && !unique) text_print(&wanted, ",%.*s", STR_FMT(table->columns[table->key]->name));
    TRY(text_check(&wanted));
    Str noun = table->schema->name;
    int found = 0;
    TRY(diff_ask_number(
        connection,
        unique
            ? "SELECT count(*) FROM " INDEXES " WHERE is_unique AND columns = ?2"
            : "SELECT count(*) FROM " INDEXES
              " WHERE instr(columns || ',', ?2 || ',') = 1 OR instr(columns || ',', ?3 || ',') = 1",
        (Str[3]){noun, text_str(&wanted), ordered ? text_str(&wanted) : field->name},
        0,
        &found));
    if (found == 0)
        text_print(out,
                   "%.*s: no %sindex on (%.*s)\n",
                   STR_FMT(noun),
                   unique ? "unique " : "",
                   STR_FMT(text_str(&wanted)));
    return SUCCESS;
}

/// A unique index that the schema does not know would refuse what another engine takes.
static Err diff_surplus(Connection *connection, const Table *table, Text *out) {
    SCOPED(text_done) Text known = {};
    text_init(&known, SQL_BYTES_MAX);
    for (size_t i = 0; i < table->column_count; i++) {
        if (!table_is_unique(table, i)) continue;
        text_add_char(&known, ';');
        diff_unique_columns(table, i, &known);
    }
    text_add_char(&known, ';');
    TRY(text_check(&known));
    SCOPED(statement_reset) sqlite3_stmt *statement = NULL;
    TRY(diff_ask(connection,
                 "SELECT columns FROM " INDEXES " WHERE is_unique AND origin <> 'pk'"
                 " AND NOT instr(?2, ';' || columns || ';')",
                 (Str[3]){table->schema->name, text_str(&known)},
                 &statement));
    int code = SQLITE_OK;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW)
        text_print(out,
                   "%.*s: unique index on (%s) is not in the schema\n",
                   STR_FMT(table->schema->name),
                   (const char *)sqlite3_column_text(statement, 0));
    return code == SQLITE_DONE ? SUCCESS : connection_err(connection, code);
}

static Err diff_table(Connection *connection, const Table *table, Text *out) {
    Str noun = table->schema->name;
    int strict = 0;
    TRY(diff_ask_number(connection,
                        "SELECT strict FROM pragma_table_list WHERE name = ?1",
                        (Str[3]){noun},
                        -1,
                        &strict));
    if (strict != 1)
        text_print(out, "%.*s: %s\n", STR_FMT(noun), strict < 0 ? "no table" : "not STRICT");
    if (strict < 0) return SUCCESS;
    TRY(diff_columns(connection, table, out));
    for (size_t i = 0; i < table->column_count; i++)
        TRY(diff_index(connection, table, i, out));
    return diff_surplus(connection, table, out);
}

Err tables_diff(Connection *connection, const Db *db, Text *out) {
    for (size_t i = 0; i < db->table_count; i++)
        TRY(diff_table(connection, &db->tables[i], out));
    return SUCCESS;
}
