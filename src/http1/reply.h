// SPDX-License-Identifier: Apache-2.0
/// The head of an answer as a server writes it (RFC 9112 section 4, RFC 9110), pure.
#pragma once

#include "base/clock.h"
#include "base/text.h"
#include "http1/head.h"

/// What the head says beside the fields of its owner.
typedef struct ReplyStart {
    uint16_t status; ///< 200..599
    Time now;        ///< of Date
    uint64_t length; ///< of the body, which an answer to HEAD, 204 and 304 do not have
    bool is_open;  ///< its length is not known: chunks, and up to HTTP/1.0 what comes till the end
    bool is_kept;  ///< the connection goes on behind it
    uint8_t minor; ///< of the request's HTTP/1.x
} ReplyStart;

/// Append the start line and the fields that every answer has: Date, Content-Length or
/// Transfer-Encoding, Connection where the client would assume otherwise. Then come the owner's,
/// and reply_end.
void reply_begin(Text *out, const ReplyStart *start);
/// Append a field; nothing for an absent value. Bytes that no value may have become blanks.
void reply_field(Text *out, const char *name, Str value);
/// The head is complete.
void reply_end(Text *out);
/// Append a chunk of an open answer's body (RFC 9112 section 7.1), not an empty one.
void reply_chunk(Text *out, Str bytes);
/// Append what says that there is no other.
void reply_chunk_last(Text *out);
/// Append the whole interim answer for a client that waits with its body.
void reply_continue(Text *out);
/// The words of a status (RFC 9110 section 15); "" for one that is not ours.
const char *reply_reason(uint16_t status);
