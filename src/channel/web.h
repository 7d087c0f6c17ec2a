// SPDX-License-Identifier: Apache-2.0
/// Requests of HTTP/1.1 that come to a gateway (channel/gateway.h), as their owner has them.
///
/// A request is shown when its head is there, and again when its body is; answered once, from any
/// thread; and then ended. One at a time on a connection, in order. What is no request is refused
/// by the gateway, in the owner's words; the connection ends behind that.
#pragma once

#include "base/text.h"
#include "http1/head.h"

typedef struct Web Web;

/// What goes back. Texts are borrowed until the request is ended.
typedef struct WebReply {
    uint16_t status;
    Str fields; ///< whole lines, beside those of http1/reply.h; absent: none
    Str body;   ///< left out of the answer to HEAD
    bool ends;  ///< the connection ends behind it
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
    /// Its answer is out, or nobody is there to have it: what it borrows may go. Follows each begin
    /// and each refuse, once.
    void (*end)(void *app, WebRequest *request);
} WebHandlers;

/// Answer a request; `reply` is copied, its texts are not. Thread-safe.
void web_answer(WebRequest *request, const WebReply *reply);
