// SPDX-License-Identifier: Apache-2.0
#include "db/sqlite_migrate.h"
#include "base/clock.h"
#include "base/scope.h"
#include "db/sqlite_step.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

enum { SHA256_HEX_SIZE = 2 * crypto_hash_sha256_BYTES + 1, MIGRATION_BYTES_MAX = 1 << 20 };

/// The digest is of what the steps say, not of their statements: how an engine writes them may
/// change, what was released may not.
static Err migrate_checksum(const Migration *migration, char ret_hex[SHA256_HEX_SIZE]) {
    SCOPED(text_done) Text said = {};
    text_init(&said, MIGRATION_BYTES_MAX);
    if (!migration->steps) text_add(&said, str_from(migration->sql));
    for (size_t i = 0; i < migration->step_count; i++)
        step_print(&migration->steps[i], &said);
    TRY(text_check(&said));
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, (const unsigned char *)text_str(&said).ptr, text_str(&said).len);
    sodium_bin2hex(ret_hex, SHA256_HEX_SIZE, hash, sizeof(hash));
    return SUCCESS;
}

/// Which migration a failure is about, and why.
static Err migrate_fail(const Migration *migration, Err err, const char *words, Reason *reason) {
    return reason_fail(reason, err, "%u %s: %s", migration->number, migration->name, words);
}

/// How many migrations the file has had; each must be ours.
static Err migrate_count_applied(Connection *connection,
                                 const DbOptions *options,
                                 size_t *ret_count,
                                 Reason *reason) {
    text_clear(&connection->sql);
    text_add(&connection->sql, S("SELECT number, sha256 FROM schema_migration ORDER BY number"));
    SCOPED(statement_reset) sqlite3_stmt *statement = NULL;
    TRY(connection_prepare(connection, &statement));
    size_t count = 0;
    int code = SQLITE_OK;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        if (count == options->migration_count
            || sqlite3_column_int64(statement, 0) != options->migrations[count].number)
            return reason_fail(
                reason,
                FAIL(ERR_STATE, "the database has a migration that this program does not know"),
                "number %lld",
                (long long)sqlite3_column_int64(statement, 0));
        char expected[SHA256_HEX_SIZE];
        TRY(migrate_checksum(&options->migrations[count], expected));
        Str stored = str_from((const char *)sqlite3_column_text(statement, 1));
        if (!str_eq(stored, str_from(expected)))
            return migrate_fail(
                &options->migrations[count],
                FAIL(ERR_STATE, "a migration has changed since it was applied to the database"),
                "its SHA-256 is another",
                reason);
        count++;
    }
    if (code != SQLITE_DONE) return connection_err(connection, code);
    *ret_count = count;
    return SUCCESS;
}

static Err migrate_note(Connection *connection, const Migration *migration) {
    text_clear(&connection->sql);
    text_add(&connection->sql,
             S("INSERT INTO schema_migration (number, name, sha256, applied_at)"
               " VALUES (?1, ?2, ?3, ?4)"));
    SCOPED(statement_reset) sqlite3_stmt *statement = NULL;
    TRY(connection_prepare(connection, &statement));
    char hex[SHA256_HEX_SIZE];
    TRY(migrate_checksum(migration, hex));
    Clock clock = clock_system();
    sqlite3_bind_int64(statement, 1, migration->number);
    sqlite3_bind_text(statement, 2, migration->name, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 3, hex, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 4, (sqlite3_int64)clock_now_ms(&clock));
    int code = sqlite3_step(statement);
    return code == SQLITE_DONE ? SUCCESS : connection_err(connection, code);
}

static Err migrate_apply(Connection *connection, const Migration *migration, Reason *reason) {
    SCOPED(text_done) Text sql = {};
    text_init(&sql, MIGRATION_BYTES_MAX);
    if (!migration->steps) text_add(&sql, str_from(migration->sql));
    for (size_t i = 0; i < migration->step_count; i++)
        sqlite_step(&migration->steps[i], &sql);
    text_add_char(&sql, '\0');
    TRY(text_check(&sql));
    int code = sqlite3_exec(connection->handle, text_str(&sql).ptr, NULL, NULL, NULL);
    if (sqlite3_get_autocommit(connection->handle) && code == SQLITE_OK)
        return migrate_fail(migration,
                            FAIL(ERR_STATE, "a migration ends the transaction that it runs in"),
                            "it must not",
                            reason);
    Err err = code == SQLITE_OK ? SUCCESS : connection_err(connection, code);
    if (code == SQLITE_ERROR || (code & 0xff) == SQLITE_CONSTRAINT)
        err = FAIL(ERR_STATE, "a migration does not run on this database");
    if (err.code != OK) return migrate_fail(migration, err, connection_words(connection), reason);
    return migrate_note(connection, migration);
}

/// Within a transaction: apply the next migration, if there is one.
static Err
migrate_next(Connection *connection, const DbOptions *options, bool *ret_applied, Reason *reason) {
    TRY(connection_run(connection,
                       "CREATE TABLE IF NOT EXISTS schema_migration ("
                       " number INTEGER PRIMARY KEY, name TEXT NOT NULL,"
                       " sha256 TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT"));
    size_t count = 0;
    TRY(migrate_count_applied(connection, options, &count, reason));
    bool applied = count < options->migration_count;
    if (applied) TRY(migrate_apply(connection, &options->migrations[count], reason));
    *ret_applied = applied;
    return SUCCESS;
}

Err migrate(Connection *connection, const DbOptions *options, Reason *reason) {
    for (size_t i = 0; i < options->migration_count; i++)
        assert(options->migrations[i].number == i + 1);
    bool more = true;
    while (more) {
        // The lock comes first: what another program applies meanwhile is seen, not repeated.
        TRY(connection_run(connection, "BEGIN IMMEDIATE"));
        Err err = migrate_next(connection, options, &more, reason);
        if (err.code == OK) err = connection_run(connection, "COMMIT");
        if (err.code != OK && !sqlite3_get_autocommit(connection->handle))
            (void)connection_run(connection, "ROLLBACK").code;
        TRY(err);
    }
    return SUCCESS;
}
