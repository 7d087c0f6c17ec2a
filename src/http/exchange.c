// SPDX-License-Identifier: Apache-2.0
#include "http/exchange.h"

#include "base/log.h"
#include "http/problem.h"
#include "io/worker.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <strings.h>

enum {
    QUERY_MAX = 32,
    BODY_READ_MAX = 1024 * 1024, ///< more of a body is not even read to be refused
    ANSWER_HEADERS_MAX = 4096,   ///< memory for them, beyond what the call may have
    BUSY_RETRY_S = 1,
};

typedef enum ExchangeState { OPENED, COLLECTING, RUNNING, REPLIED, ANSWERED } ExchangeState;

typedef struct Exchange {
    Server *server;
    struct MHD_Connection *connection;
    ExchangeState state;
    bool is_probe;      ///< GET /readyz
    bool is_path_plain; ///< no '/' or NUL hid in it
    uint64_t body_seen; ///< bytes that came, kept or not
    Arena arena;
    Text body;
    HttpRequest request;
    HttpReply reply;
} Exchange;

static bool is_draining(Server *server) {
    pthread_mutex_lock(&server->lock);
    bool draining = server->is_draining;
    pthread_mutex_unlock(&server->lock);
    return draining;
}

/// The router logs what it refuses; this is for what does not get that far.
static void reply_problem(Exchange *exchange, Err err, uint32_t status) {
    Clock clock = clock_system();
    Id id = id_new(S("req"), clock_now_ms(&clock));
    uint64_t retry_after_s = status == MHD_HTTP_SERVICE_UNAVAILABLE ? BUSY_RETRY_S : 0;
    log_event(LOG_INFO,
              "request.refused",
              F("request", id_str(&id)),
              F("remote", exchange->request.remote_address),
              F("status", (uint64_t)status),
              F("what", str_from(err.what)));
    Text text;
    text_init(&text, PROBLEM_BYTES_MAX);
    problem_encode(err, status, exchange->request.path, id_str(&id), retry_after_s, NULL, &text);
    exchange->reply = (HttpReply){.status = status,
                                  .content_type = S(PROBLEM_CONTENT_TYPE),
                                  .body = str_dup(&exchange->arena, text_str(&text)),
                                  .request_id = str_dup(&exchange->arena, id_str(&id)),
                                  .retry_after_s = retry_after_s};
    text_done(&text);
}

static void reply_plain(Exchange *exchange, uint32_t status, Str text) {
    exchange->reply =
        (HttpReply){.status = status, .content_type = S("text/plain; charset=utf-8"), .body = text};
}

static void header_add(struct MHD_Response *response, const char *name, Str value) {
    if (value.ptr) MHD_add_response_header(response, name, value.ptr);
}

/// Texts of a reply live in its arena with a NUL behind them, or are literals.
static enum MHD_Result answer_send(Exchange *exchange) {
    HttpReply *reply = &exchange->reply;
    exchange->state = ANSWERED;
    exchange->arena.max_bytes += ANSWER_HEADERS_MAX;
    struct MHD_Response *response = MHD_create_response_from_buffer(
        reply->body.len, (void *)(uintptr_t)reply->body.ptr, MHD_RESPMEM_PERSISTENT);
    if (!response) return MHD_NO;
    header_add(response, "Content-Type", str_dup(&exchange->arena, reply->content_type));
    header_add(response, "X-Request-Id", str_dup(&exchange->arena, reply->request_id));
    header_add(response, "Allow", str_dup(&exchange->arena, reply->allow));
    header_add(response, "Cache-Control", S("no-store"));
    header_add(response, "X-Content-Type-Options", S("nosniff"));
    if (reply->status == MHD_HTTP_UNAUTHORIZED)
        header_add(response, "WWW-Authenticate", S("Bearer"));
    if (reply->retry_after_s)
        header_add(response,
                   "Retry-After",
                   str_print(&exchange->arena, "%llu", (unsigned long long)reply->retry_after_s));
    if (is_draining(exchange->server)) header_add(response, "Connection", S("close"));
    enum MHD_Result result = MHD_queue_response(exchange->connection, reply->status, response);
    MHD_destroy_response(response);
    return result;
}

static void probe_run(Exchange *exchange) {
    Server *server = exchange->server;
    Err err = server->ready ? server->ready(server->app) : SUCCESS;
    if (err.code == OK)
        reply_plain(exchange, MHD_HTTP_OK, S("ready\n"));
    else
        reply_problem(exchange, err, MHD_HTTP_SERVICE_UNAVAILABLE);
}

static Err run_begin(Server *server) {
    pthread_mutex_lock(&server->lock);
    bool is_closing = server->is_closing;
    if (!is_closing) server->running++;
    pthread_mutex_unlock(&server->lock);
    return is_closing ? FAIL(ERR_UNAVAILABLE, "the server is closing") : SUCCESS;
}

/// The reply is there: wake the connection. From here on the exchange is the network thread's, or
/// gone; the server is gone when the count has fallen.
static void run_end(Exchange *exchange) {
    Server *server = exchange->server;
    exchange->state = REPLIED;
    MHD_resume_connection(exchange->connection);
    pthread_mutex_lock(&server->lock);
    if (--server->running == 0) pthread_cond_broadcast(&server->idle);
    pthread_mutex_unlock(&server->lock);
}

/// On a worker.
static void job_run(void *arg) {
    Exchange *exchange = arg;
    if (exchange->is_probe)
        probe_run(exchange);
    else
        router_run(
            exchange->server->router, &exchange->request, &exchange->arena, &exchange->reply);
    run_end(exchange);
}

/// Hand the complete request to the workers; if they have no room, the answer is 503 at once.
/// Suspended first: the job may resume the connection before worker_submit is back.
static enum MHD_Result run(Exchange *exchange) {
    Server *server = exchange->server;
    Err err = run_begin(server);
    if (err.code != OK) {
        reply_problem(exchange, err, MHD_HTTP_SERVICE_UNAVAILABLE);
        return answer_send(exchange);
    }
    exchange->request.body = text_str(&exchange->body);
    exchange->state = RUNNING;
    MHD_suspend_connection(exchange->connection);
    err = worker_submit(server->workers, job_run, exchange);
    if (err.code == OK) return MHD_YES;
    reply_problem(exchange, err, MHD_HTTP_SERVICE_UNAVAILABLE);
    run_end(exchange);
    return MHD_YES;
}

static enum MHD_Result query_add(void *arg,
                                 enum MHD_ValueKind,
                                 const char *key,
                                 size_t key_len,
                                 const char *value,
                                 size_t value_len) {
    StrMap *query = arg;
    query->items[query->count++] = (StrPair){
        {key,   key_len  },
        value ? (Str){value, value_len}
        : S("")
    };
    return MHD_YES;
}

static Err query_take(Exchange *exchange) {
    struct MHD_Connection *connection = exchange->connection;
    int count = MHD_get_connection_values_n(connection, MHD_GET_ARGUMENT_KIND, NULL, NULL);
    if (count > QUERY_MAX) return FAIL(ERR_INVALID, "too many query parameters");
    StrMap *query = &exchange->request.query;
    query->items = ARENA_ARRAY(&exchange->arena, StrPair, QUERY_MAX);
    if (!query->items) return FAIL(ERR_LIMIT, "no memory for the request");
    MHD_get_connection_values_n(connection, MHD_GET_ARGUMENT_KIND, query_add, query);
    return SUCCESS;
}

static Str remote_text(Exchange *exchange) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (!info || !info->client_addr) return (Str){};
    const void *address = info->client_addr;
    char text[INET6_ADDRSTRLEN] = "";
    if (info->client_addr->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = address;
        inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text));
    } else {
        const struct sockaddr_in6 *v6 = address;
        bool is_mapped = IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr); // IPv4 to a socket of both
        const void *bytes = &v6->sin6_addr.s6_addr[is_mapped ? 12 : 0];
        inet_ntop(is_mapped ? AF_INET : AF_INET6, bytes, text, sizeof(text));
    }
    return str_dup(&exchange->arena, str_from(text));
}

static Str header_of(const Exchange *exchange, const char *name) {
    return str_from(MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name));
}

static Str bearer_of(Str authorization) {
    Str scheme = S("Bearer ");
    if (authorization.len <= scheme.len) return (Str){};
    if (strncasecmp(authorization.ptr, scheme.ptr, scheme.len) != 0) return (Str){};
    return str_trim(str_slice(authorization, scheme.len, authorization.len));
}

static enum MHD_Result refuse(Exchange *exchange, Err err, uint32_t status) {
    reply_problem(exchange, err, status);
    return answer_send(exchange);
}

/// The head of a request: everything but the body.
static enum MHD_Result head_take(Exchange *exchange, const char *url, const char *method) {
    HttpRequest *request = &exchange->request;
    Str verb = str_from(method);
    request->method = str_eq(verb, S("HEAD")) ? S("GET") : verb; // the library leaves the body out
    request->path = str_from(url);
    request->content_type = header_of(exchange, "Content-Type");
    request->remote_address = remote_text(exchange);
    request->bearer = bearer_of(header_of(exchange, "Authorization"));
    uint32_t body_max = router_body_max(exchange->server->router, request->method, request->path);
    text_init(&exchange->body, body_max);
    exchange->state = COLLECTING;
    uint64_t announced = 0;
    Err err = str_u64(header_of(exchange, "Content-Length"), &announced);
    if (err.code != OK || announced <= BODY_READ_MAX) return MHD_YES;
    return refuse(exchange, FAIL(ERR_LIMIT, "the body is too large"), MHD_HTTP_CONTENT_TOO_LARGE);
}

/// What is over the limit of its route is read and dropped before it is refused: a peer that is cut
/// off while it sends would not see the answer. Where there is no route, the answer is 404.
static enum MHD_Result body_take(Exchange *exchange, Str piece) {
    exchange->body_seen += piece.len;
    if (exchange->body.max) text_add(&exchange->body, piece);
    return exchange->body_seen > BODY_READ_MAX ? MHD_NO : MHD_YES;
}

/// The request is complete: answer what needs no handler, or run it.
static enum MHD_Result finish(Exchange *exchange) {
    const HttpRequest *request = &exchange->request;
    bool is_get = str_eq(request->method, S("GET"));
    exchange->is_probe = is_get && str_eq(request->path, S("/readyz"));
    if (!exchange->is_path_plain)
        return refuse(exchange,
                      FAIL(ERR_INVALID, "no segment of a path may hold a '/' or NUL"),
                      MHD_HTTP_BAD_REQUEST);
    if (exchange->body.failed)
        return refuse(
            exchange, FAIL(ERR_LIMIT, "the body is too large"), MHD_HTTP_CONTENT_TOO_LARGE);
    Err err = query_take(exchange);
    if (err.code != OK) return refuse(exchange, err, MHD_HTTP_BAD_REQUEST);
    if (exchange->is_probe && is_draining(exchange->server))
        return refuse(
            exchange, FAIL(ERR_UNAVAILABLE, "shutting down"), MHD_HTTP_SERVICE_UNAVAILABLE);
    if (!is_get || !str_eq(request->path, S("/healthz"))) return run(exchange);
    reply_plain(exchange, MHD_HTTP_OK, S("ok\n"));
    return answer_send(exchange);
}

enum MHD_Result exchange_on_request(void *,
                                    struct MHD_Connection *,
                                    const char *url,
                                    const char *method,
                                    const char *,
                                    const char *piece,
                                    size_t *piece_len,
                                    void **exchange) {
    Exchange *present = *exchange;
    if (!present) return MHD_NO; // there was no memory for it
    if (present->state == OPENED) return head_take(present, url, method);
    if (present->state == REPLIED) return answer_send(present);
    if (present->state == ANSWERED) return MHD_NO; // it was answered before its body came
    if (*piece_len == 0) return finish(present);
    Str bytes = {piece, *piece_len};
    *piece_len = 0;
    return body_take(present, bytes);
}

/// Decoded, a '/' or NUL that hides in the path would change what it means.
static bool is_path_plain(Str target) {
    Str path = str_slice(target, 0, str_index(target, '?', 0));
    for (size_t i = 0; i + 2 < path.len; i++) {
        if (strncasecmp(path.ptr + i, "%2f", 3) == 0) return false;
        if (strncasecmp(path.ptr + i, "%00", 3) == 0) return false;
    }
    return true;
}

void *exchange_on_target(void *ctx, const char *target, struct MHD_Connection *connection) {
    Server *server = ctx;
    Exchange *exchange = calloc(1, sizeof(*exchange));
    if (!exchange) return NULL;
    exchange->server = server;
    exchange->connection = connection;
    exchange->is_path_plain = is_path_plain(str_from(target));
    arena_init(&exchange->arena, CALL_ARENA_MAX);
    pthread_mutex_lock(&server->lock);
    server->open++;
    pthread_mutex_unlock(&server->lock);
    return exchange;
}

void exchange_on_completed(void *ctx,
                           struct MHD_Connection *,
                           void **exchange,
                           enum MHD_RequestTerminationCode) {
    Server *server = ctx;
    Exchange *present = *exchange;
    if (!present) return;
    assert(present->state != RUNNING);
    *exchange = NULL;
    text_done(&present->body);
    arena_done(&present->arena);
    free(present);
    pthread_mutex_lock(&server->lock);
    if (--server->open == 0) pthread_cond_broadcast(&server->idle);
    pthread_mutex_unlock(&server->lock);
}
