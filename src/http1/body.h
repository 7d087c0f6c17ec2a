// SPDX-License-Identifier: Apache-2.0
/// Bodies of HTTP/1.1 messages as they come, in pieces of any size (RFC 9112 sections 6 and 7):
/// pure, no allocation.
///
/// Chunks are read as strictly as heads: sizes are plain hex digits, every line ends with CR LF.
/// Extensions are skipped, trailers checked and skipped; both are bounded.
#pragma once

#include "http1/head.h"

enum {
    BODY_OVERHEAD_MAX = 8192, ///< bytes of a chunk's extensions, and of all trailers
};

/// Where the reader is.
typedef enum BodyState {
    BODY_AT_DATA,      ///< of the body, or of a chunk
    BODY_AT_SIZE,      ///< of a chunk
    BODY_AT_EXTENSION, ///< behind it
    BODY_AT_SIZE_LF,
    BODY_AT_DATA_CR, ///< behind a chunk
    BODY_AT_DATA_LF,
    BODY_AT_TRAILER, ///< the begin of a line
    BODY_AT_TRAILER_NAME,
    BODY_AT_TRAILER_VALUE,
    BODY_AT_TRAILER_LF,
    BODY_AT_END_LF, ///< of the empty line
    BODY_AT_END,
} BodyState;

typedef struct Body {
    BodyForm form;
    BodyState state;
    uint64_t left;     ///< bytes of the body, or of the chunk
    uint32_t digits;   ///< of the chunk's size
    uint32_t overhead; ///< bytes, see BODY_OVERHEAD_MAX
} Body;

/// Before the first byte of the body behind `head`.
void body_init(Body *body, const Head *head);
/// The body is over: what comes next is no part of it. One to the end of the connection never is.
bool body_is_done(const Body *body);
/// Take bytes from the front of `input`, up to the next piece of content or the end of the body.
/// `*ret_piece`: borrowed from it, possibly empty. Call it again while there is input and the body
/// is not done. ERR_INVALID: not chunks. ERR_LIMIT: too much beside the content.
Err body_take(Body *body, Str *input, Str *ret_piece);
