// SPDX-License-Identifier: Apache-2.0
/// A thread that looks after the store, in nobody's way: it reads the whole file for damage at the
/// start and every so often, and lets the writer see whether a full disk has room again while
/// nobody writes. It has the priority of the others: one that reads slowly keeps the log from
/// starting anew.
#pragma once

#include "db/sqlite_write.h"

#include <stdatomic.h>

typedef struct Care {
    const char *path; ///< the database's, borrowed; NULL: no thread runs
    uint64_t every_ms;
    Writer *writer;
    const Room *room;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t change;
    atomic_bool is_closing;
    atomic_bool is_damaged;
    Submission look; ///< nothing to apply; the writer's while it looks
    atomic_bool is_looking;
} Care;

/// Start the thread, if the options ask for it. `ret_care` must not move. ERR_SYSTEM: no thread.
Err care_open(const DbOptions *options, Writer *writer, const Room *room, Care *ret_care);
/// Stop it, a check under way as well. Zeroed ones are well.
void care_close(Care *care);
/// Whether the last check found damage; the log has what.
bool care_is_damaged(const Care *care);
