// SPDX-License-Identifier: Apache-2.0
#include "channel/conn_job.h"

#include "io/worker.h"

#include <assert.h>

void conn_job_init(ConnJob *job, const ConnJobs *jobs, ChannelPeer *peer) {
    *job = (ConnJob){.mail = {.kind = jobs->mail_kind}, .jobs = jobs, .peer = peer};
}

/// On any thread. From here on the job is the loop's, or gone.
static void conn_job_end(void *ctx, Err result) {
    ConnJob *job = ctx;
    job->result = result;
    mailbox_post(job->jobs->done, &job->mail);
}

/// On a worker. The loop leaves alone what is used here until the job is back.
static void conn_job_run(void *arg) {
    ConnJob *job = arg;
    const ConnJobs *jobs = job->jobs;
    if (job->kind == CONN_JOB_MESSAGE) {
        jobs->handlers->message(jobs->app, job->peer, job->text, &job->reply, conn_job_end, job);
        return;
    }
    jobs->handlers->closed(jobs->app, job->peer);
    conn_job_end(job, SUCCESS);
}

bool conn_job_submit(ConnJob *job) {
    job->is_waiting = false;
    Err err = worker_submit(job->jobs->workers, conn_job_run, job);
    if (err.code == OK) return true; // `job` is the worker's now
    assert(err.code == ERR_BUSY);    // the pool outlives the gateway
    job->is_waiting = true;
    return false;
}

void conn_job_forget(ConnJob *job) {
    text_done(&job->reply);
    conn_job_init(job, job->jobs, job->peer);
}

static void conn_job_begin(ConnJob *job, ConnJobKind kind, Str text) {
    assert(job->kind == CONN_JOB_NONE);
    job->kind = kind;
    job->text = text;
    job->result = SUCCESS;
    text_init(&job->reply, job->jobs->reply_max);
}

bool conn_job_start(ConnJob *job, ConnJobKind kind, Str text) {
    conn_job_begin(job, kind, text);
    return conn_job_submit(job);
}

ChannelGlance conn_job_glance(ConnJob *job, Str text) {
    const ConnJobs *jobs = job->jobs;
    if (!jobs->handlers->glance) return GLANCE_NOT;
    conn_job_begin(job, CONN_JOB_MESSAGE, text);
    ChannelGlance glance =
        jobs->handlers->glance(jobs->app, job->peer, text, &job->reply, conn_job_end, job);
    if (glance == GLANCE_NOT) conn_job_forget(job);
    return glance;
}
