// SPDX-License-Identifier: Apache-2.0
/// Engines behind `Tx`: SQLite for real use, memory for tests and simulation.
///
/// `Db` is thread-safe: any number of threads may hold a Tx each. An engine is a table of
/// functions (db/engine.h); nothing outside src/db knows which one it has.
#pragma once

#include "base/text.h"
#include "db/step.h"
#include "db/tx.h"

/// One numbered step of the schema's history, applied once, in order, each in a transaction.
typedef struct Migration {
    uint32_t number;  ///< 1, 2, 3, ... without a gap
    const char *name; ///< "start"
    const Step *steps;
    size_t step_count;
    const char *sql; ///< or, where `steps` is NULL, statements of the engine: tables in tests that
                     ///< no step would make
} Migration;

typedef struct DbOptions {
    const char *path;            ///< SQLite: the database file
    const Migration *migrations; ///< SQLite; applied at open when new
    size_t migration_count;
    const Schema *const *schemas; ///< all that a Tx will use; SQLite: compared with the tables
    size_t schema_count;
    uint32_t readers; ///< SQLite: connections that read in parallel, 1..256
    /// SQLite: room on the disk that is held back for deletions when it is full; 0: none,
    /// else at least 8 MiB: half of that is what the write-ahead log may still move into the file.
    uint64_t reserve_bytes;
    /// SQLite: look for damage now and again every so often, in the background; 0: never. `path`
    /// must then stay until db_close.
    uint32_t check_every_s;
} DbOptions;

/// Open or create the SQLite store: WAL, synchronous=FULL, one writer thread with group commit,
/// parallel readers. Applies new migrations first. ERR_STATE: an applied migration has changed or
/// is unknown (a newer program's), or a table does not match its Schema. ERR_SYSTEM: the file
/// cannot be used. The Reason names the file, and has SQLite's words or the differences.
Err db_open_sqlite(const DbOptions *options, Db **ret_db, Reason *reason);
/// Open an empty store in memory with the tables of `schemas`.
Err db_open_memory(const DbOptions *options, Db **ret_db);
/// Wait for writes under way and close. No Tx may be open. NULL-safe; returns NULL.
Db *db_close(Db *db);
/// ERR_FULL, ERR_UNAVAILABLE or ERR_SYSTEM while the store cannot serve: a real read of it, and
/// what its care has found: a full disk, a damaged file.
Err db_check(Db *db);

/// Append a line for each difference between the tables that `migrations` make and `schemas`; none
/// when they fit. Works on a SQLite store of its own in memory, so a test can run it anywhere.
///
/// What fits: a STRICT table of the schema's name; exactly its stored fields as columns: INTEGER
/// for bool, integers, time and duration, REAL for double, BLOB for bytes, TEXT for the rest; the
/// KEY field as primary key; a unique index on exactly (scope, field) for each UNIQUE field, and no
/// other; an index that begins with (scope, field) or (field) for each INDEXED one, with (scope,
/// field, key) for each ORDERED one that is not UNIQUE. Where the
/// schema has no SCOPE, or the field is it or GLOBAL, read (field) alone. Lists of a large table
/// also want an index on (scope, key), which is not asked for. ERR_STATE: a migration does not run;
/// the Reason says which, and why.
Err db_schema_diff(const DbOptions *options, Text *out, Reason *reason);
