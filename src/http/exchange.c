// SPDX-License-Identifier: Apache-2.0
#include "http/exchange.h"

#include "http/problem.h"
#include "io/worker.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum { QUERY_MAX = 32 };

typedef enum ExchangeState { COLLECTING, RUNNING, ANSWERED } ExchangeState;

typedef struct Exchange {
    Server *server;
    struct MHD_Connection *connection;
    ExchangeState state;
    bool is_probe; ///< GET /readyz
    bool is_query_too_long;
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

static void reply_problem(Exchange *exchange, Err err, uint32_t status, uint64_t retry_after_s) {
    Text text;
    text_init(&text, PROBLEM_BYTES_MAX);
    problem_encode(err, status, exchange->request.path, (Str){}, retry_after_s, NULL, &text);
    exchange->reply = (HttpReply){.status = status,
                                  .content_type = S(PROBLEM_CONTENT_TYPE),
                                  .body = str_dup(&exchange->arena, text_str(&text)),
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
    Err err = is_draining(server) ? FAIL(ERR_UNAVAILABLE, "shutting down")
              : server->ready     ? server->ready(server->app)
                                  : SUCCESS;
    if (err.code == OK)
        reply_plain(exchange, MHD_HTTP_OK, S("ready\n"));
    else
        reply_plain(
            exchange, MHD_HTTP_SERVICE_UNAVAILABLE, str_print(&exchange->arena, "%s\n", err.what));
}

/// On a worker. After the resume the exchange is the network thread's again, or gone.
static void job_run(void *arg) {
    Exchange *exchange = arg;
    Server *server = exchange->server;
    if (exchange->is_probe)
        probe_run(exchange);
    else
        router_run(server->router, &exchange->request, &exchange->arena, &exchange->reply);
    exchange->state = ANSWERED;
    MHD_resume_connection(exchange->connection);
    pthread_mutex_lock(&server->lock);
    if (--server->under_way == 0) pthread_cond_broadcast(&server->idle);
    pthread_mutex_unlock(&server->lock);
}

/// Hand the complete request to the workers; if they have no room, the answer is 503 at once.
static enum MHD_Result run(Exchange *exchange) {
    Server *server = exchange->server;
    exchange->request.body = text_str(&exchange->body);
    exchange->state = RUNNING;
    pthread_mutex_lock(&server->lock);
    server->under_way++;
    pthread_mutex_unlock(&server->lock);
    MHD_suspend_connection(exchange->connection);
    Err err = worker_submit(server->workers, job_run, exchange);
    if (err.code == OK) return MHD_YES;
    reply_problem(exchange, FAIL(ERR_BUSY, "the server is busy"), MHD_HTTP_SERVICE_UNAVAILABLE, 1);
    exchange->state = ANSWERED;
    MHD_resume_connection(exchange->connection);
    pthread_mutex_lock(&server->lock);
    if (--server->under_way == 0) pthread_cond_broadcast(&server->idle);
    pthread_mutex_unlock(&server->lock);
    return MHD_YES;
}

static enum MHD_Result
query_add(void *arg, enum MHD_ValueKind kind, const char *key, const char *value) {
    Exchange *exchange = arg;
    (void)kind;
    StrMap *query = &exchange->request.query;
    if (query->count == QUERY_MAX || !query->items) {
        exchange->is_query_too_long = true;
        return MHD_NO;
    }
    query->items[query->count++] =
        (StrPair){str_dup(&exchange->arena, str_from(key)),
                  str_dup(&exchange->arena, str_from(value ? value : ""))};
    return MHD_YES;
}

static Str remote_text(Exchange *exchange) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    char text[INET6_ADDRSTRLEN] = "";
    if (info && info->client_addr->sa_family == AF_INET)
        inet_ntop(AF_INET,
                  &((const struct sockaddr_in *)(const void *)info->client_addr)->sin_addr,
                  text,
                  sizeof(text));
    if (info && info->client_addr->sa_family == AF_INET6)
        inet_ntop(AF_INET6,
                  &((const struct sockaddr_in6 *)(const void *)info->client_addr)->sin6_addr,
                  text,
                  sizeof(text));
    return str_dup(&exchange->arena, str_from(text));
}

static Str header_of(Exchange *exchange, const char *name) {
    return str_dup(
        &exchange->arena,
        str_from(MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name)));
}

/// The head of a request: everything but the body.
static void head_take(Exchange *exchange, const char *url, const char *method) {
    HttpRequest *request = &exchange->request;
    Str verb = str_from(method);
    if (str_eq(verb, S("HEAD"))) verb = S("GET"); // the library leaves the body out
    request->method = str_dup(&exchange->arena, verb);
    request->path = str_dup(&exchange->arena, str_from(url));
    request->content_type = header_of(exchange, "Content-Type");
    request->remote_address = remote_text(exchange);
    Str authorization = header_of(exchange, "Authorization");
    if (str_starts(authorization, S("Bearer ")))
        request->bearer = str_trim(str_slice(authorization, 7, authorization.len));
    request->query.items = ARENA_ARRAY(&exchange->arena, StrPair, QUERY_MAX);
    MHD_get_connection_values(exchange->connection, MHD_GET_ARGUMENT_KIND, query_add, exchange);
    uint32_t body_max = router_body_max(exchange->server->router, request->method, request->path);
    text_init(&exchange->body, body_max ? body_max : ROUTE_BODY_MAX);
}

static enum MHD_Result begin(Server *server,
                             struct MHD_Connection *connection,
                             const char *url,
                             const char *method,
                             void **ret_exchange) {
    Exchange *exchange = calloc(1, sizeof(*exchange));
    if (!exchange) return MHD_NO;
    exchange->server = server;
    exchange->connection = connection;
    arena_init(&exchange->arena, CALL_ARENA_MAX);
    head_take(exchange, url, method);
    *ret_exchange = exchange;
    return MHD_YES;
}

/// The request is complete: answer what needs no handler, or run it.
static enum MHD_Result finish(Exchange *exchange) {
    const HttpRequest *request = &exchange->request;
    bool is_get = str_eq(request->method, S("GET"));
    exchange->is_probe = is_get && str_eq(request->path, S("/readyz"));
    if (arena_check(&exchange->arena).code != OK)
        reply_problem(exchange,
                      FAIL(ERR_LIMIT, "no memory for the request"),
                      MHD_HTTP_SERVICE_UNAVAILABLE,
                      1);
    else if (exchange->body.failed)
        reply_problem(
            exchange, FAIL(ERR_LIMIT, "the body is too large"), MHD_HTTP_CONTENT_TOO_LARGE, 0);
    else if (exchange->is_query_too_long)
        reply_problem(
            exchange, FAIL(ERR_INVALID, "too many query parameters"), MHD_HTTP_BAD_REQUEST, 0);
    else if (is_get && str_eq(request->path, S("/healthz")))
        reply_plain(exchange, MHD_HTTP_OK, S("ok\n"));
    else
        return run(exchange);
    exchange->state = ANSWERED;
    return answer_send(exchange);
}

enum MHD_Result exchange_on_request(void *server,
                                    struct MHD_Connection *connection,
                                    const char *url,
                                    const char *method,
                                    const char *version,
                                    const char *piece,
                                    size_t *piece_len,
                                    void **exchange) {
    (void)version;
    Exchange *present = *exchange;
    if (!present) return begin(server, connection, url, method, exchange);
    if (*piece_len > 0) { // what is over the limit is read and dropped, then refused
        text_add(&present->body, (Str){piece, *piece_len});
        *piece_len = 0;
        return MHD_YES;
    }
    return present->state == ANSWERED ? answer_send(present) : finish(present);
}

void exchange_on_completed(void *server,
                           struct MHD_Connection *connection,
                           void **exchange,
                           enum MHD_RequestTerminationCode why) {
    (void)server;
    (void)connection;
    (void)why;
    Exchange *present = *exchange;
    if (!present) return;
    text_done(&present->body);
    arena_done(&present->arena);
    free(present);
    *exchange = NULL;
}
