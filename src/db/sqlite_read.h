// SPDX-License-Identifier: Apache-2.0
/// Connections that read in parallel. A read takes one for its duration, so that it sees everything
/// that was committed before it.
#pragma once

#include "db/engine.h"
#include "db/sqlite_connection.h"

#include <pthread.h>

enum { READERS_MAX = 256 };

typedef struct Readers {
    pthread_mutex_t mutex;
    pthread_cond_t returned;
    Connection *connections; ///< `count` of them, malloc'ed
    size_t count;
    Connection *idle[READERS_MAX]; ///< a stack: the last used has the warmest cache
    size_t idle_count;
} Readers;

/// Open `count` connections to the existing file. ERR_MEMORY: out of memory. ERR_SYSTEM.
Err readers_open(const char *path, size_t count, Readers *ret_readers, Reason *reason);
/// Close them; none may be in use. Zeroed ones are well.
void readers_close(Readers *readers);
/// Give the rows of a Select to `sink`. Waits while all connections are in use.
Err readers_select(Readers *readers, const Select *select, RowSink sink);
/// Count the rows of a Select.
Err readers_count(Readers *readers, const Select *select, uint64_t *ret_count);
/// Give a row of value and count for each value of `column`.
Err readers_count_by(Readers *readers, const Select *select, size_t column, RowSink sink);
/// Read the file's list of tables.
Err readers_check(Readers *readers);
