// SPDX-License-Identifier: Apache-2.0
/// The requests of one connection as a server reads them (RFC 9112): bytes in, events out, no I/O.
///
/// One request at a time: its head, the pieces of its body, its end. What comes behind it is not
/// looked at until request_again. A request that is no good is a fault, after which nothing on the
/// connection can be told from anything else, so it ends behind the answer.
#pragma once

#include "base/text.h"
#include "http1/body.h"

enum { REQUEST_HEAD_MAX = 16 * 1024 }; ///< bytes of a head; the fields of good clients fit a fourth

typedef struct RequestEvent {
    enum {
        REQUEST_EVENT_NONE, ///< everything was taken, more is needed
        REQUEST_EVENT_HEAD, ///< RequestReader.head is there until request_again
        REQUEST_EVENT_PIECE,
        REQUEST_EVENT_END,   ///< the request is complete
        REQUEST_EVENT_FAULT, ///< nothing more is read
    } kind;
    Str piece;           ///< of the body, never empty; borrowed from the input
    HeadVerdict verdict; ///< FAULT: the status that says so, and why
} RequestEvent;

typedef struct RequestReader {
    enum { REQUEST_AT_HEAD, REQUEST_AT_BODY, REQUEST_AT_END } at;
    HeadVerdict fault; ///< zero: none yet
    Text bytes;        ///< of the head, and what came with it; empty between requests
    size_t head_len;
    RequestHead head; ///< borrows from them
    Body body;
} RequestReader;

/// At the start of a connection.
void request_init(RequestReader *reader);
/// Nobody reads any more.
void request_done(RequestReader *reader);
/// Take bytes from the front of `input`, up to the next event. Again while there is input, and
/// after a head without any, since a request may have no body. After the end there are no events.
RequestEvent request_take(RequestReader *reader, Str *input);
/// It has begun and is not complete: who sends it must go on.
bool request_is_begun(const RequestReader *reader);
/// Nothing of it is missing, whether or not its end was told.
bool request_is_whole(const RequestReader *reader);
/// The bytes of the head that is there.
Str request_head_text(const RequestReader *reader);
/// After the end: the next request begins.
void request_again(RequestReader *reader);
