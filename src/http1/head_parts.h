// SPDX-License-Identifier: Apache-2.0
/// What the files of head.h share.
#pragma once

#include "http1/head.h"

/// The verdict that refuses a head.
static inline HeadVerdict head_refuse(uint16_t status, const char *detail) {
    return (HeadVerdict){status, detail};
}

/// Return the verdict of `expr` unless it is good.
#define HEAD_TRY(expr)                        \
    do {                                      \
        HeadVerdict verdict_ = (expr);        \
        if (verdict_.status) return verdict_; \
    } while (0)

/// The text is a token (RFC 9110 section 5.6.2).
bool head_is_token(Str text);
/// Cut the next line, which CR LF ends, off `*rest`.
Str head_line(Str *rest);
/// Read the field lines up to the empty one.
HeadVerdict head_read_fields(Str lines, HeadFields *fields);
/// "HTTP/1.1" (section 2.3). `*ret_minor` as in Head.
HeadVerdict head_read_version(Str word, uint8_t *ret_minor);
/// Set body, length and is_kept from the fields. `otherwise`: the form where they say nothing.
HeadVerdict head_read_framing(Head *head, BodyForm otherwise);
/// Read a request's target (section 3.2): sets path and query, and host of an absolute one.
HeadVerdict head_read_target(Str target, RequestHead *head);
/// A host with or without a port (RFC 3986 sections 3.2.2 and 3.2.3), not empty.
bool head_is_host(Str text);
