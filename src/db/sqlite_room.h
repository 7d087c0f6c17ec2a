// SPDX-License-Identifier: Apache-2.0
/// What is left to do on a full disk.
///
/// A reserve, a file beside the database, holds some room back. When the disk is full it is given
/// back, so that the write-ahead log can go on; from then on the database does not grow: whatever
/// fits into its free pages is written, deletions (and what is noted with them) may take a part of
/// the reserve, all else is ERR_FULL. Once there is room for a new reserve, or deletions have left
/// as much within the file, all is as before.
///
/// The writer's thread is its owner; others may ask whether it is full.
#pragma once

#include "db/engine.h"
#include "db/sqlite_connection.h"

#include <stdatomic.h>

typedef struct Room {
    char *path;     ///< of the reserve, malloc'ed; NULL: there is none, nor what follows
    uint64_t bytes; ///< of it
    uint64_t pages; ///< that the database had when the disk became full
    uint64_t tried_ms;
    atomic_bool is_full;
} Room;

/// Make the reserve that the options ask for, if any; on a full disk begin as full. ERR_SYSTEM.
Err room_open(const DbOptions *options, Room *ret_room, Reason *reason);
/// Free; the reserve stays. Zeroed ones are well.
void room_close(Room *room);
/// Whether there is a reserve that may be given back.
bool room_has_reserve(const Room *room);
/// Whether the disk is full. Thread-safe.
bool room_is_full(const Room *room);
/// The disk is full, and no transaction is open: give the reserve back. False: there is none.
bool room_give_back(Room *room, Connection *connection);
/// While it is full, before a transaction: empty the log, and say how far it may grow the database.
/// `frees`: it deletes.
void room_bound(Room *room, Connection *connection, bool frees);
/// While it is full, and at most five times a second: see whether there is room again.
void room_heal(Room *room, Connection *connection);
