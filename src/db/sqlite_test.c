// SPDX-License-Identifier: Apache-2.0
/// What only the SQLite engine has: a file, migrations, tables that may differ, disks that fill up.
#include "db/db_fixture.h"
#include "db/sqlite.h"

#include "test.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static Reason said; // about the last reopen

static Err reopen(Fixture *fixture, const DbOptions *options) {
    fixture->db = db_close(fixture->db);
    return db_open_sqlite(options, &fixture->db, &said);
}

/// A new file without tables of ours.
static DbOptions bare_options(const Fixture *fixture, const Migration *migrations, size_t count) {
    return (DbOptions){
        .path = fixture->path, .migrations = migrations, .migration_count = count, .readers = 1};
}

/// The first column of the first row.
static int64_t ask(const Fixture *fixture, const char *sql) {
    SCOPED(connection_close) Connection connection = {};
    CHECK_OK(connection_open(fixture->path, false, &connection, NULL));
    text_add(&connection.sql, str_from(sql));
    SCOPED(statement_reset) sqlite3_stmt *statement = NULL;
    CHECK_OK(connection_prepare(&connection, &statement));
    CHECK(sqlite3_step(statement) == SQLITE_ROW);
    return sqlite3_column_int64(statement, 0);
}

TEST(what_was_committed_is_there_after_reopening) {
    SCOPED(fixture_close) Fixture fixture = {};
    CHECK_OK(fixture_open(&fixture, ENGINE_SQLITE));
    CHECK_OK(entry_append(fixture.db, S("north"), S("x")));
    DbOptions options = fixture_options(&fixture);
    CHECK_OK(reopen(&fixture, &options));
    CHECK_OK(db_check(fixture.db));
    Entry entry = {};
    Tx *tx = fixture_tx(&fixture, "north");
    CHECK_OK(tx_get(tx, &Entry_schema, S("north/00000001"), &entry));
    CHECK_STR(entry.text, S("x"));
}

/// Only a power cut would show it otherwise.
TEST(the_writer_waits_for_the_disk) {
    SCOPED(fixture_close) Fixture fixture = {};
    CHECK_OK(fixture_open(&fixture, ENGINE_SQLITE));
    sqlite3 *handle = ((SqliteDb *)fixture.db)->writer.connection.handle; // idle
    static const struct {
        const char *pragma;
        const char *value;
    } settings[] = {
        {"PRAGMA synchronous",  "2"  }, // FULL
        {"PRAGMA journal_mode", "wal"},
        {"PRAGMA foreign_keys", "0"  },
    };
    for (size_t i = 0; i < 3; i++) {
        sqlite3_stmt *statement = NULL;
        CHECK(sqlite3_prepare_v2(handle, settings[i].pragma, -1, &statement, NULL) == SQLITE_OK);
        CHECK(sqlite3_step(statement) == SQLITE_ROW);
        CHECK_STR(str_from((const char *)sqlite3_column_text(statement, 0)),
                  str_from(settings[i].value));
        sqlite3_finalize(statement);
    }
}

TEST(the_file_is_the_owners_alone) {
    SCOPED(fixture_close) Fixture fixture = {};
    CHECK_OK(fixture_open(&fixture, ENGINE_SQLITE));
    CHECK_OK(entry_append(fixture.db, S("north"), S("x")));
    struct stat status;
    CHECK(stat(fixture.path, &status) == 0 && (status.st_mode & 0777) == 0600);
    Str wal = str_print(&fixture.arena, "%s-wal", fixture.path);
    CHECK(stat(wal.ptr, &status) == 0 && (status.st_mode & 0777) == 0600);
}

TEST(a_file_that_is_no_database_is_refused) {
    SCOPED(fixture_close) Fixture fixture = {};
    CHECK_OK(fixture_init(&fixture));
    FILE *file = fopen(fixture.path, "w");
    CHECK(file && fputs("this is a text of some length, and nothing else at all", file) >= 0);
    CHECK(fclose(file) == 0);
    DbOptions options = fixture_options(&fixture);
    Reason reason = {};
    CHECK_ERR(db_open_sqlite(&options, &fixture.db, &reason), ERR_SYSTEM);
    CHECK(str_starts(str_from(reason.text), str_from(fixture.path)));
    CHECK_SAID(reason, "file is not a database");
    CHECK(fixture.db == NULL);
    options.path = "/nowhere/at/all";
    Err err = db_open_sqlite(&options, &fixture.db, &reason);
    CHECK(err.code == ERR_SYSTEM && err.sys == ENOENT);
    CHECK_STR(str_from(reason.text), S("/nowhere/at/all"));
}

static const Migration three[] = {
    {1, "one",   .sql = "CREATE TABLE one (a INTEGER) STRICT; INSERT INTO one VALUES (1)"},
    {2, "two",   .sql = "UPDATE one SET a = a + 1"                                       },
    {3, "three", .sql = "UPDATE one SET a = a * 10"                                      },
};

TEST(migrations_are_applied_once_in_order) {
    SCOPED(fixture_close) Fixture fixture = {};
    CHECK_OK(fixture_init(&fixture));
    for (size_t count = 0; count <= 3; count++) {
        DbOptions options = bare_options(&fixture, three, count);
        CHECK_OK(reopen(&fixture, &options));
        CHECK_OK(reopen(&fixture, &options));
    }
    CHECK(ask(&fixture, "SELECT a FROM one") == 20);
    CHECK(ask(&fixture, "SELECT count(*) FROM schema_migration WHERE applied_at > 0") == 3);
    CHECK(ask(&fixture, "SELECT length(sha256) FROM schema_migration WHERE name = 'two'") == 64);
}

TEST(a_migration_that_has_changed_stops_the_opening) {
    SCOPED(fixture_close) Fixture fixture = {};
    CHECK_OK(fixture_init(&fixture));
    DbOptions options = bare_options(&fixture, three, 2);
    CHECK_OK(reopen(&fixture, &options));
    Migration changed[] = {three[0], three[1], three[2]};
    changed[0].sql = "CREATE TABLE one (a INTEGER) STRICT; INSERT INTO one VALUES (7)";
    options = bare_options(&fixture, changed, 3);
    CHECK_ERR(reopen(&fixture, &options), ERR_STATE);
    CHECK(str_starts(str_from(said.text), str_from(fixture.path)));
    CHECK_SAID(said, ": 1 one: ");
    CHECK(ask(&fixture, "SELECT a FROM one") == 2);
    CHECK(ask(&fixture, "SELECT count(*) FROM schema_migration") == 2);
}

TEST(a_migration_of_a_newer_program_stops_the_opening) {
    SCOPED(fixture_close) Fixture fixture = {};
    CHECK_OK(fixture_init(&fixture));
    DbOptions options = bare_options(&fixture, three, 3);
    CHECK_OK(reopen(&fixture, &options));
    options = bare_options(&fixture, three, 2);
    CHECK_ERR(reopen(&fixture, &options), ERR_STATE);
    CHECK_SAID(said, "number 3");
    CHECK(ask(&fixture, "SELECT count(*) FROM schema_migration") == 3);
}

TEST(a_migration_that_fails_leaves_nothing) {
    static const char *const words[] = {"no such table: two", "UNIQUE constraint", "syntax error"};
    static const char *const bad[] = {
        "UPDATE one SET a = 5; UPDATE two SET b = 1",
        "UPDATE one SET a = 5; INSERT INTO schema_migration VALUES (1, '', '', 0)",
        "UPDATE one SET a = 5; nonsense",
    };
    for (size_t i = 0; i < 3; i++) {
        SCOPED(fixture_close) Fixture fixture = {};
        CHECK_OK(fixture_init(&fixture));
        Migration migrations[] = {
            three[0], {2, "bad", .sql = bad[i]}
        };
        DbOptions options = bare_options(&fixture, migrations, 2);
        CHECK_ERR(reopen(&fixture, &options), ERR_STATE);
        CHECK_SAID(said, ": 2 bad: ");
        CHECK_SAID(said, words[i]);
        CHECK(ask(&fixture, "SELECT a FROM one") == 1);
        CHECK(ask(&fixture, "SELECT count(*) FROM schema_migration") == 1);
    }
}

TEST(a_migration_cannot_end_its_transaction_unnoticed) {
    SCOPED(fixture_close) Fixture fixture = {};
    CHECK_OK(fixture_init(&fixture));
    Migration migration = {1, "sly", .sql = "CREATE TABLE one (a INTEGER) STRICT; COMMIT"};
    DbOptions options = bare_options(&fixture, &migration, 1);
    CHECK_ERR(reopen(&fixture, &options), ERR_STATE);
}

static const Step steps_first[] = {
    ADD_TABLE("one", {"id", STEP_TEXT, STEP_KEY}, {"a", STEP_INTEGER}),
};
static const Step steps_edited[] = {
    ADD_TABLE("one", {"id", STEP_TEXT, STEP_KEY}, {"a", STEP_REAL}),
};
static const Step steps_second[] = {ADD_FIELD("one", "b", STEP_TEXT)};
static const Step steps_broken[] = {
    ADD_FIELD("one", "b", STEP_TEXT),
    FILL_TEXT("one", "b", "x"),
    DROP_FIELD("one", "nowhere"),
};

TEST(steps_are_applied_once_whole_and_as_they_were_released) {
    SCOPED(fixture_close) Fixture fixture = {};
    CHECK_OK(fixture_init(&fixture));
    Migration migrations[] = {
        {1, "first",  STEPS(steps_first) },
        {2, "second", STEPS(steps_broken)},
    };
    DbOptions options = bare_options(&fixture, migrations, 2);
    CHECK_ERR(reopen(&fixture, &options), ERR_STATE);
    CHECK_SAID(said, ": 2 second: ");
    CHECK_SAID(said, "nowhere");
    CHECK(ask(&fixture, "SELECT count(*) FROM pragma_table_info('one')") == 2);
    migrations[1] = (Migration){2, "second", STEPS(steps_second)};
    CHECK_OK(reopen(&fixture, &options));
    CHECK_OK(reopen(&fixture, &options));
    CHECK(ask(&fixture, "SELECT count(*) FROM pragma_table_info('one')") == 3);
    migrations[0] = (Migration){1, "first", STEPS(steps_edited)};
    CHECK_ERR(reopen(&fixture, &options), ERR_STATE);
    CHECK_SAID(said, ": 1 first: its SHA-256 is another");
}

TEST(programs_that_open_at_once_migrate_once) {
    enum { PROGRAMS = 4 };
    for (int round = 0; round < 5; round++) {
        SCOPED(fixture_close) Fixture fixture = {};
        CHECK_OK(fixture_init(&fixture));
        DbOptions options = bare_options(&fixture, three, 3);
        pid_t programs[PROGRAMS];
        for (size_t i = 0; i < PROGRAMS; i++) {
            programs[i] = fork();
            CHECK(programs[i] >= 0);
            if (programs[i] == 0) _exit(reopen(&fixture, &options).code == OK ? 0 : 1);
        }
        for (size_t i = 0; i < PROGRAMS; i++) {
            int status = -1;
            CHECK(waitpid(programs[i], &status, 0) == programs[i] && status == 0);
        }
        CHECK(ask(&fixture, "SELECT a FROM one") == 20);
    }
}

static Str diff(Text *text, const char *sql) {
    Migration migration = {1, "start", .sql = sql};
    const Schema *const schemas[] = {&Tag_schema, &Gauge_schema};
    text_clear(text);
    CHECK_OK(db_schema_diff(
        &(DbOptions){
            .migrations = &migration, .migration_count = 1, .schemas = schemas, .schema_count = 2},
        text,
        NULL));
    return text_str(text);
}

#define GAUGE "CREATE TABLE gauge (name TEXT PRIMARY KEY, yard TEXT, level INTEGER) STRICT;"

TEST(every_difference_of_tables_and_schemas_is_listed) {
    SCOPED(text_done) Text text = {};
    text_init(&text, 4096);
    CHECK_STR(diff(&text,
                   GAUGE "CREATE TABLE tag (name TEXT PRIMARY KEY, alias TEXT UNIQUE,"
                         " rev INTEGER) STRICT"),
              S(""));
    CHECK_STR(diff(&text, GAUGE), S("tag: no table\n"));
    CHECK_STR(diff(&text,
                   GAUGE "CREATE TABLE tag (name TEXT PRIMARY KEY, alias TEXT UNIQUE,"
                         " rev INTEGER)"),
              S("tag: not STRICT\n"));
    CHECK_STR(diff(&text,
                   GAUGE "CREATE TABLE tag (name TEXT, alias INTEGER PRIMARY KEY,"
                         " extra TEXT UNIQUE) STRICT"),
              S("tag: column name is not part of the primary key\n"
                "tag: column alias is INTEGER, not TEXT\n"
                "tag: column alias is part of the primary key\n"
                "tag: no column rev\n"
                "tag: column extra is not in the schema\n"
                "tag: no unique index on (alias)\n"
                "tag: unique index on (extra) is not in the schema\n"));
    CHECK_STR(diff(&text,
                   GAUGE "CREATE TABLE tag (name TEXT PRIMARY KEY, alias TEXT, rev INTEGER)"
                         " STRICT; CREATE UNIQUE INDEX a ON tag (alias) WHERE rev > 1;"
                         " CREATE INDEX b ON tag (alias)"),
              S("tag: no unique index on (alias)\n"));
}

TEST(an_indexed_field_needs_an_index_that_begins_with_it) {
    const Schema *const schemas[] = {&Crate_schema};
    DbOptions options = {.schemas = schemas, .schema_count = 1, .migration_count = 2};
    SCOPED(text_done) Text text = {};
    text_init(&text, 4096);
    Migration migrations[] = {
        fixture_migrations[0], {2, "less", .sql = "DROP INDEX crate_colour"}
    };
    options.migrations = migrations;
    CHECK_OK(db_schema_diff(&options, &text, NULL));
    CHECK_STR(text_str(&text), S("crate: no index on (yard,colour)\n"));
    text_clear(&text);
    migrations[1].sql = "DROP INDEX crate_colour; CREATE INDEX other ON crate (yard, id, colour);"
                        "CREATE INDEX partial ON crate (colour) WHERE size > 0";
    CHECK_OK(db_schema_diff(&options, &text, NULL));
    CHECK_STR(text_str(&text), S("crate: no index on (yard,colour)\n"));
    text_clear(&text);
    migrations[1].sql = "DROP INDEX crate_packed_at; CREATE INDEX x ON crate (yard, packed_at)";
    CHECK_OK(db_schema_diff(&options, &text, NULL));
    CHECK_STR(text_str(&text), S("crate: no index on (yard,packed_at,id)\n")); // it is an order
}

TEST(a_global_field_needs_a_unique_index_on_itself_alone) {
    const Schema *const schemas[] = {&Crate_schema};
    Migration migrations[] = {
        fixture_migrations[0],
        {2,
             "other", .sql = "DROP INDEX crate_seal; CREATE UNIQUE INDEX crate_seal ON crate (yard, seal)"}
    };
    SCOPED(text_done) Text text = {};
    text_init(&text, 4096);
    CHECK_OK(db_schema_diff(
        &(DbOptions){
            .migrations = migrations, .migration_count = 2, .schemas = schemas, .schema_count = 1},
        &text,
        NULL));
    CHECK_STR(text_str(&text),
              S("crate: no unique index on (seal)\n"
                "crate: unique index on (yard,seal) is not in the schema\n"));
}

TEST(a_store_whose_tables_differ_is_not_opened) {
    SCOPED(fixture_close) Fixture fixture = {};
    CHECK_OK(fixture_init(&fixture));
    DbOptions options = fixture_options(&fixture);
    options.migration_count = 1; // no tables for entry and tag
    CHECK_ERR(reopen(&fixture, &options), ERR_STATE);
}

TEST(a_damaged_row_is_an_error_of_the_store) {
    SCOPED(fixture_close) Fixture fixture = {};
    CHECK_OK(fixture_open(&fixture, ENGINE_SQLITE));
    Crate crate = crate_new(&fixture.arena, "north", "a", 1);
    CHECK_OK(crate_create(fixture.db, &crate));
    SCOPED(connection_close) Connection other = {};
    CHECK_OK(connection_open(fixture.path, false, &other, NULL));
    CHECK_OK(connection_run(&other, "UPDATE crate SET colour = 'puce'"));
    Err err = tx_get(fixture_tx(&fixture, NULL), &Crate_schema, id_str(&crate.id), &crate);
    CHECK(err.code == ERR_SYSTEM && err.sys == EBADMSG);
}

TEST(a_rule_that_only_the_table_knows_is_the_records_fault) {
    SCOPED(fixture_close) Fixture fixture = {};
    CHECK_OK(fixture_init(&fixture));
    Migration migrations[] = {
        fixture_migrations[0],
        fixture_migrations[1],
        {3,
             "rule", .sql = "CREATE TRIGGER t BEFORE INSERT ON gauge WHEN new.level > 9"
                " BEGIN SELECT raise(ABORT, 'too high'); END"}
    };
    DbOptions options = fixture_options(&fixture);
    options.migrations = migrations;
    options.migration_count = 3;
    CHECK_OK(reopen(&fixture, &options));
    Tx *tx = fixture_tx(&fixture, "north");
    CHECK_OK(tx_put(tx, &Gauge_schema, &(Gauge){.name = S("a"), .yard = S("north"), .level = 10}));
    CHECK_ERR(tx_commit(tx, NULL), ERR_INVALID);
    CHECK_OK(tx_put(tx, &Gauge_schema, &(Gauge){.name = S("a"), .yard = S("north"), .level = 9}));
    CHECK_OK(tx_commit(tx, NULL));
}

TEST_MAIN(CASE(what_was_committed_is_there_after_reopening),
          CASE(the_writer_waits_for_the_disk),
          CASE(the_file_is_the_owners_alone),
          CASE(a_file_that_is_no_database_is_refused),
          CASE(migrations_are_applied_once_in_order),
          CASE(a_migration_that_has_changed_stops_the_opening),
          CASE(a_migration_of_a_newer_program_stops_the_opening),
          CASE(a_migration_that_fails_leaves_nothing),
          CASE(a_migration_cannot_end_its_transaction_unnoticed),
          CASE(steps_are_applied_once_whole_and_as_they_were_released),
          CASE(programs_that_open_at_once_migrate_once),
          CASE(every_difference_of_tables_and_schemas_is_listed),
          CASE(an_indexed_field_needs_an_index_that_begins_with_it),
          CASE(a_global_field_needs_a_unique_index_on_itself_alone),
          CASE(a_store_whose_tables_differ_is_not_opened),
          CASE(a_damaged_row_is_an_error_of_the_store),
          CASE(a_rule_that_only_the_table_knows_is_the_records_fault))
