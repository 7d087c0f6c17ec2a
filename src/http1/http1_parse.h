// SPDX-License-Identifier: Apache-2.0
/// One HTTP/1.1 reply out of bytes in pieces of any size: pure, no I/O. For http1.c and its tests.
///
/// All that knows http_parser is http1_parse.c, in its callbacks, which llhttp calls by the same
/// names. Interim replies (1xx) are skipped; a switch of protocols is refused.
#pragma once

#include "base/str.h"

#include <http_parser.h>

enum {
    HTTP1_HEAD_MAX = 16 * 1024, ///< bytes in names and values, of interim replies and trailers too
    HTTP1_NUMBER_MAX = 24,      ///< bytes of a Retry-After that is a number
};

typedef struct Http1Parse {
    http_parser parser;
    bool is_to_head;  ///< the request was HEAD: the reply has no body
    bool is_complete; ///< the reply ended; no more is taken
    bool is_kept;     ///< when complete: the connection can carry another exchange
    uint32_t status;
    uint64_t retry_after_s;           ///< 0: not given as a number
    Err (*body)(void *app, Str part); ///< takes the body as it comes; an error ends the parsing
    void *app;
    Err err;           ///< of a callback
    size_t head_bytes; ///< so far
    bool in_value;     ///< of a header
    size_t name_at;    ///< bytes of this header's name that were like Retry-After; SIZE_MAX: unlike
    size_t number_len;
    char number[HTTP1_NUMBER_MAX];
} Http1Parse;

/// Before the first byte of a reply. `body` gets `app`; `status` is set when it is called.
void http1_parse_init(Http1Parse *parse,
                      bool is_to_head,
                      Err (*body)(void *app, Str part),
                      void *app);
/// Take bytes from the front of `input`, up to the end of the reply. ERR_INVALID: not HTTP/1.
/// ERR_LIMIT: the head is too large. Or what `body` returned. After a failure take no more.
Err http1_parse(Http1Parse *parse, Str *input);
/// The peer closed: the end of a body without a length. ERR_UNAVAILABLE: it was in the middle.
Err http1_parse_end(Http1Parse *parse);
