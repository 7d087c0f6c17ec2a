// SPDX-License-Identifier: Apache-2.0
/// Heads of HTTP/1.1 messages (RFC 9112, RFC 9110), read strictly: pure, no allocation.
///
/// A head is the start line and the field lines up to the empty one. Two readers that disagree on
/// where a message ends or for whom it is are how requests are smuggled, so whatever the RFC calls
/// invalid is refused, also where it allows to be lenient: a line that ends with LF alone, a space
/// before the colon, a folded line, a repeated Content-Length or Host, a length beside a transfer
/// coding, any coding but "chunked". Texts that come out are borrowed from the head.
#pragma once

#include "base/str.h"

enum {
    HEAD_FIELDS_MAX = 64,
    HEAD_METHOD_MAX = 32, ///< bytes of a method
};

/// What is wrong with a head: the status that tells a client so, and why. `{}`: nothing.
typedef struct HeadVerdict {
    uint16_t status; ///< 400, 417, 431, 501 or 505; 0: it is good
    const char *detail;
} HeadVerdict;

/// A field line: name as it came, value without the blanks around it.
typedef struct HeadField {
    Str name;
    Str value;
} HeadField;

typedef struct HeadFields {
    HeadField items[HEAD_FIELDS_MAX];
    size_t count;
} HeadFields;

/// How long the body behind a head is (RFC 9112 section 6.3).
typedef enum BodyForm {
    BODY_NONE,
    BODY_LENGTH,  ///< of `length` bytes
    BODY_CHUNKED, ///< in chunks that say where it ends
    BODY_TO_END,  ///< of a reply: to the end of the connection
} BodyForm;

/// What requests and replies have in common.
typedef struct Head {
    uint8_t minor; ///< of HTTP/1.x: 0, or 1 for all above
    HeadFields fields;
    BodyForm body;
    uint64_t length;
    bool is_kept; ///< the sender means to go on with the connection behind the body
} Head;

typedef struct RequestHead {
    Head head;
    Str method;
    Str path;  ///< absolute, as it came, its escapes well-formed and none of them a NUL; "*"
    Str query; ///< behind the '?'; absent: there is none
    Str host;  ///< and port, of the target or the Host field; absent only in HTTP/1.0
    bool expects_continue; ///< the body waits for 100 (Continue)
} RequestHead;

typedef struct ReplyHead {
    Head head;
    uint16_t status; ///< 100..599
} ReplyHead;

/// Look for the end of a head. `bytes`: all that came so far; `from`: how many of them an earlier
/// call has seen. `*ret_len`: its length with the empty line; 0 while that has not come. A line
/// that does not end with CR LF, and bytes that no head has, are refused as soon as they are there.
HeadVerdict head_find(Str bytes, size_t from, size_t *ret_len);
/// Read a request's complete head. One empty line in front of it is skipped (section 2.2).
HeadVerdict head_read_request(Str bytes, RequestHead *ret_head);
/// Read a reply's complete head. `is_to_head`: the request was HEAD, so there is no body.
HeadVerdict head_read_reply(Str bytes, bool is_to_head, ReplyHead *ret_head);

/// The next value of fields of this name, in any case. `*at`: 0 at first, moved on. False: no more.
bool head_next(const HeadFields *fields, Str name, size_t *at, Str *ret_value);
/// The value of a field that may be there once; absent if it is not there. False: it is repeated.
bool head_one(const HeadFields *fields, Str name, Str *ret_value);
/// Seconds to wait that a Retry-After field names; 0: none does, also where it is a date.
uint64_t head_retry_after_s(const HeadFields *fields);
/// Words or tokens are the same but for case.
bool head_word_is(Str a, Str b);
/// One of the comma-separated lists in fields of this name has `word`: as it is written, or
/// `in_any_case`.
bool head_has(const HeadFields *fields, Str name, Str word, bool in_any_case);
