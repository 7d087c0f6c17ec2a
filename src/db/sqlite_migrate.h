// SPDX-License-Identifier: Apache-2.0
/// The history of a SQLite store's tables, and whether they are what the Schemas say.
#pragma once

#include "db/engine.h"
#include "db/sqlite_connection.h"

/// Apply the migrations that are new, each in a transaction of its own; other programs may do the
/// same at once. ERR_STATE: an applied one has changed or is unknown (nothing was changed), or a
/// new one does not run (it left nothing). ERR_UNAVAILABLE, ERR_SYSTEM: as connection_err.
/// The Reason names the migration, if it is about one, and has SQLite's words.
Err migrate(Connection *connection, const DbOptions *options, Reason *reason);
/// Append a line for each difference between the tables of `db` and those in the file.
Err tables_diff(Connection *connection, const Db *db, Text *out);
