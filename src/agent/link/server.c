// SPDX-License-Identifier: Apache-2.0
#include "agent/link/server.h"

#include "base/problem.h"
#include "base/scope.h"
#include "http1/http1.h"
#include "io/tls.h"
#include "wire/agent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WITHIN_MS = 20'000, ANSWER_MAX = SYNC_DOWN_MAX };

struct Server {
    ServerAddress address;
    TlsContext *tls; ///< borrowed
    Http1 *http;
    uint32_t status;
    uint64_t retry_after_s;
};

static bool server_is_local(Str host) {
    return str_eq(host, S("localhost")) || str_eq(host, S("127.0.0.1")) || str_eq(host, S("::1"));
}

/// "host:port", "[::1]:port", or without a port.
static Err server_host_and_port(Str text, uint16_t fallback, Str *ret_host, uint16_t *ret_port) {
    const Err wrong = FAIL(ERR_INVALID, "the server must be https://HOST[:PORT]");
    Str host = text;
    Str port = {};
    if (str_starts(text, S("["))) {
        size_t end = str_index(text, ']', 0);
        host = str_slice(text, 1, end);
        Str rest = str_slice(text, end + 1, text.len);
        if (end == text.len || (rest.len > 0 && rest.ptr[0] != ':')) return wrong;
        if (rest.len > 0) port = str_slice(rest, 1, rest.len);
    } else {
        size_t colon = str_index(text, ':', 0);
        host = str_slice(text, 0, colon);
        if (colon < text.len) port = str_slice(text, colon + 1, text.len);
    }
    uint64_t number = fallback;
    if (port.ptr && str_u64(port, &number).code != OK) return wrong;
    if (host.len == 0 || host.len > SERVER_HOST_MAX || number == 0 || number > UINT16_MAX)
        return wrong;
    *ret_host = host;
    *ret_port = (uint16_t)number;
    return SUCCESS;
}

Err server_address_parse(Str url, ServerAddress *ret_address) {
    ServerAddress address = {.has_tls = str_starts(url, S("https://"))};
    if (!address.has_tls && !str_starts(url, S("http://")))
        return FAIL(ERR_INVALID, "the server must be https://HOST[:PORT]");
    Str rest = str_slice(url, address.has_tls ? 8 : 7, url.len);
    if (str_ends(rest, S("/"))) rest.len--;
    Str host;
    TRY(server_host_and_port(rest, address.has_tls ? 443 : 80, &host, &address.port));
    for (size_t i = 0; i < host.len; i++)
        if ((uint8_t)host.ptr[i] <= ' ' || strchr("/?#@%\\", host.ptr[i]))
            return FAIL(ERR_INVALID, "the server must be https://HOST[:PORT]");
    if (!address.has_tls && !server_is_local(host))
        return FAIL(ERR_INVALID, "plain http is for this machine only: use https");
    memcpy(address.host, host.ptr, host.len);
    *ret_address = address;
    return SUCCESS;
}

static Http1Options server_options(const ServerAddress *address, TlsContext *tls) {
    return (Http1Options){
        .host = address->host, .port = address->port, .tls = tls, .cancel_fd = -1};
}

Err server_authority(
    const ServerAddress *address, Str fingerprint, Arena *arena, Str *ret_pem, Reason *reason) {
    TlsContext *trusts_nothing = NULL;
    TRY(tls_client_context_open((Str){}, &trusts_nothing));
    Http1Options options = server_options(address, trusts_nothing);
    Err err = http1_peer_ca(&options, fingerprint, WITHIN_MS, arena, ret_pem, reason);
    tls_context_close(trusts_nothing);
    return err;
}

Err server_open(const ServerAddress *address, TlsContext *tls, Server **ret_server) {
    Server *server = calloc(1, sizeof(*server));
    if (!server) return OUT_OF_MEMORY;
    server->address = *address;
    server->tls = tls;
    Http1Options options = server_options(&server->address, tls);
    Err err = http1_open(&options, &server->http);
    if (err.code != OK) {
        server_close(server);
        return err;
    }
    *ret_server = server;
    return SUCCESS;
}

Server *server_close(Server *server) {
    if (!server) return NULL;
    http1_close(server->http);
    free(server);
    return NULL;
}

Err server_source(Server *server, const char *source) {
    Http1Options options = server_options(&server->address, server->tls);
    options.source = source;
    Http1 *http = NULL;
    TRY(http1_open(&options, &http));
    http1_close(server->http);
    server->http = http;
    return SUCCESS;
}

uint32_t server_status(const Server *server) {
    return server->status;
}

uint64_t server_retry_after_s(const Server *server) {
    return server->retry_after_s;
}

/// What a problem document (RFC 9457) says, or else the status alone.
static Err server_refusal(const Http1Reply *reply, Reason *reason) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 64 * 1024);
    Problem problem;
    ErrCode code = problem_read(reply->status, text_str(&reply->body), &arena, &problem);
    Err err = FAIL(code, "the server refuses the request");
    Str said = problem.detail.ptr ? problem.detail : problem.title;
    if (said.len > 0) return reason_fail(reason, err, "%.*s", STR_FMT(said));
    return reason_fail(reason, err, "it answers with status %u", reply->status);
}

Err server_post_text(Server *server, const char *path, Str body, Text *ret_answer, Reason *reason) {
    server->status = 0;
    server->retry_after_s = 0;
    Http1Request request = {
        .method = "POST",
        .target = str_from(path),
        .body = body,
        .within_ms = WITHIN_MS,
        .reply_max = ANSWER_MAX,
    };
    Http1Reply reply = {};
    Err err = http1_exchange(server->http, &request, &reply, reason);
    if (err.code == OK) server->status = reply.status;
    if (err.code == OK && (reply.status < 200 || reply.status > 299)) {
        server->retry_after_s = reply.retry_after_s;
        err = server_refusal(&reply, reason);
    }
    if (err.code != OK) {
        text_done(&reply.body);
        return err;
    }
    *ret_answer = reply.body;
    return SUCCESS;
}

Err server_post(Server *server,
                const char *path,
                const Schema *in_schema,
                const void *in,
                const Schema *out_schema,
                Arena *arena,
                void *ret_out,
                Reason *reason) {
    SCOPED(text_done) Text body;
    text_init(&body, SYNC_FIRST_MAX);
    if (in_schema) schema_encode(in_schema, in, ENCODE_REQUEST, &body);
    TRY(text_check(&body));
    SCOPED(text_done) Text answer = {};
    Str sent = in_schema ? text_str(&body) : (Str){};
    TRY(server_post_text(server, path, sent, &answer, reason));
    Err err = schema_read(out_schema, text_str(&answer), DECODE_PEER, arena, ret_out, reason);
    if (err.code == ERR_INVALID) return FAIL(ERR_INVALID, "the server's answer makes no sense");
    return err;
}
