// SPDX-License-Identifier: Apache-2.0
#include "http1/http1.h"

#include "base/clock.h"
#include "base/scope.h"
#include "http1/http1_parse.h"
#include "http1/http1_socket.h"
#include "io/tls.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { READ_BYTES = 8 * 1024 };

struct Http1 {
    Http1Options options; ///< its texts are our copies
    Http1Socket socket;
};

/// One exchange under way.
typedef struct Exchange {
    Http1 *http;
    const Http1Request *request;
    Err (*piece)(void *app, Str bytes); ///< NULL: the body is collected
    void *app;
    Http1Reply *reply;
    Http1Parse parse;
    uint64_t deadline_ms;
    bool has_reply; ///< a byte of it came
    Reason said;    ///< by the system or the TLS library, about a failure
} Exchange;

Err http1_open(const Http1Options *options, Http1 **ret_http) {
    assert(options->unix_path || options->host);
    Http1 *http = calloc(1, sizeof(*http));
    if (!http) return FAIL(ERR_MEMORY, "no memory for a client");
    http->options = *options;
    http->socket.fd = -1;
    http->options.unix_path = options->unix_path ? strdup(options->unix_path) : NULL;
    http->options.host = options->host ? strdup(options->host) : NULL;
    http->options.source = options->source ? strdup(options->source) : NULL;
    if ((options->unix_path && !http->options.unix_path) || (options->host && !http->options.host)
        || (options->source && !http->options.source)) {
        http1_close(http);
        return FAIL(ERR_MEMORY, "no memory for a client");
    }
    *ret_http = http;
    return SUCCESS;
}

Http1 *http1_close(Http1 *http) {
    if (!http) return NULL;
    http1_socket_close(&http->socket);
    free((void *)(uintptr_t)http->options.unix_path);
    free((void *)(uintptr_t)http->options.host);
    free((void *)(uintptr_t)http->options.source);
    free(http);
    return NULL;
}

int http1_fd(const Http1 *http) {
    return http->socket.fd;
}

/// Nothing in it ends a word or a line.
static bool http1_is_clean(Str text) {
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c <= ' ' || c == 0x7f) return false;
    }
    return true;
}

static void http1_host_add(const Http1Options *options, Text *out) {
    if (options->unix_path) {
        text_add(out, S("Host: localhost\r\n"));
        return;
    }
    Str host = str_from(options->host);
    text_print(out, "Host: " HOST_SPEC ":%u\r\n", HOST_FMT(host), options->port);
}

/// The bytes of a request.
static Err http1_request_add(const Http1Options *options, const Http1Request *request, Text *out) {
    if (request->target.len == 0 || request->target.ptr[0] != '/')
        return FAIL(ERR_INVALID, "the target does not begin with a slash");
    if (!http1_is_clean(request->target))
        return FAIL(ERR_INVALID, "the target has bytes that are not allowed in it");
    text_print(out, "%s %.*s HTTP/1.1\r\n", request->method, STR_FMT(request->target));
    http1_host_add(options, out);
    text_add(out, S("User-Agent: muster/" MUSTER_VERSION "\r\n"));
    if (request->body.ptr) text_add(out, S("Content-Type: application/json\r\n"));
    if (request->body.ptr || strcmp(request->method, "POST") == 0)
        text_print(out, "Content-Length: %zu\r\n", request->body.len);
    text_add(out, S("\r\n"));
    text_add(out, request->body);
    return text_check(out);
}

static Err http1_body_take(void *app, Str bytes) {
    Exchange *exchange = app;
    bool is_stream = exchange->piece && exchange->parse.status / 100 == 2;
    if (is_stream) {
        TRY(exchange->piece(exchange->app, bytes));
        exchange->deadline_ms = clock_monotonic_ms() + exchange->request->within_ms;
        return SUCCESS;
    }
    text_add(&exchange->reply->body, bytes);
    if (exchange->reply->body.failed == ERR_LIMIT)
        return FAIL(ERR_LIMIT, "the reply is larger than allowed");
    TRY(text_check(&exchange->reply->body));
    return SUCCESS;
}

/// Read the reply to its end. What the peer sends beyond it belongs to nothing: no more is asked
/// on this connection.
static Err http1_reply_read(Exchange *exchange) {
    Http1Parse *parse = &exchange->parse;
    Http1Socket *socket = &exchange->http->socket;
    http1_parse_init(
        parse, strcmp(exchange->request->method, "HEAD") == 0, http1_body_take, exchange);
    char bytes[READ_BYTES];
    Str input = {};
    while (!parse->is_complete) {
        size_t len = 0;
        TRY(http1_socket_read(socket, bytes, sizeof(bytes), exchange->deadline_ms, &len));
        exchange->has_reply |= len > 0;
        input = (Str){bytes, len};
        TRY(len > 0 ? http1_parse(parse, &input) : http1_parse_end(parse));
        exchange->reply->status = parse->status;
        exchange->reply->retry_after_s = parse->retry_after_s;
    }
    if (!parse->is_kept || input.len > 0) http1_socket_close(socket);
    return SUCCESS;
}

/// Ask once, on a new connection unless one is open. After an error none is open.
static Err http1_ask(Exchange *exchange, Str request) {
    Http1 *http = exchange->http;
    Err err = SUCCESS;
    if (http->socket.fd < 0)
        err = http1_socket_open(
            &http->socket, &http->options, exchange->deadline_ms, &exchange->said);
    if (err.code == OK) err = http1_socket_write(&http->socket, request, exchange->deadline_ms);
    if (err.code == OK) err = http1_reply_read(exchange);
    http1_parse_done(&exchange->parse);
    if (err.code != OK) http1_socket_close(&http->socket);
    return err;
}

static Err http1_exchange_run(Exchange *exchange) {
    Http1 *http = exchange->http;
    const Http1Request *request = exchange->request;
    *exchange->reply = (Http1Reply){};
    text_init(&exchange->reply->body, request->reply_max);
    SCOPED(text_done) Text bytes;
    text_init(&bytes, HTTP1_HEAD_MAX + request->body.len);
    TRY(http1_request_add(&http->options, request, &bytes));

    exchange->deadline_ms = clock_monotonic_ms() + request->within_ms;
    if (!http1_socket_is_quiet(&http->socket)) http1_socket_close(&http->socket);
    bool was_kept = http->socket.fd >= 0;
    Err err = http1_ask(exchange, text_str(&bytes));
    // The peer may have closed a kept connection just when we asked: it never saw the request.
    if (err.code == ERR_UNAVAILABLE && was_kept && !exchange->has_reply)
        err = http1_ask(exchange, text_str(&bytes));
    return err;
}

/// Which peer a failure is about, and what was `said` of it.
static Err
http1_peer_fail(const Http1Options *options, Err err, const Reason *said, Reason *reason) {
    const char *separator = said->text[0] ? ": " : "";
    if (options->unix_path)
        return reason_fail(reason, err, "%s%s%s", options->unix_path, separator, said->text);
    Str host = str_from(options->host);
    return reason_fail(
        reason, err, HOST_SPEC ":%u%s%s", HOST_FMT(host), options->port, separator, said->text);
}

Err http1_exchange(Http1 *http,
                   const Http1Request *request,
                   Http1Reply *ret_reply,
                   Reason *reason) {
    Exchange exchange = {.http = http, .request = request, .reply = ret_reply};
    Err err = http1_exchange_run(&exchange);
    return err.code == OK ? SUCCESS : http1_peer_fail(&http->options, err, &exchange.said, reason);
}

Err http1_stream(Http1 *http,
                 const Http1Request *request,
                 Err (*piece)(void *app, Str bytes),
                 void *app,
                 Http1Reply *ret_reply,
                 Reason *reason) {
    assert(piece);
    Exchange exchange = {
        .http = http, .request = request, .piece = piece, .app = app, .reply = ret_reply};
    Err err = http1_exchange_run(&exchange);
    return err.code == OK ? SUCCESS : http1_peer_fail(&http->options, err, &exchange.said, reason);
}

Err http1_peer_ca(const Http1Options *options,
                  Str fingerprint_hex,
                  uint64_t within_ms,
                  Arena *arena,
                  Str *ret_pem,
                  Reason *reason) {
    Reason said = {};
    Http1Socket socket = {.fd = -1, .cancel_fd = options->cancel_fd};
    Err err = http1_socket_open(&socket, options, clock_monotonic_ms() + within_ms, &said);
    if (err.code == OK) err = tls_peer_ca(socket.tls, fingerprint_hex, arena, ret_pem);
    http1_socket_close(&socket);
    return err.code == OK ? SUCCESS : http1_peer_fail(options, err, &said, reason);
}
