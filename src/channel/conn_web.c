// SPDX-License-Identifier: Apache-2.0
#include "channel/conn_web.h"

#include "base/clock.h"
#include "channel/conn_channel.h"
#include "channel/conn_crowd.h"
#include "channel/conn_state.h"
#include "http1/reply.h"
#include "http1/request.h"
#include "http1/upgrade.h"

#include <assert.h>
#include <stdlib.h>

enum {
    PIECE_BYTES = 64 * 1024,    ///< of an answer that waits in the stream at a time
    JOINED_BYTES = 8 * 1024,    ///< of its body that goes with its head, in one record
    SKIP_MAX = 4 * 1024 * 1024, ///< of a body that is refused: more of it is not even read
};

typedef enum WebState {
    WEB_WAITS,   ///< for a request, or the rest of a head
    WEB_BODY,    ///< comes
    WEB_RUNS,    ///< the owner has it
    WEB_REPLIES, ///< the answer goes out
} WebState;

struct Web {
    Mail mail; ///< of the answer
    Conn *conn;
    WebState state;
    RequestReader reader;
    WebRequest request;
    bool is_shown;    ///< to the owner, who is to be told of its end
    bool is_answered; ///< a reply is there
    bool is_later;    ///< it is not the connection's first
    bool ends;        ///< no request follows
    uint64_t body_max, body_seen;
    Text body;
    WebReply reply;
    size_t sent; ///< bytes of its body
};

/// Whose owner is called on this thread, a loop: the answer needs no mail.
static _Thread_local Web *web_called;

static const WebHandlers *web_handlers(const Web *web) {
    return conn_options(web->conn)->web;
}

static void *web_app(const Web *web) {
    return conn_options(web->conn)->web_app;
}

bool conn_web_begin(Conn *conn) {
    Web *web = calloc(1, sizeof(*web));
    if (!web) return false;
    web->conn = conn;
    web->mail.kind = MAIL_ANSWER;
    request_init(&web->reader);
    text_init(&web->body, SKIP_MAX);
    conn->web = web;
    conn->state = CONN_WEB;
    return true;
}

/// What this request has is forgotten.
static void web_request_end(Web *web) {
    if (web->is_shown) web_handlers(web)->end(web_app(web), &web->request);
    text_done(&web->body);
    text_init(&web->body, SKIP_MAX);
    web->is_shown = web->is_answered = false;
    web->sent = 0;
}

void conn_web_done(Conn *conn) {
    Web *web = conn->web;
    if (!web) return;
    assert(!conn_web_is_busy(conn));
    web_request_end(web);
    request_done(&web->reader);
    free(web);
    conn->web = NULL;
}

bool conn_web_is_reading(const Conn *conn) {
    return conn->web->state <= WEB_BODY;
}

bool conn_web_is_busy(const Conn *conn) {
    const Web *web = conn->web;
    return web && web->state == WEB_RUNS && !web->is_answered;
}

// Answers.

/// At most so many more bytes of the answer's body.
static void web_reply_piece(Web *web, size_t max) {
    Str piece = str_slice(web->reply.body, web->sent, web->sent + max);
    text_add(&web->conn->stream.unsent, piece);
    web->sent += piece.len;
}

/// The head of the answer, and from now on its body.
static void web_reply_begin(Web *web) {
    const RequestHead *head = web->request.head;
    const WebReply *reply = &web->reply;
    Clock clock = clock_system();
    Text *out = &web->conn->stream.unsent;
    web->ends |= reply->ends || web->conn->loop->is_stopping || !head || !head->head.is_kept
                 || !request_is_whole(&web->reader);
    reply_begin(out,
                &(ReplyStart){.status = reply->status,
                              .now = {clock_now_ms(&clock)},
                              .length = reply->body.len,
                              .is_kept = !web->ends,
                              .minor = head ? head->head.minor : 1});
    text_add(out, reply->fields);
    reply_end(out);
    if (head && str_eq(head->method, S("HEAD"))) web->reply.body = (Str){};
    web_reply_piece(web, JOINED_BYTES);
    web->state = WEB_REPLIES;
    conn_timer_start(web->conn, web->conn->loop->web);
}

void web_answer(WebRequest *request, const WebReply *reply) {
    Web *web = request->web;
    web->reply = *reply;
    if (web_called == web)
        web->is_answered = true;
    else
        mailbox_post(&web->conn->loop->mailbox, &web->mail);
}

Conn *conn_web_answered(Mail *mail) {
    Web *web = (Web *)((char *)mail - offsetof(Web, mail));
    web->is_answered = true;
    if (web->conn->state == CONN_WEB) web_reply_begin(web);
    return web->conn;
}

/// The answer is out: the connection ends, or the next request begins.
static void web_reply_end(Web *web) {
    web_request_end(web);
    if (web->ends) {
        conn_linger(web->conn);
        return;
    }
    request_again(&web->reader);
    conn_crowd_touch(web->conn);
    web->is_later = true;
    web->state = WEB_WAITS;
    conn_timer_start(web->conn, web->conn->loop->web);
}

bool conn_web_goes_on(Conn *conn) {
    Web *web = conn->web;
    if (web->state != WEB_REPLIES || conn->stream.unsent.len > 0) return false;
    if (web->sent == web->reply.body.len)
        web_reply_end(web);
    else
        web_reply_piece(web, PIECE_BYTES);
    return true;
}

// Requests.

/// The owner is called on the loop; what it answers at once goes out at once.
static void web_call(Web *web, void (*handler)(void *app, WebRequest *request)) {
    web_called = web;
    handler(web_app(web), &web->request);
    web_called = NULL;
    if (web->is_answered) web_reply_begin(web);
}

static void web_refuse(Web *web, HeadVerdict verdict) {
    if (!web->is_shown) {
        web->request = (WebRequest){.remote = web->conn->remote, .web = web};
        web->is_shown = true;
    }
    web_called = web;
    web_handlers(web)->refuse(web_app(web), &web->request, verdict);
    web_called = NULL;
    assert(web->is_answered);
    web_reply_begin(web);
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
    web_called = web;
    web->body_max = web_handlers(web)->begin(web_app(web), &web->request);
    web_called = NULL;
    web->body_seen = 0;
    web->state = WEB_BODY;
    conn_timer_start(web->conn, web->conn->loop->web);
    if (web->is_answered)
        web_reply_begin(web);
    else if (head->head.body == BODY_LENGTH && head->head.length > SKIP_MAX)
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
    if (web->body_seen > SKIP_MAX)
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

void conn_web_stop(Conn *conn) {
    if (conn_web_is_reading(conn)) conn_leave(conn);
}
