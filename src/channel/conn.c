// SPDX-License-Identifier: Apache-2.0
#include "channel/conn.h"

#include "channel/conn_channel.h"
#include "channel/conn_crowd.h"
#include "channel/conn_state.h"
#include "channel/conn_wait.h"
#include "channel/conn_web.h"
#include "channel/gateway_tls.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { UNSENT_MESSAGES = 4, UNSENT_SLACK = 1024, LINGER_BYTES_MAX = 4 * 1024 * 1024 };

static void conn_free(Conn *conn) {
    Gateway *gateway = conn->loop->gateway;
    slots_remove(&conn->loop->slots, conn_number(conn->peer.channel));
    atomic_fetch_sub(&gateway->connections, 1);
    conn_crowd_leave(conn);
    event_del(&conn->timer);
    conn_web_done(conn);
    frame_decoder_done(&conn->decoder);
    free(conn->rest);
    free(conn);
}

static bool conn_is_reading(const Conn *conn) {
    if (conn->state == CONN_WEB) return conn_web_is_reading(conn) || conn_web_is_open(conn);
    return conn_channel_is_reading(conn);
}

/// Nothing that comes matters any more; a peer that goes on for too long is cut off.
static void conn_throw_away(Conn *conn, Str *input) {
    conn->thrown_away += input->len;
    *input = (Str){};
    if (conn->thrown_away > LINGER_BYTES_MAX) conn_leave(conn);
}

/// Take in what can be taken now; what is left of `input` is left for later.
static void conn_take(Conn *conn, Str *input) {
    while (input->len > 0 && conn_is_reading(conn)) {
        if (conn->state == CONN_WEB && !conn_web_is_open(conn))
            conn_web_take(conn, input);
        else if (conn->state == CONN_OPEN || conn->state == CONN_CLOSING)
            conn_channel_take(conn, input);
        else
            conn_throw_away(conn, input);
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
    if (!conn_web_begin(conn)) return OUT_OF_MEMORY;
    bool is_resumed = conn->stream.tls && tls_is_resumed(conn->stream.tls);
    if (is_resumed) atomic_fetch_add(&conn->loop->gateway->resumed, 1);
    return SUCCESS;
}

/// A GONE connection: the socket goes now, the owner is told once its last job is back, and then
/// the rest goes.
static void conn_depart(Conn *conn) {
    stream_done(&conn->stream);
    if (!conn_web_depart(conn) && !conn_channel_depart(conn)) conn_free(conn);
}

static void conn_flush(Conn *conn) {
    if (conn->state == CONN_GONE) return;
    Err err = stream_flush(&conn->stream); // over its limit: the peer does not read
    if (err.code != OK) conn_leave(conn);
}

/// Every entry from the loop ends here; `conn` may be freed by it.
static void conn_turn_end(Conn *conn) {
    conn_flush(conn);
    while (conn->state == CONN_WEB && conn_web_goes_on(conn)) {
        conn_take_rest(conn);
        conn_flush(conn);
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

static void conn_on_timeout(evutil_socket_t, short, void *arg) {
    Conn *conn = arg;
    if (conn->state == CONN_WEB) {
        conn_web_timeout(conn);
    } else if (conn->state == CONN_OPEN) {
        conn_channel_timeout(conn);
        conn_take_rest(conn);
    } else {
        conn_leave(conn);
    }
    conn_turn_end(conn);
}

/// Bytes that may wait for the socket.
static size_t conn_unsent_max(const GatewayOptions *options) {
    size_t messages = UNSENT_MESSAGES * ((size_t)options->reply_max_bytes + FRAME_HEAD_MAX);
    return (messages > WEB_PART_MAX ? messages : WEB_PART_MAX) + UNSENT_SLACK;
}

void conn_open(GatewayLoop *loop, int fd, const char *remote, uint64_t address) {
    Gateway *gateway = loop->gateway;
    Conn *conn = calloc(1, sizeof(*conn));
    uint64_t number = 0;
    if (!conn || !slots_add(&loop->slots, conn, &number)) {
        free(conn);
        close(fd);
        conn_count_down(gateway, address);
        return;
    }
    const GatewayOptions *options = &gateway->options;
    conn->loop = loop;
    conn->address = address;
    conn_crowd_join(conn);
    snprintf(conn->remote, sizeof(conn->remote), "%s", remote);
    conn->peer = (ChannelPeer){.channel = (ChannelId)loop->index << SLOT_NUMBER_BITS | number,
                               .remote = conn->remote};
    conn_job_init(&conn->job, &loop->jobs, &conn->peer);
    frame_decoder_init(&conn->decoder, true, options->first_max_bytes);
    stream_init(&conn->stream, loop->base, fd, conn_unsent_max(options), conn_on_ready, conn);
    event_assign(&conn->timer, loop->base, -1, 0, conn_on_timeout, conn);
    conn_timer_start(conn, loop->handshake);
    Err err = gateway_tls_secure(gateway, &conn->stream);
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
    conn_channel_end(conn, status, reason);
    conn_turn_end(conn);
}

void conn_stop(Conn *conn) {
    if (conn->state == CONN_OPEN)
        conn_channel_end(conn, FRAME_GOING_AWAY, S("the server stops"));
    else if (conn->state == CONN_WEB)
        conn_web_stop(conn);
    else if (conn->state == CONN_HANDSHAKE)
        conn_leave(conn);
    conn_turn_end(conn);
}

void conn_resume(Conn *conn) {
    GatewayLoop *loop = conn->loop;
    conn_channel_resume(conn);
    conn_take_rest(conn);
    conn_turn_end(conn);
    conn_wait_go_on(loop);
}

/// Nobody works for it.
static bool conn_is_idle(const Conn *conn) {
    if (conn->state == CONN_WEB) return conn_web_is_reading(conn);
    return conn->state != CONN_GONE && conn->job.kind == CONN_JOB_NONE;
}

bool conn_make_room(GatewayLoop *loop) {
    Conn *conn = conn_crowd_idle(loop, conn_is_idle);
    if (!conn) return false;
    conn_leave(conn);
    conn_turn_end(conn);
    return true;
}

void conn_answered(Mail *mail) {
    Conn *conn = conn_web_answered(mail);
    conn_take_rest(conn);
    conn_turn_end(conn);
}

void conn_woken(Mail *mail) {
    conn_turn_end(conn_web_woken(mail));
}

void conn_quiesce(Conn *conn) {
    if (conn->state != CONN_WEB) return;
    conn_web_quiesce(conn);
    conn_turn_end(conn);
}
