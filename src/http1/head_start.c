// SPDX-License-Identifier: Apache-2.0
// Start lines: what a request asks for, and how a reply went.
#include "http1/head_parts.h"

#include <string.h>

static bool head_is_hex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// Escapes are well-formed, and none is a NUL, at which a path would end for others.
static bool head_is_escaped(Str text) {
    for (size_t at = str_index(text, '%', 0); at < text.len; at = str_index(text, '%', at + 1)) {
        Str digits = str_slice(text, at + 1, at + 3);
        if (digits.len < 2 || !head_is_hex(digits.ptr[0]) || !head_is_hex(digits.ptr[1]))
            return false;
        if (str_eq(digits, S("00"))) return false;
    }
    return true;
}

/// Bytes of a target: visible, and none that ends a URI in a text (RFC 3986 appendix C). Others
/// that a URI cannot have, such as '|', are what browsers send.
static bool head_is_target(Str text) {
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c <= ' ' || c >= 0x7f || strchr("\"#<>", c)) return false;
    }
    return text.len > 0;
}

static bool head_is_port(Str text) {
    uint64_t port = 0;
    return text.len == 0 || (text.len <= 5 && str_u64(text, &port).code == OK && port <= 65535);
}

static bool head_is_name(Str text) {
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool is_good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
                       || (c != '\0' && strchr("-._~%!$&'()*+,;=", c));
        if (!is_good) return false;
    }
    return text.len > 0 && head_is_escaped(text);
}

static bool head_is_ip6(Str text) {
    for (size_t i = 0; i < text.len; i++)
        if (!head_is_hex(text.ptr[i]) && text.ptr[i] != ':' && text.ptr[i] != '.') return false;
    return text.len > 1;
}

bool head_is_host(Str text) {
    if (!str_starts(text, S("["))) {
        size_t colon = str_index(text, ':', 0);
        return head_is_name(str_slice(text, 0, colon))
               && head_is_port(str_slice(text, colon + 1, text.len));
    }
    size_t end = str_index(text, ']', 0);
    Str port = str_slice(text, end + 1, text.len);
    return end < text.len && head_is_ip6(str_slice(text, 1, end))
           && (port.len == 0 || (port.ptr[0] == ':' && head_is_port(str_slice(port, 1, port.len))));
}

/// "http://host/path": a proxy's form, which a server must take too (section 3.2.2).
static HeadVerdict head_read_absolute(Str *target, RequestHead *head) {
    static const Str schemes[] = {S("http://"), S("https://")};
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (!head_word_is(str_slice(*target, 0, schemes[i].len), schemes[i])) continue;
        Str rest = str_slice(*target, schemes[i].len, target->len);
        size_t end = 0;
        while (end < rest.len && rest.ptr[end] != '/' && rest.ptr[end] != '?')
            end++;
        head->host = str_slice(rest, 0, end);
        if (!head_is_host(head->host)) break;
        *target = str_slice(rest, end, rest.len);
        return (HeadVerdict){};
    }
    return head_refuse(400, "the target of the request is neither a path nor a URL");
}

HeadVerdict head_read_target(Str target, RequestHead *head) {
    if (!head_is_target(target) || !head_is_escaped(target))
        return head_refuse(400, "the target has bytes or escapes that are not allowed in it");
    if (str_eq(target, S("*")) && str_eq(head->method, S("OPTIONS"))) {
        head->path = target;
        return (HeadVerdict){};
    }
    if (target.ptr[0] != '/') HEAD_TRY(head_read_absolute(&target, head));
    size_t mark = str_index(target, '?', 0);
    head->path = mark > 0 ? str_slice(target, 0, mark) : S("/");
    if (mark < target.len) head->query = str_slice(target, mark + 1, target.len);
    return (HeadVerdict){};
}

/// Method, target and version with one space between each two.
static HeadVerdict head_read_request_line(Str line, RequestHead *head) {
    size_t first = str_index(line, ' ', 0);
    size_t second = str_index(line, ' ', first + 1);
    head->method = str_slice(line, 0, first);
    if (second >= line.len)
        return head_refuse(400, "the request line is not a method, a target and a version");
    if (!head_is_token(head->method) || head->method.len > HEAD_METHOD_MAX)
        return head_refuse(400, "the method is not a word");
    HEAD_TRY(head_read_version(str_slice(line, second + 1, line.len), &head->head.minor));
    return head_read_target(str_slice(line, first + 1, second), head);
}

/// The host is the target's, or that of the one Host field, which HTTP/1.1 must have (section 3.2).
static HeadVerdict head_read_host(RequestHead *head) {
    Str host;
    if (!head_one(&head->head.fields, S("Host"), &host))
        return head_refuse(400, "Host is repeated");
    if (!host.ptr && head->head.minor > 0) return head_refuse(400, "the request names no host");
    if (host.ptr && !head_is_host(host)) return head_refuse(400, "Host is not a host");
    if (!head->host.ptr) head->host = host;
    return (HeadVerdict){};
}

static HeadVerdict head_read_expectation(RequestHead *head) {
    Str expected;
    if (!head_one(&head->head.fields, S("Expect"), &expected))
        return head_refuse(400, "Expect is repeated");
    if (!expected.ptr || head->head.minor == 0) return (HeadVerdict){};
    if (!head_word_is(expected, S("100-continue")))
        return head_refuse(417, "nothing but 100-continue can be expected");
    head->expects_continue = head->head.body != BODY_NONE;
    return (HeadVerdict){};
}

HeadVerdict head_read_request(Str bytes, RequestHead *ret_head) {
    RequestHead head = {};
    Str rest = str_starts(bytes, S("\r\n")) ? str_slice(bytes, 2, bytes.len) : bytes;
    HEAD_TRY(head_read_request_line(head_line(&rest), &head));
    HEAD_TRY(head_read_fields(rest, &head.head.fields));
    HEAD_TRY(head_read_host(&head));
    HEAD_TRY(head_read_framing(&head.head, BODY_NONE));
    HEAD_TRY(head_read_expectation(&head));
    *ret_head = head;
    return (HeadVerdict){};
}

/// "HTTP/1.1 200 OK"; the words, and the space before them, may be missing.
static HeadVerdict head_read_status_line(Str line, ReplyHead *head) {
    uint64_t status = 0;
    HEAD_TRY(head_read_version(str_slice(line, 0, 8), &head->head.minor));
    bool is_good = line.len >= 12 && line.ptr[8] == ' '
                   && str_u64(str_slice(line, 9, 12), &status).code == OK && status >= 100
                   && status <= 599 && (line.len == 12 || line.ptr[12] == ' ');
    if (!is_good) return head_refuse(400, "the status line has no status");
    head->status = (uint16_t)status;
    return (HeadVerdict){};
}

HeadVerdict head_read_reply(Str bytes, bool is_to_head, ReplyHead *ret_head) {
    ReplyHead head = {};
    HEAD_TRY(head_read_status_line(head_line(&bytes), &head));
    HEAD_TRY(head_read_fields(bytes, &head.head.fields));
    HEAD_TRY(head_read_framing(&head.head, BODY_TO_END));
    bool has_body =
        !is_to_head && head.status / 100 != 1 && head.status != 204 && head.status != 304;
    if (!has_body) {
        bool closes = head_has(&head.head.fields, S("Connection"), S("close"), true);
        head.head.is_kept |= head.head.body == BODY_TO_END && head.head.minor > 0 && !closes;
        head.head.body = BODY_NONE;
    }
    *ret_head = head;
    return (HeadVerdict){};
}
