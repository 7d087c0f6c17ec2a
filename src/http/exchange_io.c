// SPDX-License-Identifier: Apache-2.0
// Between HTTP's idea of a request and ours.
#include "http/exchange.h"

#include "base/clock.h"
#include "http1/reply.h"

#include <strings.h>

enum {
    QUERY_MAX = 32,
    FIELDS_BYTES_MAX = 4096, ///< of an answer
};

static int exchange_hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/// Escapes are undone (RFC 3986 section 2.1); `plus`: what a '+' stands for. One that is none
/// stays.
static Str exchange_unescape(Arena *arena, Str text, char plus) {
    char *out = ARENA_ARRAY(arena, char, text.len + 1);
    if (!out) return (Str){};
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i] == '+' ? plus : text.ptr[i];
        bool is_escape = c == '%' && i + 2 < text.len;
        int high = is_escape ? exchange_hex(text.ptr[i + 1]) : -1;
        int low = is_escape ? exchange_hex(text.ptr[i + 2]) : -1;
        if (high >= 0 && low >= 0) {
            c = (char)(high << 4 | low);
            i += 2;
        }
        out[len++] = c;
    }
    return (Str){out, len};
}

/// Decoded, a '/' or NUL that hides in the path would change what it means.
static bool exchange_is_path_plain(Str path) {
    for (size_t i = 0; i + 2 < path.len; i++) {
        if (strncasecmp(path.ptr + i, "%2f", 3) == 0) return false;
        if (strncasecmp(path.ptr + i, "%00", 3) == 0) return false;
    }
    return true;
}

static Err exchange_load_query(Exchange *exchange, Str text) {
    StrMap *query = &exchange->request.query;
    Str pair;
    query->items = ARENA_ARRAY(&exchange->arena, StrPair, QUERY_MAX);
    if (!query->items) return arena_check(&exchange->arena);
    while (text.ptr && str_cut(&text, '&', &pair)) {
        if (pair.len == 0) continue;
        if (query->count == QUERY_MAX) return FAIL(ERR_INVALID, "too many query parameters");
        size_t equals = str_index(pair, '=', 0);
        query->items[query->count++] = (StrPair){
            exchange_unescape(&exchange->arena, str_slice(pair, 0, equals), ' '),
            exchange_unescape(&exchange->arena, str_slice(pair, equals + 1, pair.len), ' ')};
    }
    return arena_check(&exchange->arena);
}

/// The value of a field; absent if it is not there, or repeated.
static Str exchange_field(const RequestHead *head, Str name) {
    Str value;
    return head_one(&head->head.fields, name, &value) ? value : (Str){};
}

static Str exchange_bearer_of(Str authorization) {
    Str scheme = S("Bearer ");
    if (authorization.len <= scheme.len) return (Str){};
    if (strncasecmp(authorization.ptr, scheme.ptr, scheme.len) != 0) return (Str){};
    return str_trim(str_slice(authorization, scheme.len, authorization.len));
}

Err exchange_load(Exchange *exchange) {
    const RequestHead *head = exchange->web->head;
    HttpRequest *request = &exchange->request;
    request->method = str_eq(head->method, S("HEAD")) ? S("GET") : head->method;
    request->path = exchange_unescape(&exchange->arena, head->path, '+');
    request->content_type = exchange_field(head, S("Content-Type"));
    request->remote_address = str_from(exchange->web->remote);
    request->last_event_id = exchange_field(head, S("Last-Event-ID"));
    request->bearer = exchange_bearer_of(exchange_field(head, S("Authorization")));
    if (!exchange_is_path_plain(head->path))
        return FAIL(ERR_INVALID, "no segment of a path may hold a '/' or NUL");
    return exchange_load_query(exchange, head->query);
}

void exchange_send(Exchange *exchange) {
    const HttpReply *reply = &exchange->reply;
    Text *out = &exchange->fields;
    text_init(out, FIELDS_BYTES_MAX);
    reply_field(out, "Content-Type", reply->content_type);
    reply_field(out, "X-Request-Id", reply->request_id);
    reply_field(out, "Allow", reply->allow);
    reply_field(out, "Cache-Control", S("no-store"));
    reply_field(out, "X-Content-Type-Options", S("nosniff"));
    if (reply->status == 401) reply_field(out, "WWW-Authenticate", S("Bearer"));
    if (reply->retry_after_s)
        text_print(out, "Retry-After: %llu\r\n", (unsigned long long)reply->retry_after_s);
    const WebReply answer = {.status = (uint16_t)reply->status,
                             .fields = text_str(out), // without memory, fewer of them
                             .body = reply->body,
                             .ends = traffic_is_draining(&exchange->server->traffic),
                             .is_open = reply->stream.end};
    if (answer.is_open) reply->stream.begin(reply->stream.ctx, exchange->web);
    web_answer(exchange->web, &answer);
}
