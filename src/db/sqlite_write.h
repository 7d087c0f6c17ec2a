// SPDX-License-Identifier: Apache-2.0
/// One thread that writes, for all: group commit.
///
/// Nobody waits for it: who submits is told at the end. While one group is being made durable (the
/// slow part is one fsync), the next gathers in the queue, and is then taken as a whole, however
/// few threads it came from. Where only patient ones wait, they gather for a moment before they are
/// begun. Within a group each submission has a savepoint of its own, so that it succeeds or fails
/// alone; only a failing disk fails them together.
#pragma once

#include "db/engine.h"
#include "db/sqlite_connection.h"
#include "db/sqlite_queue.h"
#include "db/sqlite_room.h"

/// What a writer has done.
typedef struct WriterStats {
    uint64_t submissions; ///< applied or refused
    uint64_t commits;     ///< groups in which that was done, one commit each
} WriterStats;

typedef struct Writer {
    Connection connection; ///< the thread's, once it runs
    Room *disk;            ///< likewise; borrowed: what is left to do when it is full
    bool is_open;
    pthread_t thread;
    WriteQueue queue;
} Writer;

/// Start the thread, for a store of so many tables. Takes over `connection`, on success only;
/// `room` must outlive it. ERR_SYSTEM: no thread. ERR_MEMORY.
Err writer_open(Connection *connection, size_t table_count, Room *room, Writer *ret_writer);
/// Finish the queue, stop the thread, close the connection. Zeroed ones are well.
void writer_close(Writer *writer);
/// Apply its operations as one, and end it when that is durable, on the writer's thread. Errors:
/// those of the operations, with `fault`; ERR_FULL: there is no room, or only for operations with
/// deletions among them; ERR_UNAVAILABLE, ERR_SYSTEM as connection_err. ERR_BUSY: the queue is
/// full; told on this thread.
void writer_submit(Writer *writer, Submission *submission);
/// What it has done so far.
WriterStats writer_stats(Writer *writer);
