// SPDX-License-Identifier: Apache-2.0
#include "channel/conn_answer.h"

#include "base/clock.h"
#include "base/scope.h"
#include "channel/conn_crowd.h"
#include "channel/conn_state.h"
#include "channel/conn_web.h"
#include "http1/reply.h"

enum {
    PIECE_BYTES = 64 * 1024, ///< of an answer that waits in the stream at a time
    JOINED_BYTES = 8 * 1024, ///< of its body that goes with its head, in one record
};

static _Thread_local Web *answer_expected;

void answer_expect(Web *web) {
    answer_expected = web;
}

void answer_forget(Web *web) {
    web->is_open = false;
    if (web->is_shown) web_handlers(web)->end(web_app(web), &web->request);
    text_done(&web->body);
    text_init(&web->body, WEB_BODY_MAX);
    web->is_shown = web->is_answered = false;
    web->sent = 0;
}

static bool answer_is_to(const Web *web, Str method) {
    const RequestHead *head = web->request.head;
    return head && str_eq(head->method, method);
}

static uint8_t answer_minor(const Web *web) {
    const RequestHead *head = web->request.head;
    return head ? head->head.minor : 1;
}

/// At most so many more bytes of the answer's body.
static void answer_piece(Web *web, size_t max) {
    Str piece = str_slice(web->reply.body, web->sent, web->sent + max);
    text_add(&web->conn->stream.unsent, piece);
    web->sent += piece.len;
}

/// No part follows; what is unsent has its time yet.
static void answer_close(Web *web) {
    if (answer_minor(web) > 0) reply_chunk_last(&web->conn->stream.unsent);
    web->is_open = false;
    conn_timer_start(web->conn, web->conn->loop->web);
}

void answer_cut(Web *web) {
    if (web->is_open) answer_close(web);
    answer_forget(web);
    conn_linger(web->conn);
}

/// The peer has a place of its own from now on: the owner has let it in.
static void answer_open(Web *web) {
    Conn *conn = web->conn;
    web->is_open = true;
    conn_crowd_leave(conn);
    stream_expect(&conn->stream, conn_options(conn)->web_ms);
    if (conn->loop->is_quiet || atomic_load(&web->is_done)) answer_close(web);
}

/// Nothing may follow an open one, which is told even to who asks for its head only.
static bool answer_ends(const Web *web) {
    const RequestHead *head = web->request.head;
    const GatewayLoop *loop = web->conn->loop;
    return web->ends || web->reply.ends || web->reply.is_open || loop->is_stopping || !head
           || !head->head.is_kept || !request_is_whole(&web->reader);
}

void answer_begin(Web *web) {
    const WebReply *reply = &web->reply;
    Clock clock = clock_system();
    Text *out = &web->conn->stream.unsent;
    web->ends = answer_ends(web);
    reply_begin(out,
                &(ReplyStart){.status = reply->status,
                              .now = {clock_now_ms(&clock)},
                              .length = reply->body.len,
                              .is_open = reply->is_open,
                              .is_kept = !web->ends,
                              .minor = answer_minor(web)});
    text_add(out, reply->fields);
    reply_end(out);
    bool is_to_head = answer_is_to(web, S("HEAD"));
    if (is_to_head || reply->is_open) web->reply.body = (Str){};
    answer_piece(web, JOINED_BYTES);
    web->state = WEB_REPLIES;
    conn_timer_start(web->conn, web->conn->loop->web);
    if (reply->is_open && !is_to_head) answer_open(web);
}

void web_answer(WebRequest *request, const WebReply *reply) {
    Web *web = request->web;
    web->reply = *reply;
    if (answer_expected == web)
        web->is_answered = true;
    else
        mailbox_post(&web->conn->loop->mailbox, &web->answered);
}

void web_wake(WebRequest *request) {
    Web *web = request->web;
    if (!atomic_exchange(&web->is_woken, true))
        mailbox_post(&web->conn->loop->mailbox, &web->woken);
}

void web_finish(WebRequest *request) {
    atomic_store(&request->web->is_done, true);
    web_wake(request);
}

Conn *conn_web_answered(Mail *mail) {
    Web *web = (Web *)((char *)mail - offsetof(Web, answered));
    web->is_answered = true;
    if (web->conn->state == CONN_WEB) answer_begin(web);
    return web->conn;
}

Conn *conn_web_woken(Mail *mail) {
    Web *web = (Web *)((char *)mail - offsetof(Web, woken));
    atomic_store(&web->is_woken, false); // first: who wakes it from here on is heard
    if (web->is_open && atomic_load(&web->is_done)) answer_close(web);
    return web->conn;
}

/// The answer is out: the connection ends, or the next request begins.
static void answer_end(Web *web) {
    answer_forget(web);
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

/// The next part of an open answer. False: there is none now.
static bool answer_part(Web *web) {
    Conn *conn = web->conn;
    SCOPED(text_done) Text part;
    text_init(&part, WEB_PART_MAX);
    web_handlers(web)->more(web_app(web), &web->request, &part);
    if (text_check(&part).code != OK) {
        conn_leave(conn);
        return false;
    }
    if (part.len == 0) {
        event_del(&conn->timer);
        return false;
    }
    if (answer_minor(web) > 0)
        reply_chunk(&conn->stream.unsent, text_str(&part));
    else
        text_add(&conn->stream.unsent, text_str(&part));
    conn_timer_start(conn, conn->loop->web);
    return true;
}

bool conn_web_goes_on(Conn *conn) {
    Web *web = conn->web;
    if (web->state != WEB_REPLIES || conn->stream.unsent.len > 0) return false;
    if (web->is_open) return answer_part(web);
    if (web->sent == web->reply.body.len)
        answer_end(web);
    else
        answer_piece(web, PIECE_BYTES);
    return true;
}
