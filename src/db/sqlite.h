// SPDX-License-Identifier: Apache-2.0
/// The SQLite engine's object, for its own files and its tests.
#pragma once

#include "db/sqlite_care.h"
#include "db/sqlite_read.h"
#include "db/sqlite_write.h"

typedef struct SqliteDb {
    Db db;
    Readers readers;
    Room room;
    Writer writer;
    Care care;
} SqliteDb;
