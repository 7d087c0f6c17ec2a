// SPDX-License-Identifier: Apache-2.0
/// One thread that writes, for all: group commit.
///
/// Whoever submits waits. While one group is being made durable (the slow part is one fsync), the
/// next gathers in the queue. Within a group each submission has a savepoint of its own, so that it
/// succeeds or fails alone; only a failing disk fails them together.
#pragma once

#include "db/engine.h"
#include "db/sqlite_connection.h"
#include "db/sqlite_room.h"

#include <pthread.h>

enum {
    WRITER_QUEUE_MAX = 256, ///< submissions that wait; more wait for room
    WRITER_GROUP_MAX = 64,  ///< submissions of one commit
};

typedef struct Submission Submission;

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
    pthread_mutex_t mutex; ///< guards what follows
    pthread_cond_t work;
    pthread_cond_t room;
    Submission *first; ///< the queue
    Submission *last;
    size_t queued;
    bool closing;
    WriterStats stats;
} Writer;

/// Start the thread, for a store of so many tables. Takes over `connection`, on success only;
/// `room` must outlive it. ERR_SYSTEM: no thread. ERR_MEMORY.
Err writer_open(Connection *connection, size_t table_count, Room *room, Writer *ret_writer);
/// Finish the queue, stop the thread, close the connection. Zeroed ones are well.
void writer_close(Writer *writer);
/// Apply `ops` as one and wait until that is durable. Errors: those of the ops, with `*ret_fault`;
/// ERR_FULL: there is no room, or only for operations with deletions among them; ERR_UNAVAILABLE,
/// ERR_SYSTEM as connection_err.
Err writer_submit(Writer *writer, const Op *ops, size_t count, TxFault *ret_fault);
/// What it has done so far.
WriterStats writer_stats(Writer *writer);
