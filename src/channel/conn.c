// SPDX-License-Identifier: Apache-2.0
#include "channel/conn.h"

#include "base/clock.h"
#include "base/scope.h"
#include "http1/head.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { UNSENT_MESSAGES = 4, UNSENT_SLACK = 1024, MINUTE_US = 60'000'000 };

static const GatewayOptions *conn_options(const Conn *conn) {
    return &conn->loop->gateway->options;
}

static void conn_timer_start(Conn *conn, const struct timeval *duration) {
    event_add(&conn->timer, duration);
}

static void conn_free(Conn *conn) {
    Gateway *gateway = conn->loop->gateway;
    slots_remove(&conn->loop->slots, conn_number(conn->peer.channel));
    atomic_fetch_sub(&gateway->connections, 1);
    event_del(&conn->timer);
    frame_decoder_done(&conn->decoder);
    text_done(&conn->head);
    free(conn->rest);
    free(conn);
}

/// It will carry no more messages: count it as what it was.
static void conn_count_end(const Conn *conn) {
    Gateway *gateway = conn->loop->gateway;
    if (conn->state > CONN_OPEN) return;
    if (conn->is_known)
        atomic_fetch_sub(&gateway->open, 1);
    else
        atomic_fetch_add(&gateway->refused, 1);
}

/// The connection is over; the end of this turn closes the socket.
static void conn_leave(Conn *conn) {
    conn_count_end(conn);
    conn->state = CONN_GONE;
}

/// Nothing more is to be said: throw away what comes until the peer closes, so that it reads
/// everything we sent.
static void conn_linger(Conn *conn) {
    conn_count_end(conn);
    conn->state = CONN_LINGERING;
    conn_timer_start(conn, conn->loop->linger);
}

static void conn_refuse(Conn *conn, UpgradeVerdict verdict) {
    upgrade_refuse(&conn->stream.unsent, verdict, str_from(conn_options(conn)->protocol));
    conn_linger(conn);
}

/// Say that the channel ends, and wait for the peer to say so too.
static void conn_say_close(Conn *conn, uint16_t status, Str reason) {
    assert(conn->state == CONN_OPEN);
    if (conn->job.is_waiting) conn_job_forget(&conn->job);
    frame_encode_close(&conn->stream.unsent, status, reason, NULL);
    conn_count_end(conn);
    conn->state = CONN_CLOSING;
    conn_timer_start(conn, conn->loop->linger);
}

/// The peer is there: its silence begins anew. A stranger's time runs on.
static void conn_heard(Conn *conn) {
    if (!conn->is_known) return;
    conn->is_pinged = false;
    conn_timer_start(conn, conn->loop->half_silence);
}

/// Each frame costs its part of a minute, paid in advance up to a minute's worth; who owes more
/// than that is not read for a while. A stranger gets no credit.
static void conn_pay(Conn *conn) {
    uint64_t now_us = clock_monotonic_ms() * 1000;
    if (conn->paid_until_us < now_us) conn->paid_until_us = now_us;
    conn->paid_until_us += MINUTE_US / conn_options(conn)->messages_per_minute_max;
    bool is_over = conn->paid_until_us > now_us + MINUTE_US;
    if (is_over && !conn->is_known) {
        conn_say_close(conn, FRAME_POLICY, S("too many frames"));
        return;
    }
    conn->is_paused = is_over;
    if (is_over) conn_timer_start(conn, conn->loop->tick);
}

/// A known peer's job waits for room in the pool; a stranger, who may be one of many, does not.
static void conn_job_or_wait(Conn *conn, ConnJobKind kind, Str text) {
    if (conn_job_start(&conn->job, kind, text)) return;
    if (conn->is_known)
        conn_timer_start(conn, conn->loop->tick);
    else
        conn_say_close(conn, FRAME_TRY_LATER, S("the server is busy"));
}

/// The peer speaks our protocol: agree, and say what the owner says first.
static void conn_welcome(Conn *conn, Str key) {
    const GatewayOptions *options = conn_options(conn);
    SCOPED(text_done) Text first;
    text_init(&first, options->reply_max_bytes);
    options->handlers.greet(options->app, &conn->peer, &first);
    upgrade_accept(&conn->stream.unsent, key, str_from(options->protocol));
    text_done(&conn->head); // and `key` with it
    conn->state = CONN_OPEN;
    if (text_check(&first).code != OK)
        conn_say_close(conn, FRAME_INTERNAL, S(""));
    else if (first.len > 0)
        frame_encode(&conn->stream.unsent, FRAME_TEXT, text_str(&first), NULL);
}

/// The peer's request, as far as it has come; what follows it, already a frame, stays in `input`.
static void conn_take_head(Conn *conn, Str *input) {
    const GatewayOptions *options = conn_options(conn);
    size_t seen = conn->head.len;
    text_add(&conn->head, *input);
    Str head = text_str(&conn->head);
    size_t len = 0;
    HeadVerdict found = head_find(head, seen, &len);
    if (found.status) {
        conn_refuse(conn, (UpgradeVerdict){UPGRADE_BAD_REQUEST, found.detail});
        return;
    }
    if (conn->head.failed || (len ? len : head.len) > UPGRADE_HEAD_MAX) {
        conn_refuse(conn, (UpgradeVerdict){UPGRADE_HEAD_TOO_BIG, "the headers are too long"});
        return;
    }
    *input = str_slice(*input, len ? len - seen : input->len, input->len);
    if (len == 0) return;
    Str key = {};
    UpgradeVerdict verdict = upgrade_request_parse(
        str_slice(head, 0, len), str_from(options->path), str_from(options->protocol), &key);
    if (verdict.status == UPGRADE_ACCEPTED)
        conn_welcome(conn, key);
    else
        conn_refuse(conn, verdict);
}

static void conn_take_close(Conn *conn, FrameEvent event) {
    if (conn->state == CONN_OPEN)
        frame_encode_close(&conn->stream.unsent, event.status, S(""), NULL);
    conn_linger(conn);
}

/// The message is wrong (1008, and the peer may know why), or we failed (1011).
static void conn_end_for(Conn *conn, Err err) {
    if (err.code <= ERR_STATE)
        conn_say_close(conn, FRAME_POLICY, str_from(err.what));
    else
        conn_say_close(conn, FRAME_INTERNAL, S(""));
}

/// A stranger has shown who it is.
static void conn_become_known(Conn *conn) {
    conn->is_known = true;
    if (conn->state != CONN_OPEN) return;
    frame_raise(&conn->decoder, conn_options(conn)->message_max_bytes);
    atomic_fetch_add(&conn->loop->gateway->open, 1);
}

static void conn_answer(Conn *conn, Err result, const Text *reply) {
    frame_forget(&conn->decoder);
    if (!conn->is_known && !id_is_absent(&conn->peer.subject)) conn_become_known(conn);
    if (conn->state != CONN_OPEN) return;
    Err whole = text_check(reply);
    if (whole.code == OK && reply->len > 0)
        frame_encode(&conn->stream.unsent, FRAME_TEXT, text_str(reply), NULL);
    if (result.code == OK) result = whole;
    if (result.code != OK)
        conn_end_for(conn, result);
    else if (!conn->is_known)
        conn_say_close(conn, FRAME_POLICY, S("the first message does not show who this is"));
}

/// What the owner can answer at a glance is answered now; all else is a job.
static void conn_take_message(Conn *conn, Str message) {
    ChannelGlance glance = conn->is_known ? conn_job_glance(&conn->job, message) : GLANCE_NOT;
    if (glance == GLANCE_NOT) conn_job_or_wait(conn, CONN_JOB_MESSAGE, message);
    if (glance != GLANCE_ANSWERED) return;
    conn_answer(conn, SUCCESS, &conn->job.reply);
    conn_job_forget(&conn->job);
}

static void conn_take_frame(Conn *conn, Str *input) {
    FrameEvent event = frame_decode(&conn->decoder, input);
    if (event.kind == FRAME_EVENT_NONE) return;
    if (event.kind == FRAME_EVENT_CLOSE || event.kind == FRAME_EVENT_FAULT) {
        conn_take_close(conn, event);
        return;
    }
    if (conn->state != CONN_OPEN) return; // our close is on its way
    conn_heard(conn);
    conn_pay(conn);
    if (conn->state != CONN_OPEN) return;
    if (event.kind == FRAME_EVENT_PING)
        frame_encode(&conn->stream.unsent, FRAME_PONG, event.payload, NULL);
    if (event.kind == FRAME_EVENT_MESSAGE) conn_take_message(conn, event.payload);
}

static bool conn_is_reading(const Conn *conn) {
    return conn->job.kind == CONN_JOB_NONE && !(conn->is_paused && conn->state == CONN_OPEN);
}

/// Take in what can be taken now; what is left of `input` is left for later.
static void conn_take(Conn *conn, Str *input) {
    while (input->len > 0 && conn_is_reading(conn)) {
        if (conn->state == CONN_HEAD)
            conn_take_head(conn, input);
        else if (conn->state == CONN_OPEN || conn->state == CONN_CLOSING)
            conn_take_frame(conn, input);
        else
            *input = (Str){};
    }
}

static void conn_take_rest(Conn *conn) {
    if (!conn->rest) return;
    Str input = str_slice((Str){conn->rest, conn->rest_len}, conn->rest_at, conn->rest_len);
    conn_take(conn, &input);
    conn->rest_at = conn->rest_len - (uint32_t)input.len;
    if (input.len > 0) return;
    free(conn->rest);
    conn->rest = NULL;
}

static void conn_keep_rest(Conn *conn, Str input) {
    if (input.len == 0) return;
    assert(!conn->rest);
    conn->rest = malloc(input.len);
    if (!conn->rest) {
        conn_leave(conn);
        return;
    }
    memcpy(conn->rest, input.ptr, input.len);
    conn->rest_len = (uint32_t)input.len;
    conn->rest_at = 0;
}

static Err conn_read_some(Conn *conn) {
    if (conn->rest || !conn_is_reading(conn)) return SUCCESS; // woken for the other direction
    char *scratch = conn->loop->scratch;
    size_t len = 0;
    StreamRead got = STREAM_LATER;
    TRY(stream_read(&conn->stream, scratch, CONN_READ_MAX, &len, &got));
    if (got == STREAM_END) conn_leave(conn);
    if (got != STREAM_DATA) return SUCCESS;
    Str input = {scratch, len};
    conn_take(conn, &input);
    conn_keep_rest(conn, input);
    return SUCCESS;
}

static Err conn_shake_hands(Conn *conn) {
    bool is_done = false;
    TRY(stream_handshake(&conn->stream, &is_done, NULL));
    if (!is_done) return SUCCESS;
    conn->state = CONN_HEAD;
    if (!conn->stream.tls) return SUCCESS;
    TRY(tls_session_binding(conn->stream.tls, conn->binding));
    conn->peer.binding = (Bytes){conn->binding, TLS_BINDING_LEN};
    if (tls_is_resumed(conn->stream.tls)) atomic_fetch_add(&conn->loop->gateway->resumed, 1);
    return SUCCESS;
}

/// A GONE connection: the socket goes now, the owner is told once its last job is back, and then
/// the rest goes.
static void conn_depart(Conn *conn) {
    stream_done(&conn->stream);
    if (conn->job.kind == CONN_JOB_CLOSED) return;
    if (conn->job.is_waiting) conn_job_forget(&conn->job);
    if (conn->job.kind != CONN_JOB_NONE) return;
    event_del(&conn->timer);
    if (conn->is_known)
        conn_job_or_wait(conn, CONN_JOB_CLOSED, (Str){});
    else
        conn_free(conn);
}

/// Every entry from the loop ends here; `conn` may be freed by it.
static void conn_turn_end(Conn *conn) {
    if (conn->state != CONN_GONE) {
        Err err = stream_flush(&conn->stream); // over its limit: the peer does not read
        if (err.code != OK) conn_leave(conn);
    }
    if (conn->state == CONN_GONE) {
        conn_depart(conn);
        return;
    }
    if (conn->state == CONN_LINGERING && conn->stream.unsent.len == 0 && !conn->is_shut) {
        stream_shut(&conn->stream);
        conn->is_shut = true;
    }
    stream_arm(&conn->stream, conn_is_reading(conn));
}

static void conn_on_ready(evutil_socket_t, short what, void *arg) {
    Conn *conn = arg;
    if ((what & EV_READ) && !conn_is_reading(conn)) stream_hold(&conn->stream);
    Err err = conn->state == CONN_HANDSHAKE ? conn_shake_hands(conn) : SUCCESS;
    if (err.code == OK && conn->state != CONN_HANDSHAKE) err = conn_read_some(conn);
    if (err.code != OK) conn_leave(conn);
    conn_turn_end(conn);
}

/// A stranger's time is over; if it is because of our own job, it may come again.
static void conn_stranger_timeout(Conn *conn) {
    if (conn->job.kind != CONN_JOB_NONE)
        conn_say_close(conn, FRAME_TRY_LATER, S("the server is busy"));
    else
        conn_say_close(conn, FRAME_POLICY, S("no first message in time"));
}

/// Half of the allowed silence has passed, or a pause.
static void conn_known_timeout(Conn *conn) {
    if (conn->is_paused) {
        conn->is_paused = conn->paid_until_us > clock_monotonic_ms() * 1000 + MINUTE_US;
        conn_timer_start(conn, conn->is_paused ? conn->loop->tick : conn->loop->half_silence);
        conn_take_rest(conn);
    } else if (conn->job.kind != CONN_JOB_NONE) {
        conn_heard(conn); // it is we who do not listen
    } else if (conn->is_pinged) {
        conn_leave(conn);
    } else {
        conn->is_pinged = true;
        frame_encode(&conn->stream.unsent, FRAME_PING, S(""), NULL);
        conn_timer_start(conn, conn->loop->half_silence);
    }
}

static void conn_on_timeout(evutil_socket_t, short, void *arg) {
    Conn *conn = arg;
    if (conn->job.is_waiting) {
        conn_timer_start(conn, conn->loop->tick);
        if (conn_job_submit(&conn->job) && conn->state == CONN_GONE) event_del(&conn->timer);
    } else if (conn->state == CONN_OPEN && !conn->is_known) {
        conn_stranger_timeout(conn);
    } else if (conn->state == CONN_OPEN) {
        conn_known_timeout(conn);
    } else {
        conn_leave(conn);
    }
    conn_turn_end(conn);
}

void conn_open(GatewayLoop *loop, int fd, const char *remote) {
    Gateway *gateway = loop->gateway;
    Conn *conn = calloc(1, sizeof(*conn));
    uint64_t number = 0;
    if (!conn || !slots_add(&loop->slots, conn, &number)) {
        free(conn);
        close(fd);
        atomic_fetch_sub(&gateway->connections, 1);
        return;
    }
    const GatewayOptions *options = &gateway->options;
    conn->loop = loop;
    snprintf(conn->remote, sizeof(conn->remote), "%s", remote);
    conn->peer = (ChannelPeer){.channel = (ChannelId)loop->index << SLOT_NUMBER_BITS | number,
                               .remote = conn->remote};
    conn_job_init(&conn->job, &loop->jobs, &conn->peer);
    text_init(&conn->head, UPGRADE_HEAD_MAX + CONN_READ_MAX);
    frame_decoder_init(&conn->decoder, true, options->first_max_bytes);
    size_t unsent_max =
        UNSENT_MESSAGES * ((size_t)options->reply_max_bytes + FRAME_HEAD_MAX) + UNSENT_SLACK;
    stream_init(&conn->stream, loop->base, fd, unsent_max, conn_on_ready, conn);
    event_assign(&conn->timer, loop->base, -1, 0, conn_on_timeout, conn);
    conn_timer_start(conn, loop->handshake);
    Err err = gateway->tls ? stream_secure(&conn->stream, gateway->tls, (Str){}) : SUCCESS;
    if (err.code == OK) err = conn_shake_hands(conn);
    if (err.code != OK || loop->is_stopping) conn_leave(conn);
    conn_turn_end(conn);
}

void conn_send(Conn *conn, Str message) {
    if (conn->state != CONN_OPEN) return;
    frame_encode(&conn->stream.unsent, FRAME_TEXT, message, NULL);
    conn_turn_end(conn);
}

void conn_drop(Conn *conn, uint16_t status, Str reason) {
    if (conn->state != CONN_OPEN) return;
    conn_say_close(conn, status, reason);
    conn_turn_end(conn);
}

void conn_stop(Conn *conn) {
    if (conn->state == CONN_OPEN)
        conn_say_close(conn, FRAME_GOING_AWAY, S("the server stops"));
    else if (conn->state <= CONN_HEAD)
        conn_leave(conn);
    conn_turn_end(conn);
}

void conn_resume(Conn *conn) {
    ConnJob *job = &conn->job;
    if (job->kind == CONN_JOB_MESSAGE) conn_answer(conn, job->result, &job->reply);
    if (job->kind == CONN_JOB_CLOSED) conn->is_known = false;
    conn_job_forget(job);
    if (conn->state == CONN_OPEN && conn_is_reading(conn)) conn_heard(conn);
    conn_take_rest(conn);
    conn_turn_end(conn);
}
