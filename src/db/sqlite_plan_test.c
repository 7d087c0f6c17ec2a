// SPDX-License-Identifier: Apache-2.0
/// How SQLite goes about our statements: by the index that is meant, prepared once.
#include "db/db_fixture.h"
#include "db/sqlite.h"
#include "db/sqlite_sql.h"

#include "test.h"

#include <string.h>

/// A connection to a store with the fixture's tables.
static void plan_open(Fixture *fixture, Connection *connection) {
    CHECK_OK(fixture_open(fixture, ENGINE_SQLITE));
    CHECK_OK(connection_open(fixture->path, false, connection, NULL));
}

/// SQLite's plan for the statement in `sql`, a line a step.
static Str plan_of(Fixture *fixture, Connection *connection, const Text *sql) {
    Str plan = S("");
    text_clear(&connection->sql);
    text_print(&connection->sql, "EXPLAIN QUERY PLAN %.*s", STR_FMT(text_str(sql)));
    SCOPED(statement_reset) sqlite3_stmt *statement = NULL;
    CHECK_OK(connection_prepare(connection, &statement));
    while (sqlite3_step(statement) == SQLITE_ROW)
        plan = str_print(&fixture->arena,
                         "%.*s%s\n",
                         STR_FMT(plan),
                         (const char *)sqlite3_column_text(statement, 3));
    return plan;
}

static bool plan_has(Str plan, const char *text) {
    return memmem(plan.ptr, plan.len, text, strlen(text)) != NULL;
}

static size_t column_of(const Table *table, const char *name) {
    return table_column(table, str_from(name));
}

TEST(rows_of_some_keys_are_found_by_these_and_not_by_their_scope) {
    SCOPED(connection_close) Connection connection = {};
    SCOPED(fixture_close) Fixture fixture = {};
    SCOPED(text_done) Text sql;
    text_init(&sql, SQL_BYTES_MAX);
    plan_open(&fixture, &connection);
    const Table *table = db_table(fixture.db, &Crate_schema);
    const Select select = {
        .table = table,
        .terms = {{table->scope, HOW_IS, value_str(S("north"))}, {table->key, HOW_ONE_OF}},
        .term_count = 2,
        .order = table->key,
    };
    sql_select(&select, &sql);
    Str plan = plan_of(&fixture, &connection, &sql);
    CHECK(plan_has(plan, "USING PRIMARY KEY (id=?)") && !plan_has(plan, "SCAN crate"));
}

TEST(rows_are_deleted_by_the_index_of_their_condition) {
    SCOPED(connection_close) Connection connection = {};
    SCOPED(fixture_close) Fixture fixture = {};
    SCOPED(text_done) Text sql;
    text_init(&sql, SQL_BYTES_MAX);
    plan_open(&fixture, &connection);
    const Table *table = db_table(fixture.db, &Crate_schema);
    const Select select = {
        .table = table,
        .terms = {{column_of(table, "size"), HOW_BELOW, value_u64(3)}},
        .term_count = 1,
        .order = table->key,
        .limit = 10,
    };
    sql_op(&(Op){.kind = OP_DELETE_WHERE, .table = table, .select = &select}, &sql);
    Str plan = plan_of(&fixture, &connection, &sql);
    CHECK(plan_has(plan, "crate_size (size<?)") && !plan_has(plan, "SCAN crate"));
}

TEST(a_page_in_the_order_of_a_field_is_read_off_its_index) {
    SCOPED(connection_close) Connection connection = {};
    SCOPED(fixture_close) Fixture fixture = {};
    SCOPED(text_done) Text sql;
    text_init(&sql, SQL_BYTES_MAX);
    plan_open(&fixture, &connection);
    const Table *table = db_table(fixture.db, &Crate_schema);
    const Select select = {
        .table = table,
        .terms = {{table->scope, HOW_IS, value_str(S("north"))}},
        .term_count = 1,
        .order = column_of(table, "packed_at"),
        .after = S("crate_1"),
        .descending = true,
        .limit = 10,
    };
    sql_select(&select, &sql);
    Str plan = plan_of(&fixture, &connection, &sql);
    CHECK(plan_has(plan, "USING INDEX crate_packed_at") && !plan_has(plan, "TEMP B-TREE"));
}

TEST(the_statement_of_an_operation_is_prepared_once) {
    SCOPED(fixture_close) Fixture fixture = {};
    CHECK_OK(fixture_open(&fixture, ENGINE_SQLITE));
    Tx *tx = fixture_tx(&fixture, "north");
    const Table *table = db_table(fixture.db, &Gauge_schema);
    Connection *writer = &((SqliteDb *)fixture.db)->writer.connection;
    sqlite3_stmt *first = NULL;
    for (uint64_t level = 1; level <= 3; level++) {
        Gauge gauge = {.name = S("g"), .yard = S("north"), .level = level};
        CHECK_OK(tx_put(tx, &Gauge_schema, &gauge));
        CHECK_OK(tx_commit(tx, NULL));
        sqlite3_stmt *kept = writer->kept[table->number * OP_KIND_COUNT + OP_PUT];
        CHECK(kept && (!first || kept == first));
        first = kept;
    }
}

TEST_MAIN(CASE(rows_of_some_keys_are_found_by_these_and_not_by_their_scope),
          CASE(rows_are_deleted_by_the_index_of_their_condition),
          CASE(a_page_in_the_order_of_a_field_is_read_off_its_index),
          CASE(the_statement_of_an_operation_is_prepared_once))
