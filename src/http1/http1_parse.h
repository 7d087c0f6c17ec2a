// SPDX-License-Identifier: Apache-2.0
/// One HTTP/1.1 reply out of bytes in pieces of any size: no I/O. For http1.c and its tests.
///
/// Interim replies (1xx) are skipped; a switch of protocols is refused.
#pragma once

#include "base/text.h"
#include "http1/body.h"

enum {
    HTTP1_HEAD_MAX = 16 * 1024, ///< bytes of a head, those of interim replies before it included
};

typedef struct Http1Parse {
    bool is_to_head;  ///< the request was HEAD: the reply has no body
    bool is_complete; ///< the reply ended; no more is taken
    bool is_kept;     ///< when complete: the connection can carry another exchange
    bool in_body;
    uint32_t status;
    uint64_t retry_after_s;           ///< 0: not given as a number
    Err (*body)(void *app, Str part); ///< takes the body as it comes; an error ends the parsing
    void *app;
    Text head;         ///< what came of it
    size_t head_bytes; ///< of the heads so far
    Body reader;
} Http1Parse;

/// Before the first byte of a reply. `body` gets `app`; `status` is set when it is called.
void http1_parse_init(Http1Parse *parse,
                      bool is_to_head,
                      Err (*body)(void *app, Str part),
                      void *app);
/// Free what it holds.
void http1_parse_done(Http1Parse *parse);
/// Take bytes from the front of `input`, up to the end of the reply. ERR_INVALID: not HTTP/1.
/// ERR_LIMIT: the head is too large. ERR_MEMORY. Or what `body` returned. After a failure take no
/// more.
Err http1_parse(Http1Parse *parse, Str *input);
/// The peer closed: the end of a body without a length. ERR_UNAVAILABLE: it was in the middle.
Err http1_parse_end(Http1Parse *parse);
