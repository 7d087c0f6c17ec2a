// SPDX-License-Identifier: Apache-2.0
/// The one piece of the owner's code that is under way for a connection, on the worker pool. Inside
/// of the gateway only.
///
/// While a job is under way it is the worker's, and then whoever's who answers, with the text and
/// the peer that it borrows; the mailbox brings it back.
#pragma once

#include "channel/gateway.h"
#include "channel/mailbox.h"

typedef enum ConnJobKind { CONN_JOB_NONE, CONN_JOB_MESSAGE, CONN_JOB_CLOSED } ConnJobKind;

/// What the jobs of one loop have in common.
typedef struct ConnJobs {
    WorkerPool *workers;
    const ChannelHandlers *handlers;
    void *app;
    Mailbox *done;      ///< where a finished job is posted
    int mail_kind;      ///< of its mail
    uint32_t reply_max; ///< bytes
} ConnJobs;

typedef struct ConnJob {
    Mail mail; ///< comes back with it
    ConnJobKind kind;
    bool is_waiting; ///< for room in the pool
    const ConnJobs *jobs;
    ChannelPeer *peer;
    Str text; ///< the message
    Text reply;
    Err result;
} ConnJob;

/// No job yet; `jobs` and `peer` are borrowed for as long as there is the connection.
void conn_job_init(ConnJob *job, const ConnJobs *jobs, ChannelPeer *peer);
/// Let the owner look at a message, on this thread. GLANCE_ANSWERED: the job is back; GLANCE_TAKEN:
/// it is under way; else there is none.
ChannelGlance conn_job_glance(ConnJob *job, Str text);
/// Hand a job of this kind to the pool; `text` is borrowed until it is back. False: it waits for
/// room (conn_job_submit again, or conn_job_forget).
bool conn_job_start(ConnJob *job, ConnJobKind kind, Str text);
/// Try again to hand a waiting job to the pool; false as above.
bool conn_job_submit(ConnJob *job);
/// Forget a job that waits or is back; there is none then.
void conn_job_forget(ConnJob *job);
