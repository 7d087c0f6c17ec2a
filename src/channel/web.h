// SPDX-License-Identifier: Apache-2.0
/// Requests of HTTP/1.1 that come to a gateway (channel/gateway.h), as their owner has them.
///
/// A request is shown when its head is there, and again when its body is; answered once, from any
/// thread; and then ended. One at a time on a connection, in order. What is no request is refused
/// by the gateway, in the owner's words; the connection ends behind that.
///
/// An answer may be *open*: without a length, and perhaps without an end. Then its owner is asked
/// for part after part, each when the one before is with the socket, and wakes the connection when
/// there is one again. So a stream that has nothing to say costs memory alone, and a peer that does
/// not read has at most one part here, until it is cut off. The connection ends behind it.
#pragma once

#include "base/text.h"
#include "http1/head.h"

typedef struct Web Web;

enum { WEB_PART_MAX = 256 * 1024 }; ///< of an open answer

/// What goes back. Texts are borrowed until the request is ended.
typedef struct WebReply {
    uint16_t status;
    Str fields; ///< whole lines, beside those of http1/reply.h; absent: none
    Str body;   ///< left out of the answer to HEAD
    bool ends;  ///< the connection ends behind it
    /// There is no body yet: parts follow (WebHandlers.more), up to web_finish. Whoever gets one is
    /// known to the owner: it counts no longer for its address, and makes room for nobody.
    bool is_open;
} WebReply;

typedef struct WebRequest {
    const RequestHead *head; ///< NULL: it was not understood
    Str body;                ///< whole, when it is run
    const char *remote;      ///< address, textual
    void *own;               ///< the owner's
    Web *web;                ///< the gateway's
} WebRequest;

/// What the owner does about requests; `app` is GatewayOptions.web_app. All on the loop: must not
/// block.
typedef struct WebHandlers {
    /// The head is there: how long the body may be. It may be answered at once.
    uint64_t (*begin)(void *app, WebRequest *request);
    /// The request is whole: it must be answered, now or later.
    void (*run)(void *app, WebRequest *request);
    /// It is no good, or longer than it may be: answer it now, with this status.
    void (*refuse)(void *app, WebRequest *request, HeadVerdict verdict);
    /// Append what there is now of an open answer, at most WEB_PART_MAX bytes; nothing: it is asked
    /// again after web_wake. NULL: there are no such answers.
    void (*more)(void *app, WebRequest *request, Text *out);
    /// Its answer is out, or nobody is there to have it: what it borrows may go. Follows each begin
    /// and each refuse, once.
    void (*end)(void *app, WebRequest *request);
} WebHandlers;

/// Answer a request; `reply` is copied, its texts are not. Thread-safe.
void web_answer(WebRequest *request, const WebReply *reply);
/// There may be more of an open answer. Thread-safe, never blocks; up to the request's `end`, which
/// the owner sees to.
void web_wake(WebRequest *request);
/// The same: but what was said is all of it, and it ends in order. What is with the peer's socket
/// by then has as long as any answer to be taken.
void web_finish(WebRequest *request);
