// SPDX-License-Identifier: Apache-2.0
#include "channel/conn_web.h"

#include "channel/conn_answer.h"
#include "channel/conn_channel.h"
#include "channel/conn_state.h"
#include "http1/reply.h"
#include "http1/upgrade.h"

#include <assert.h>
#include <stdlib.h>

bool conn_web_begin(Conn *conn) {
    Web *web = calloc(1, sizeof(*web));
    if (!web) return false;
    web->conn = conn;
    web->answered.kind = MAIL_ANSWER;
    web->woken.kind = MAIL_WAKE;
    request_init(&web->reader);
    text_init(&web->body, WEB_BODY_MAX);
    conn->web = web;
    conn->state = CONN_WEB;
    return true;
}

void conn_web_done(Conn *conn) {
    Web *web = conn->web;
    if (!web) return;
    assert(!conn_web_is_busy(conn));
    answer_forget(web);
    request_done(&web->reader);
    free(web);
    conn->web = NULL;
}

bool conn_web_is_reading(const Conn *conn) {
    return conn->web->state <= WEB_BODY;
}

bool conn_web_is_busy(const Conn *conn) {
    const Web *web = conn->web;
    if (!web) return false;
    return (web->state == WEB_RUNS && !web->is_answered) || atomic_load(&web->is_woken);
}

bool conn_web_is_open(const Conn *conn) {
    return conn->web && conn->web->is_open;
}

bool conn_web_depart(Conn *conn) {
    if (conn_web_is_open(conn)) answer_forget(conn->web); // from now on nobody wakes it
    return conn_web_is_busy(conn);
}

// Requests.

/// The owner is called on the loop; what it answers at once goes out at once.
static void web_call(Web *web, void (*handler)(void *app, WebRequest *request)) {
    answer_expect(web);
    handler(web_app(web), &web->request);
    answer_expect(NULL);
    if (web->is_answered) answer_begin(web);
}

static void web_refuse(Web *web, HeadVerdict verdict) {
    if (!web->is_shown) {
        web->request = (WebRequest){.remote = web->conn->remote, .web = web};
        web->is_shown = true;
    }
    answer_expect(web);
    web_handlers(web)->refuse(web_app(web), &web->request, verdict);
    answer_expect(NULL);
    assert(web->is_answered);
    answer_begin(web);
}

/// The request opens a channel, or nothing else is served here.
static void web_upgrade(Web *web) {
    Conn *conn = web->conn;
    const GatewayOptions *options = conn_options(conn);
    Str key = {}, head = request_head_text(&web->reader);
    UpgradeVerdict verdict =
        upgrade_request_parse(head, str_from(options->path), str_from(options->protocol), &key);
    if (verdict.status != UPGRADE_ACCEPTED) {
        upgrade_refuse(&conn->stream.unsent, verdict, str_from(options->protocol));
        conn_linger(conn);
        return;
    }
    upgrade_accept(&conn->stream.unsent, key, str_from(options->protocol));
    conn_web_done(conn);
    conn_channel_begin(conn);
}

static void web_show(Web *web) {
    const RequestHead *head = &web->reader.head;
    web->request = (WebRequest){.head = head, .remote = web->conn->remote, .web = web};
    web->is_shown = true;
    answer_expect(web);
    web->body_max = web_handlers(web)->begin(web_app(web), &web->request);
    answer_expect(NULL);
    web->body_seen = 0;
    web->state = WEB_BODY;
    conn_timer_start(web->conn, web->conn->loop->web);
    if (web->is_answered)
        answer_begin(web);
    else if (head->head.body == BODY_LENGTH && head->head.length > WEB_BODY_MAX)
        web_refuse(web, (HeadVerdict){413, "the body is too large"});
    else if (head->expects_continue && head->head.length <= web->body_max)
        reply_continue(&web->conn->stream.unsent);
}

static void web_take_head(Web *web) {
    const HeadFields *fields = &web->reader.head.head.fields;
    bool is_upgrade = head_has(fields, S("Upgrade"), S("websocket"), true);
    if (is_upgrade || !web_handlers(web))
        web_upgrade(web);
    else
        web_show(web);
}

/// What is over the limit is read and dropped before it is refused: a peer that is cut off while it
/// sends would not see the answer.
static void web_take_piece(Web *web, Str piece) {
    web->body_seen += piece.len;
    if (web->body_seen > WEB_BODY_MAX)
        web_refuse(web, (HeadVerdict){413, "the body is too large"});
    else if (web->body_seen <= web->body_max)
        text_add(&web->body, piece);
}

static void web_take_end(Web *web) {
    web->request.body = text_str(&web->body);
    web->state = WEB_RUNS;
    event_del(&web->conn->timer);
    if (web->body_seen > web->body_max)
        web_refuse(web, (HeadVerdict){413, "the body is too large"});
    else if (text_check(&web->body).code != OK)
        web_refuse(web, (HeadVerdict){503, "out of memory"});
    else
        web_call(web, web_handlers(web)->run);
}

static void web_take_fault(Web *web, HeadVerdict verdict) {
    if (web_handlers(web)) {
        web_refuse(web, verdict);
        return;
    }
    upgrade_refuse(&web->conn->stream.unsent,
                   (UpgradeVerdict){(UpgradeStatus)verdict.status, verdict.detail},
                   str_from(conn_options(web->conn)->protocol));
    conn_linger(web->conn);
}

/// False: nothing more comes of this input.
static bool web_take(Web *web, Str *input) {
    bool was_begun = request_is_begun(&web->reader);
    RequestEvent event = request_take(&web->reader, input);
    switch (event.kind) {
    case REQUEST_EVENT_NONE: // the first bytes of a head: from now on it is due soon
        if (web->is_later && !was_begun && request_is_begun(&web->reader))
            conn_timer_start(web->conn, web->conn->loop->handshake);
        return false;
    case REQUEST_EVENT_HEAD:
        web_take_head(web);
        return true;
    case REQUEST_EVENT_PIECE:
        web_take_piece(web, event.piece);
        return true;
    case REQUEST_EVENT_END:
        web_take_end(web);
        return true;
    case REQUEST_EVENT_FAULT:
        web_take_fault(web, event.verdict);
        return true;
    }
    return false;
}

void conn_web_take(Conn *conn, Str *input) {
    bool goes_on;
    do
        goes_on = web_take(conn->web, input);
    while (goes_on && conn->state == CONN_WEB && conn_web_is_reading(conn));
}

void conn_web_timeout(Conn *conn) {
    Web *web = conn->web;
    bool is_owed = conn_web_is_reading(conn) && request_is_begun(&web->reader);
    if (is_owed && web_handlers(web))
        web_take_fault(web, (HeadVerdict){408, "the request did not come in time"});
    else
        conn_leave(conn);
}

void conn_web_quiesce(Conn *conn) {
    Web *web = conn->web;
    if (web->state == WEB_REPLIES && web->reply.is_open) answer_cut(web);
}

void conn_web_stop(Conn *conn) {
    if (conn_web_is_reading(conn))
        conn_leave(conn);
    else
        conn_web_quiesce(conn);
}
