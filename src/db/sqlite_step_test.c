// SPDX-License-Identifier: Apache-2.0
/// Steps: their texts, and what they do to a store that has rows.
#include "base/scope.h"
#include "db/sqlite_connection.h"
#include "db/sqlite_step.h"

#include "test.h"

enum { SQL_MAX = 8192 };
#define COUNT(steps) (sizeof(steps) / sizeof((steps)[0]))

static const Step kinds[] = {
    ADD_TABLE("stone",
              {"id", STEP_TEXT, STEP_KEY},
              {"by", STEP_TEXT},
              {"kg", STEP_REAL},
              {"mark", STEP_BYTES}),
    ADD_FIELD("stone", "seen", STEP_INTEGER),
    ADD_FIELD("stone", "rank", STEP_INTEGER, STEP_ORDERED),
    ADD_FIELD("stone", "shelf", STEP_TEXT, STEP_ORDERED),
    ADD_INDEX("stone", "stone_by", "by", "id"),
    ADD_UNIQUE("stone", "stone_seen", "by", "seen"),
    FILL_TEXT("stone", "by", "o'er; --"),
    FILL_INTEGER("stone", "seen", INT64_MIN),
    FILL_FROM("stone", "by", "id"),
    DROP_INDEX("stone", "stone_by"),
    RENAME_FIELD("stone", "seen", "order"),
    DROP_FIELD("stone", "kg"),
    RENAME_TABLE("stone", "group"),
    DROP_TABLE("group"),
};

TEST(every_kind_has_its_text) {
    SCOPED(text_done) Text sql = {};
    text_init(&sql, SQL_MAX);
    for (size_t i = 0; i < COUNT(kinds); i++)
        sqlite_step(&kinds[i], &sql);
    CHECK_OK(text_check(&sql));
    CHECK_STR(text_str(&sql),
              S("CREATE TABLE \"stone\" (\"id\" TEXT PRIMARY KEY, \"by\" TEXT, \"kg\" REAL,"
                " \"mark\" BLOB) STRICT, WITHOUT ROWID;\n"
                "ALTER TABLE \"stone\" ADD COLUMN \"seen\" INTEGER;\n"
                "ALTER TABLE \"stone\" ADD COLUMN \"rank\" INTEGER;\n"
                "UPDATE \"stone\" SET \"rank\" = 0 WHERE \"rank\" IS NULL;\n"
                "ALTER TABLE \"stone\" ADD COLUMN \"shelf\" TEXT;\n"
                "UPDATE \"stone\" SET \"shelf\" = '' WHERE \"shelf\" IS NULL;\n"
                "CREATE INDEX \"stone_by\" ON \"stone\" (\"by\", \"id\");\n"
                "CREATE UNIQUE INDEX \"stone_seen\" ON \"stone\" (\"by\", \"seen\");\n"
                "UPDATE \"stone\" SET \"by\" = 'o''er; --' WHERE \"by\" IS NULL;\n"
                "UPDATE \"stone\" SET \"seen\" = -9223372036854775808 WHERE \"seen\" IS NULL;\n"
                "UPDATE \"stone\" SET \"by\" = \"id\" WHERE \"by\" IS NULL;\n"
                "DROP INDEX \"stone_by\";\n"
                "ALTER TABLE \"stone\" RENAME COLUMN \"seen\" TO \"order\";\n"
                "ALTER TABLE \"stone\" DROP COLUMN \"kg\";\n"
                "ALTER TABLE \"stone\" RENAME TO \"group\";\n"
                "DROP TABLE \"group\";\n"));
}

static int steps_run(Connection *connection, const Step *steps, size_t count) {
    SCOPED(text_done) Text sql = {};
    text_init(&sql, SQL_MAX);
    for (size_t i = 0; i < count; i++)
        sqlite_step(&steps[i], &sql);
    text_add_char(&sql, '\0');
    CHECK_OK(text_check(&sql));
    return sqlite3_exec(connection->handle, text_str(&sql).ptr, NULL, NULL, NULL);
}

static int64_t count(Connection *connection, const char *sql) {
    text_clear(&connection->sql);
    text_add(&connection->sql, str_from(sql));
    SCOPED(statement_reset) sqlite3_stmt *statement = NULL;
    CHECK_OK(connection_prepare(connection, &statement));
    CHECK(sqlite3_step(statement) == SQLITE_ROW);
    return sqlite3_column_int64(statement, 0);
}

TEST(every_kind_keeps_the_rows_that_are_there) {
    SCOPED(connection_close) Connection c = {};
    CHECK_OK(connection_open(":memory:", false, &c, NULL));
    CHECK(steps_run(&c, kinds, 1) == SQLITE_OK);
    CHECK_OK(
        connection_run(&c, "INSERT INTO stone VALUES ('a', NULL, 1, NULL), ('b', 'me', 2, NULL)"));
    CHECK(steps_run(&c, kinds + 1, 6) == SQLITE_OK);
    CHECK(count(&c, "SELECT count(*) FROM stone WHERE rank = 0 AND shelf = ''") == 2);
    CHECK(count(&c, "SELECT count(*) FROM stone WHERE id = 'a' AND \"by\" = 'o''er; --'") == 1);
    CHECK(count(&c, "SELECT count(*) FROM stone WHERE id = 'b' AND \"by\" = 'me'") == 1);
    CHECK_OK(connection_run(&c, "UPDATE stone SET \"by\" = NULL WHERE id = 'b'"));
    CHECK(steps_run(&c, kinds + 7, 6) == SQLITE_OK);
    CHECK(count(&c,
                "SELECT count(*) FROM \"group\" WHERE id = 'b' AND \"by\" = 'b'"
                " AND \"order\" = -9223372036854775808")
          == 1);
    CHECK(count(&c, "SELECT count(*) FROM \"group\"") == 2);
    CHECK(count(&c, "SELECT count(*) FROM pragma_table_info('group') WHERE name = 'kg'") == 0);
    CHECK(steps_run(&c, kinds + 13, 1) == SQLITE_OK);
    CHECK(count(&c, "SELECT count(*) FROM sqlite_schema") == 0);
}

static const Step unique[] = {ADD_UNIQUE("stone", "stone_by", "by")};

TEST(rows_that_break_a_unique_index_stop_it) {
    SCOPED(connection_close) Connection c = {};
    CHECK_OK(connection_open(":memory:", false, &c, NULL));
    CHECK(steps_run(&c, kinds, 1) == SQLITE_OK);
    CHECK_OK(connection_run(&c, "INSERT INTO stone (id, \"by\") VALUES ('a', 'x'), ('b', 'x')"));
    CHECK((steps_run(&c, unique, 1) & 0xff) == SQLITE_CONSTRAINT);
    CHECK_OK(connection_run(&c, "UPDATE stone SET \"by\" = NULL"));
    CHECK(steps_run(&c, unique, 1) == SQLITE_OK);
}

static const Step various[] = {
    ADD_INDEX("a", "i", "b", "c"),
    ADD_INDEX("a", "i", "b 1:c"),
    ADD_INDEX("a", "i", "c", "b"),
    ADD_UNIQUE("a", "i", "b", "c"),
    ADD_FIELD("a", "b", STEP_TEXT),
    ADD_FIELD("a", "b", STEP_INTEGER),
    ADD_FIELD("a", "b", STEP_TEXT, STEP_ORDERED),
    FILL_TEXT("a", "b", ""),
    FILL_TEXT("a", "b", "-"),
    FILL_INTEGER("a", "b", 0),
    FILL_INTEGER("a", "b", 1),
    FILL_FROM("a", "b", "c"),
    RENAME_FIELD("a", "b", "c"),
};

TEST(steps_that_differ_print_differently) {
    for (size_t i = 0; i < COUNT(various) * COUNT(various); i++) {
        SCOPED(text_done) Text one = {}, other = {};
        text_init(&one, SQL_MAX);
        text_init(&other, SQL_MAX);
        step_print(&various[i / COUNT(various)], &one);
        step_print(&various[i % COUNT(various)], &other);
        bool same = i / COUNT(various) == i % COUNT(various);
        CHECK(str_eq(text_str(&one), text_str(&other)) == same);
    }
}

/// What is kept in stores must not change with the program.
TEST(the_form_of_a_step_is_frozen) {
    SCOPED(text_done) Text out = {};
    text_init(&out, SQL_MAX);
    step_print(&kinds[0], &out);
    step_print(&kinds[7], &out);
    CHECK_STR(text_str(&out),
              S("add table 5:stone - - - 0 2:id text key 2:by text plain 2:kg real plain"
                " 4:mark bytes plain\n"
                "fill integer 5:stone 4:seen - - -9223372036854775808\n"));
}

TEST_MAIN(CASE(every_kind_has_its_text),
          CASE(every_kind_keeps_the_rows_that_are_there),
          CASE(rows_that_break_a_unique_index_stop_it),
          CASE(steps_that_differ_print_differently),
          CASE(the_form_of_a_step_is_frozen))
