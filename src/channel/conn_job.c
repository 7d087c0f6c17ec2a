// SPDX-License-Identifier: Apache-2.0
// The owner's code for one connection, on the worker pool.
#include "channel/conn.h"

#include "io/worker.h"

#include <assert.h>

/// On a worker. The loop leaves alone what is used here until the job is back.
static void run(void *arg) {
    Conn *conn = arg;
    Job *job = &conn->job;
    const GatewayOptions *options = &conn->loop->gateway->options;
    const ChannelHandlers *handlers = &options->handlers;
    ChannelId id = conn_id(conn);
    job->result = SUCCESS;
    switch (job->kind) {
    case JOB_AUTHORISE:
        job->result =
            handlers->authorise(options->app, job->text, str_from(conn->remote), &conn->subject);
        break;
    case JOB_OPENED:
        handlers->opened(options->app, id, &conn->subject);
        break;
    case JOB_MESSAGE:
        job->result = handlers->message(options->app, id, &conn->subject, job->text, &job->reply);
        break;
    case JOB_CLOSED:
        handlers->closed(options->app, id, &conn->subject);
        break;
    case JOB_NONE:
        assert(false);
    }
    mailbox_post(&conn->loop->mailbox, &job->mail);
}

bool conn_job_submit(Conn *conn) {
    Job *job = &conn->job;
    bool was_opened = conn->was_opened;
    if (job->kind == JOB_OPENED) conn->was_opened = true;
    job->is_waiting = false;
    Err err = worker_submit(conn->loop->gateway->workers, run, conn);
    if (err.code == OK) return true; // `job` is the worker's now
    assert(err.code == ERR_BUSY);    // the pool outlives the gateway
    conn->was_opened = was_opened;
    job->is_waiting = true;
    return false;
}

bool conn_job_start(Conn *conn, JobKind kind, Str text) {
    assert(conn->job.kind == JOB_NONE);
    conn->job = (Job){.mail = {.kind = MAIL_JOB}, .kind = kind, .text = text};
    text_init(&conn->job.reply, conn->loop->gateway->options.message_max_bytes);
    return conn_job_submit(conn);
}

void conn_job_forget(Conn *conn) {
    assert(conn->job.kind == JOB_NONE || conn->job.is_waiting);
    text_done(&conn->job.reply);
    conn->job = (Job){};
}
