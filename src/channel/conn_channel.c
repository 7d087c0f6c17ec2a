// SPDX-License-Identifier: Apache-2.0
#include "channel/conn_channel.h"

#include "base/clock.h"
#include "base/scope.h"
#include "channel/conn_crowd.h"
#include "channel/conn_state.h"
#include "channel/conn_wait.h"
#include "http1/upgrade.h"

#include <assert.h>

enum { MINUTE_US = 60'000'000, MESSAGE_SILENCES = 4 };

void conn_channel_end(Conn *conn, uint16_t status, Str reason) {
    assert(conn->state == CONN_OPEN);
    conn_wait_leave(conn);
    frame_encode_close(&conn->stream.unsent, status, reason, NULL);
    conn_count_end(conn);
    conn->state = CONN_CLOSING;
    conn_timer_start(conn, conn->loop->linger);
}

static Err channel_bind(Conn *conn) {
    if (!conn->stream.tls) return SUCCESS;
    TRY(tls_session_binding(conn->stream.tls, conn->binding));
    conn->peer.binding = (Bytes){conn->binding, TLS_BINDING_LEN};
    return SUCCESS;
}

/// Say what the owner says first.
static void channel_greet(Conn *conn) {
    const GatewayOptions *options = conn_options(conn);
    SCOPED(text_done) Text first;
    text_init(&first, options->reply_max_bytes);
    options->handlers.greet(options->app, &conn->peer, &first);
    if (text_check(&first).code != OK)
        conn_channel_end(conn, FRAME_INTERNAL, S(""));
    else if (first.len > 0)
        frame_encode(&conn->stream.unsent, FRAME_TEXT, text_str(&first), NULL);
}

void conn_channel_begin(Conn *conn) {
    conn->state = CONN_OPEN;
    if (channel_bind(conn).code == OK)
        channel_greet(conn);
    else
        conn_leave(conn);
}

/// The peer is there: its silence begins anew. A stranger's time runs on.
static void channel_heard(Conn *conn) {
    if (!conn->is_known) return;
    conn->is_pinged = false;
    conn_timer_start(conn, conn->loop->silent);
}

/// Each frame costs its part of a minute, paid in advance up to a minute's worth; who owes more
/// than that is not read for a while. A stranger gets no credit.
static void channel_pay(Conn *conn) {
    uint64_t now_us = clock_monotonic_ms() * 1000;
    if (conn->paid_until_us < now_us) conn->paid_until_us = now_us;
    conn->paid_until_us += MINUTE_US / conn_options(conn)->messages_per_minute_max;
    bool is_over = conn->paid_until_us > now_us + MINUTE_US;
    if (is_over && !conn->is_known) {
        conn_channel_end(conn, FRAME_POLICY, S("too many frames"));
        return;
    }
    conn->is_paused = is_over;
    if (is_over) conn_timer_start(conn, conn->loop->tick);
}

/// The job waits for room in the pool; the time that a stranger has runs on meanwhile.
static void channel_job_or_wait(Conn *conn, ConnJobKind kind, Str text) {
    if (conn_job_start(&conn->job, kind, text) || conn_wait_join(conn)) return;
    conn_channel_end(conn, FRAME_TRY_LATER, S("the server is busy"));
}

/// There are as many known peers as there may be.
static bool channel_is_full(const Conn *conn) {
    uint32_t max = conn_options(conn)->channels_max;
    return max > 0 && atomic_load(&conn->loop->gateway->open) >= max;
}

/// The message is wrong (1008, and the peer may know why), or we failed (1011).
static void channel_end_for(Conn *conn, Err err) {
    if (err.code <= ERR_STATE)
        conn_channel_end(conn, FRAME_POLICY, str_from(err.what));
    else
        conn_channel_end(conn, FRAME_INTERNAL, S(""));
}

/// A stranger has shown who it is.
static void channel_become_known(Conn *conn) {
    conn->is_known = true;
    conn_crowd_leave(conn);
    if (conn->state != CONN_OPEN) return;
    frame_raise(&conn->decoder, conn_options(conn)->message_max_bytes);
    atomic_fetch_add(&conn->loop->gateway->open, 1);
}

static void channel_answer(Conn *conn, Err result, const Text *reply) {
    frame_forget(&conn->decoder);
    if (!conn->is_known && !id_is_absent(&conn->peer.subject)) channel_become_known(conn);
    if (conn->state != CONN_OPEN) return;
    Err whole = text_check(reply);
    if (whole.code == OK && reply->len > 0)
        frame_encode(&conn->stream.unsent, FRAME_TEXT, text_str(reply), NULL);
    if (result.code == OK) result = whole;
    if (result.code != OK)
        channel_end_for(conn, result);
    else if (!conn->is_known)
        conn_channel_end(conn, FRAME_POLICY, S("the first message does not show who this is"));
}

/// What the owner can answer at a glance is answered now; all else is a job.
static void channel_take_message(Conn *conn, Str message) {
    if (!conn->is_known && channel_is_full(conn)) {
        conn_channel_end(conn, FRAME_TRY_LATER, S("the server is full"));
        return;
    }
    ChannelGlance glance = conn->is_known ? conn_job_glance(&conn->job, message) : GLANCE_NOT;
    if (glance == GLANCE_NOT) channel_job_or_wait(conn, CONN_JOB_MESSAGE, message);
    if (glance != GLANCE_ANSWERED) return;
    channel_answer(conn, SUCCESS, &conn->job.reply);
    conn_job_forget(&conn->job);
}

static void channel_take_close(Conn *conn, FrameEvent event) {
    if (conn->state == CONN_OPEN)
        frame_encode_close(&conn->stream.unsent, event.status, S(""), NULL);
    conn_linger(conn);
}

/// A message does not come to its end: frames in between do not excuse that.
static bool channel_is_stuck(Conn *conn) {
    if (!frame_is_begun(&conn->decoder)) {
        conn->begun_ms = 0;
        return false;
    }
    uint64_t now_ms = clock_monotonic_ms();
    if (conn->begun_ms == 0) conn->begun_ms = now_ms;
    return now_ms - conn->begun_ms > MESSAGE_SILENCES * conn_options(conn)->silence_ms;
}

void conn_channel_take(Conn *conn, Str *input) {
    FrameEvent event = frame_decode(&conn->decoder, input);
    if (conn->state == CONN_OPEN && channel_is_stuck(conn)) {
        conn_channel_end(conn, FRAME_POLICY, S("the message does not come to its end"));
        return;
    }
    if (event.kind == FRAME_EVENT_NONE) return;
    if (event.kind == FRAME_EVENT_CLOSE || event.kind == FRAME_EVENT_FAULT) {
        channel_take_close(conn, event);
        return;
    }
    if (conn->state != CONN_OPEN) return; // our close is on its way
    channel_heard(conn);
    channel_pay(conn);
    if (conn->state != CONN_OPEN) return;
    if (event.kind == FRAME_EVENT_PING)
        frame_encode(&conn->stream.unsent, FRAME_PONG, event.payload, NULL);
    if (event.kind == FRAME_EVENT_MESSAGE) channel_take_message(conn, event.payload);
}

bool conn_channel_is_reading(const Conn *conn) {
    return conn->job.kind == CONN_JOB_NONE && !(conn->is_paused && conn->state == CONN_OPEN);
}

/// A stranger's time is over; if it is because of our own job, it may come again.
static void channel_stranger_timeout(Conn *conn) {
    if (conn->job.kind != CONN_JOB_NONE)
        conn_channel_end(conn, FRAME_TRY_LATER, S("the server is busy"));
    else
        conn_channel_end(conn, FRAME_POLICY, S("no first message in time"));
}

/// Most of the allowed silence has passed, or all of it, or a pause.
static void channel_known_timeout(Conn *conn) {
    if (conn->is_paused) {
        conn->is_paused = conn->paid_until_us > clock_monotonic_ms() * 1000 + MINUTE_US;
        conn_timer_start(conn, conn->is_paused ? conn->loop->tick : conn->loop->silent);
    } else if (conn->job.kind != CONN_JOB_NONE) {
        channel_heard(conn); // it is we who do not listen
    } else if (conn->is_pinged) {
        conn_leave(conn);
    } else {
        conn->is_pinged = true;
        frame_encode(&conn->stream.unsent, FRAME_PING, S(""), NULL);
        conn_timer_start(conn, conn->loop->pong);
    }
}

void conn_channel_timeout(Conn *conn) {
    if (conn->is_known)
        channel_known_timeout(conn);
    else
        channel_stranger_timeout(conn);
}

void conn_channel_resume(Conn *conn) {
    ConnJob *job = &conn->job;
    if (job->kind == CONN_JOB_MESSAGE) channel_answer(conn, job->result, &job->reply);
    if (job->kind == CONN_JOB_CLOSED) conn->is_known = false;
    conn_job_forget(job);
    if (conn->state == CONN_OPEN && conn_channel_is_reading(conn)) channel_heard(conn);
}

bool conn_channel_depart(Conn *conn) {
    if (conn->job.kind == CONN_JOB_CLOSED) return true;
    conn_wait_leave(conn);
    if (conn->job.kind != CONN_JOB_NONE) return true;
    event_del(&conn->timer);
    if (conn->is_known) channel_job_or_wait(conn, CONN_JOB_CLOSED, (Str){});
    return conn->is_known;
}
