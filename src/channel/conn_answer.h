// SPDX-License-Identifier: Apache-2.0
/// What a connection on which requests come (conn_web.h) has of the one that is under way, and the
/// answer to it. Inside of the gateway only.
///
///   WAITS -> BODY -> RUNS -> REPLIES -> WAITS, or the connection lingers
///
/// An answer of a known length borrows from its owner, and goes out piece by piece. An open one is
/// asked for, part by part, whenever what was said before is with the socket; meanwhile the peer is
/// read, so that its end is noticed, and what it says is thrown away.
#pragma once

#include "channel/conn.h"
#include "http1/request.h"

enum { WEB_BODY_MAX = 4 * 1024 * 1024 }; ///< of a request: more of one that is refused is not read

typedef enum WebState {
    WEB_WAITS,   ///< for a request, or the rest of a head
    WEB_BODY,    ///< comes
    WEB_RUNS,    ///< the owner has it
    WEB_REPLIES, ///< the answer goes out
} WebState;

struct Web {
    Mail answered, woken;
    atomic_bool is_woken; ///< `woken` is on its way
    atomic_bool is_done;  ///< the owner has no more of an open answer
    Conn *conn;
    WebState state;
    RequestReader reader;
    WebRequest request;
    bool is_shown;    ///< to the owner, who is to be told of its end
    bool is_answered; ///< a reply is there
    bool is_open;     ///< parts of it follow
    bool is_later;    ///< it is not the connection's first
    bool ends;        ///< no request follows
    uint64_t body_max, body_seen;
    Text body;
    WebReply reply;
    size_t sent; ///< bytes of its body
};

/// Its owner.
static inline const WebHandlers *web_handlers(const Web *web) {
    return conn_options(web->conn)->web;
}

/// What the owner has of its own.
static inline void *web_app(const Web *web) {
    return conn_options(web->conn)->web_app;
}

/// Whose owner is called on this thread, a loop: its answer needs no mail. NULL: nobody's.
void answer_expect(Web *web);
/// There is an answer: its head goes out, and from now on its body.
void answer_begin(Web *web);
/// An open answer, or one that was open, ends here: who has not taken all of it soon does not get
/// it.
void answer_cut(Web *web);
/// What this request has is forgotten, and its owner is told.
void answer_forget(Web *web);
