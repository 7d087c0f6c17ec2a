// SPDX-License-Identifier: Apache-2.0
#include "channel/conn.h"

#include "base/clock.h"
#include "io/tls.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { UNSENT_MESSAGES = 4, UNSENT_SLACK = 1024, MINUTE_US = 60'000'000 };

static const GatewayOptions *options_of(const Conn *conn) {
    return &conn->loop->gateway->options;
}

ChannelId conn_id(const Conn *conn) {
    return (ChannelId)conn->loop->index << SLOT_NUMBER_BITS | conn->number;
}

static void timer_start(Conn *conn, const struct timeval *duration) {
    event_add(&conn->timer, duration);
}

static void conn_free(Conn *conn) {
    Gateway *gateway = conn->loop->gateway;
    slots_remove(&conn->loop->slots, conn->number);
    atomic_fetch_sub(&gateway->connections, 1);
    event_del(&conn->timer);
    frame_decoder_done(&conn->decoder);
    text_done(&conn->head);
    free(conn->rest);
    free(conn);
}

/// The connection is over; the end of this turn closes the socket.
static void leave(Conn *conn) {
    Gateway *gateway = conn->loop->gateway;
    if (conn->state == CONN_GONE) return;
    if (conn->state == CONN_OPEN) atomic_fetch_sub(&gateway->open, 1);
    if (conn->state <= CONN_AUTHORISING) atomic_fetch_add(&gateway->refused, 1);
    conn->state = CONN_GONE;
}

/// Nothing more is to be said: throw away what comes until the peer closes, so that it reads
/// everything we sent.
static void linger(Conn *conn) {
    if (conn->state == CONN_OPEN) atomic_fetch_sub(&conn->loop->gateway->open, 1);
    if (conn->state <= CONN_AUTHORISING) atomic_fetch_add(&conn->loop->gateway->refused, 1);
    conn->state = CONN_LINGERING;
    timer_start(conn, conn->loop->linger);
}

static void refuse(Conn *conn, UpgradeStatus status) {
    upgrade_refuse(&conn->stream.unsent, status);
    linger(conn);
}

/// Say that the channel ends, and wait for the peer to say so too.
static void say_close(Conn *conn, uint16_t status, Str reason) {
    assert(conn->state == CONN_OPEN);
    if (conn->job.is_waiting) conn_job_forget(conn);
    frame_encode_close(&conn->stream.unsent, status, reason, NULL);
    atomic_fetch_sub(&conn->loop->gateway->open, 1);
    conn->state = CONN_CLOSING;
    timer_start(conn, conn->loop->linger);
}

/// The peer is there: its silence begins anew.
static void heard(Conn *conn) {
    conn->is_pinged = false;
    timer_start(conn, conn->loop->half_silence);
}

/// Each frame costs its part of a minute, paid in advance up to a minute's worth; who owes more
/// than that is not read for a while.
static void pay(Conn *conn) {
    uint64_t now_us = clock_monotonic_ms() * 1000;
    if (conn->paid_until_us < now_us) conn->paid_until_us = now_us;
    conn->paid_until_us += MINUTE_US / options_of(conn)->messages_per_minute_max;
    conn->is_paused = conn->paid_until_us > now_us + MINUTE_US;
    if (conn->is_paused) timer_start(conn, conn->loop->tick);
}

static void job_start(Conn *conn, JobKind kind, Str text) {
    if (!conn_job_start(conn, kind, text)) timer_start(conn, conn->loop->tick);
}

/// The peer's request, as far as it has come.
static void take_head(Conn *conn, Str *input) {
    size_t seen = conn->head.len;
    text_add(&conn->head, *input);
    *input = str_slice(*input, input->len, input->len);
    if (conn->head.failed) {
        refuse(conn, UPGRADE_HEAD_TOO_BIG);
        return;
    }
    Str head = text_str(&conn->head);
    size_t len = upgrade_head_len(head, seen);
    if (len == 0) return;
    UpgradeStatus status = UPGRADE_BAD_REQUEST; // for more than a head
    if (len == head.len)
        status = upgrade_request_parse(head, str_from(options_of(conn)->path), &conn->request);
    if (status == UPGRADE_ACCEPTED && !conn->request.bearer.ptr) status = UPGRADE_UNAUTHORISED;
    if (status != UPGRADE_ACCEPTED) {
        refuse(conn, status);
        return;
    }
    conn->state = CONN_AUTHORISING;
    if (!conn_job_start(conn, JOB_AUTHORISE, conn->request.bearer)) {
        conn_job_forget(conn);
        refuse(conn, UPGRADE_TOO_MANY);
    }
}

static void take_close(Conn *conn, FrameEvent event) {
    if (conn->state == CONN_OPEN)
        frame_encode_close(&conn->stream.unsent, event.status, S(""), NULL);
    linger(conn);
}

static void take_frame(Conn *conn, Str *input) {
    FrameEvent event = frame_decode(&conn->decoder, input);
    if (event.kind == FRAME_EVENT_NONE) return;
    if (event.kind == FRAME_EVENT_CLOSE || event.kind == FRAME_EVENT_FAULT) {
        take_close(conn, event);
        return;
    }
    if (conn->state != CONN_OPEN) return; // our close is on its way
    heard(conn);
    pay(conn);
    if (event.kind == FRAME_EVENT_PING)
        frame_encode(&conn->stream.unsent, FRAME_PONG, event.payload, NULL);
    if (event.kind == FRAME_EVENT_MESSAGE) job_start(conn, JOB_MESSAGE, event.payload);
}

static bool is_reading(const Conn *conn) {
    return conn->job.kind == JOB_NONE && !(conn->is_paused && conn->state == CONN_OPEN);
}

/// Take in what can be taken now; what is left of `input` is left for later.
static void take(Conn *conn, Str *input) {
    while (input->len > 0 && is_reading(conn)) {
        if (conn->state == CONN_HEAD)
            take_head(conn, input);
        else if (conn->state == CONN_OPEN || conn->state == CONN_CLOSING)
            take_frame(conn, input);
        else
            *input = (Str){};
    }
}

static void take_rest(Conn *conn) {
    if (!conn->rest) return;
    Str input = str_slice((Str){conn->rest, conn->rest_len}, conn->rest_at, conn->rest_len);
    take(conn, &input);
    conn->rest_at = conn->rest_len - input.len;
    if (input.len > 0) return;
    free(conn->rest);
    conn->rest = NULL;
}

static void keep_rest(Conn *conn, Str input) {
    if (input.len == 0) return;
    assert(!conn->rest);
    conn->rest = malloc(input.len);
    if (!conn->rest) {
        leave(conn);
        return;
    }
    memcpy(conn->rest, input.ptr, input.len);
    conn->rest_len = input.len;
    conn->rest_at = 0;
}

static Err read_some(Conn *conn) {
    if (conn->rest || !is_reading(conn)) return SUCCESS; // woken for the other direction
    char *scratch = conn->loop->scratch;
    size_t len = 0;
    StreamRead got = STREAM_LATER;
    TRY(stream_read(&conn->stream, scratch, CONN_READ_MAX, &len, &got));
    if (got == STREAM_END) leave(conn);
    if (got != STREAM_DATA) return SUCCESS;
    Str input = {scratch, len};
    take(conn, &input);
    keep_rest(conn, input);
    return SUCCESS;
}

static Err shake_hands(Conn *conn) {
    bool is_done = false;
    TRY(stream_handshake(&conn->stream, &is_done, NULL));
    if (!is_done) return SUCCESS;
    conn->state = CONN_HEAD;
    if (conn->stream.tls && tls_is_resumed(conn->stream.tls))
        atomic_fetch_add(&conn->loop->gateway->resumed, 1);
    return SUCCESS;
}

/// A GONE connection: the socket goes now, the owner is told once its last job is back, and then
/// the rest goes.
static void depart(Conn *conn) {
    stream_done(&conn->stream);
    if (conn->job.kind == JOB_CLOSED) return;
    if (conn->job.is_waiting) conn_job_forget(conn);
    if (conn->job.kind != JOB_NONE) return;
    event_del(&conn->timer);
    if (conn->was_opened)
        job_start(conn, JOB_CLOSED, (Str){});
    else
        conn_free(conn);
}

/// Every entry from the loop ends here; `conn` may be freed by it.
static void turn_end(Conn *conn) {
    if (conn->state != CONN_GONE) {
        Err err = stream_flush(&conn->stream); // over its limit: the peer does not read
        if (err.code != OK) leave(conn);
    }
    if (conn->state == CONN_GONE) {
        depart(conn);
        return;
    }
    if (conn->state == CONN_LINGERING && conn->stream.unsent.len == 0 && !conn->is_shut) {
        stream_shut(&conn->stream);
        conn->is_shut = true;
    }
    stream_arm(&conn->stream, is_reading(conn));
}

static void on_ready(evutil_socket_t, short, void *arg) {
    Conn *conn = arg;
    Err err = conn->state == CONN_HANDSHAKE ? shake_hands(conn) : SUCCESS;
    if (err.code == OK && conn->state != CONN_HANDSHAKE) err = read_some(conn);
    if (err.code != OK) leave(conn);
    turn_end(conn);
}

/// Half of the allowed silence has passed, or a pause.
static void open_timeout(Conn *conn) {
    if (conn->is_paused) {
        conn->is_paused = conn->paid_until_us > clock_monotonic_ms() * 1000 + MINUTE_US;
        timer_start(conn, conn->is_paused ? conn->loop->tick : conn->loop->half_silence);
        take_rest(conn);
    } else if (conn->job.kind != JOB_NONE) {
        heard(conn); // it is we who do not listen
    } else if (conn->is_pinged) {
        leave(conn);
    } else {
        conn->is_pinged = true;
        frame_encode(&conn->stream.unsent, FRAME_PING, S(""), NULL);
        timer_start(conn, conn->loop->half_silence);
    }
}

static void on_timeout(evutil_socket_t, short, void *arg) {
    Conn *conn = arg;
    if (conn->job.is_waiting) {
        timer_start(conn, conn->loop->tick);
        if (conn_job_submit(conn) && conn->state == CONN_GONE) event_del(&conn->timer);
    } else if (conn->state == CONN_OPEN) {
        open_timeout(conn);
    } else {
        leave(conn);
    }
    turn_end(conn);
}

void conn_open(GatewayLoop *loop, int fd, const char *remote) {
    Gateway *gateway = loop->gateway;
    Conn *conn = calloc(1, sizeof(*conn));
    if (!conn || !slots_add(&loop->slots, conn, &conn->number)) {
        free(conn);
        close(fd);
        atomic_fetch_sub(&gateway->connections, 1);
        return;
    }
    uint32_t message_max = gateway->options.message_max_bytes;
    conn->loop = loop;
    snprintf(conn->remote, sizeof(conn->remote), "%s", remote);
    text_init(&conn->head, UPGRADE_HEAD_MAX);
    frame_decoder_init(&conn->decoder, true, message_max);
    size_t unsent_max = UNSENT_MESSAGES * ((size_t)message_max + FRAME_HEAD_MAX) + UNSENT_SLACK;
    stream_init(&conn->stream, loop->base, fd, unsent_max, on_ready, conn);
    event_assign(&conn->timer, loop->base, -1, 0, on_timeout, conn);
    timer_start(conn, loop->handshake);
    Err err = gateway->tls ? stream_secure(&conn->stream, gateway->tls, (Str){}) : SUCCESS;
    if (err.code == OK) err = shake_hands(conn);
    if (err.code != OK || loop->is_stopping) leave(conn);
    turn_end(conn);
}

void conn_send(Conn *conn, Str message) {
    if (conn->state != CONN_OPEN) return;
    frame_encode(&conn->stream.unsent, FRAME_TEXT, message, NULL);
    turn_end(conn);
}

void conn_drop(Conn *conn, uint16_t status, Str reason) {
    if (conn->state != CONN_OPEN) return;
    say_close(conn, status, reason);
    turn_end(conn);
}

void conn_stop(Conn *conn) {
    if (conn->state == CONN_OPEN)
        say_close(conn, FRAME_GOING_AWAY, S("the server stops"));
    else if (conn->state <= CONN_AUTHORISING)
        leave(conn);
    turn_end(conn);
}

static UpgradeStatus refusal_of(ErrCode code) {
    uint32_t status = err_http_status(code);
    bool is_told = status == UPGRADE_UNAUTHORISED || status == UPGRADE_FORBIDDEN
                   || status == UPGRADE_TOO_MANY || status == UPGRADE_UNAVAILABLE;
    return is_told ? (UpgradeStatus)status : UPGRADE_INTERNAL;
}

static void authorised(Conn *conn, Err result) {
    if (conn->state != CONN_AUTHORISING) return;
    if (result.code != OK) {
        refuse(conn, refusal_of(result.code));
        return;
    }
    upgrade_accept(&conn->stream.unsent, conn->request.key);
    text_done(&conn->head);
    conn->request = (UpgradeRequest){};
    conn->state = CONN_OPEN;
    atomic_fetch_add(&conn->loop->gateway->open, 1);
    heard(conn);
    job_start(conn, JOB_OPENED, (Str){});
}

/// The message is wrong (1008, and the peer may know why), or we failed (1011).
static void end_for(Conn *conn, Err err) {
    if (err.code <= ERR_STATE)
        say_close(conn, FRAME_POLICY, str_from(err.what));
    else
        say_close(conn, FRAME_INTERNAL, S(""));
}

static void answer(Conn *conn, Err result, const Text *reply) {
    frame_forget(&conn->decoder);
    if (conn->state != CONN_OPEN) return;
    if (result.code == OK) result = text_check(reply);
    if (result.code != OK)
        end_for(conn, result);
    else if (reply->len > 0)
        frame_encode(&conn->stream.unsent, FRAME_TEXT, text_str(reply), NULL);
}

void conn_job_done(Conn *conn) {
    Job job = conn->job;
    conn->job = (Job){};
    if (job.kind == JOB_AUTHORISE) authorised(conn, job.result);
    if (job.kind == JOB_MESSAGE) answer(conn, job.result, &job.reply);
    if (job.kind == JOB_CLOSED) conn->was_opened = false;
    text_done(&job.reply);
    if (conn->state == CONN_OPEN && is_reading(conn)) heard(conn);
    take_rest(conn);
    turn_end(conn);
}
