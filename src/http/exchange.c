// SPDX-License-Identifier: Apache-2.0
#include "http/exchange.h"

#include "base/log.h"
#include "base/problem.h"
#include "io/worker.h"

#include <assert.h>
#include <stdlib.h>
#include <strings.h>

enum {
    BODY_READ_MAX = 4 * 1024 * 1024, ///< more of a body is not even read to be refused
};

/// The router logs what it refuses; this is for what does not get that far.
static void exchange_reply_problem(Exchange *exchange, Err err, uint32_t status) {
    Clock clock = clock_system();
    Id id = id_new(S("req"), clock_now_ms(&clock));
    uint64_t retry_after_s = status == MHD_HTTP_SERVICE_UNAVAILABLE ? PROBLEM_RETRY_S : 0;
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
    if (exchange->reply.body.ptr) return;
    exchange->reply.status = err_http_status(ERR_MEMORY);
    exchange->reply.retry_after_s = PROBLEM_RETRY_S;
    exchange->reply.body = problem_of_no_memory;
}

static void exchange_reply_plain(Exchange *exchange, uint32_t status, Str text) {
    exchange->reply =
        (HttpReply){.status = status, .content_type = S("text/plain; charset=utf-8"), .body = text};
}

static void exchange_probe_run(Exchange *exchange) {
    Server *server = exchange->server;
    Err err = server->ready ? server->ready(server->app) : SUCCESS;
    if (err.code == OK)
        exchange_reply_plain(exchange, MHD_HTTP_OK, S("ready\n"));
    else
        exchange_reply_problem(exchange, err, MHD_HTTP_SERVICE_UNAVAILABLE);
}

/// The reply is there: wake the connection. From here on the exchange is the network thread's, or
/// gone; the server is gone when the count has fallen.
static void exchange_run_end(Exchange *exchange) {
    Server *server = exchange->server;
    exchange->state = REPLIED;
    MHD_resume_connection(exchange->connection);
    traffic_ran(&server->traffic);
}

static void exchange_replied(void *ctx, const HttpReply *reply) {
    Exchange *exchange = ctx;
    exchange->reply = *reply;
    exchange_run_end(exchange);
}

/// On a worker.
static void exchange_job_run(void *arg) {
    Exchange *exchange = arg;
    if (exchange->is_probe) {
        exchange_probe_run(exchange);
        exchange_run_end(exchange);
        return;
    }
    router_run_then(exchange->server->router,
                    exchange->workers,
                    &exchange->request,
                    &exchange->arena,
                    exchange_replied,
                    exchange);
}

static void exchange_reply_keep(void *ctx, const HttpReply *reply) {
    Exchange *exchange = ctx;
    exchange->reply = *reply;
    exchange->state = REPLIED;
}

/// A route without a pool, whose handler has nothing to wait for: the answer is there at once.
static enum MHD_Result exchange_run_here(Exchange *exchange) {
    router_run_then(exchange->server->router,
                    NULL,
                    &exchange->request,
                    &exchange->arena,
                    exchange_reply_keep,
                    exchange);
    assert(exchange->state == REPLIED);
    traffic_ran(&exchange->server->traffic);
    return exchange_send(exchange);
}

/// Hand the complete request to the workers; if they have no room, the answer is 503 at once.
/// Suspended first: the job may resume the connection before worker_submit is back.
static enum MHD_Result exchange_run(Exchange *exchange) {
    Server *server = exchange->server;
    Err err = traffic_run(&server->traffic);
    if (err.code != OK) {
        exchange_reply_problem(exchange, err, MHD_HTTP_SERVICE_UNAVAILABLE);
        return exchange_send(exchange);
    }
    exchange->request.body = text_str(&exchange->body);
    exchange->state = RUNNING;
    const HttpRequest *request = &exchange->request;
    exchange->workers = server->pools[router_pool(server->router, request->method, request->path)];
    if (!exchange->workers) return exchange_run_here(exchange);
    MHD_suspend_connection(exchange->connection);
    err = worker_submit(exchange->workers, exchange_job_run, exchange);
    if (err.code == OK) return MHD_YES;
    exchange_reply_problem(exchange, err, MHD_HTTP_SERVICE_UNAVAILABLE);
    exchange_run_end(exchange);
    return MHD_YES;
}

static enum MHD_Result exchange_refuse(Exchange *exchange, Err err, uint32_t status) {
    exchange_reply_problem(exchange, err, status);
    return exchange_send(exchange);
}

/// The head is there.
static enum MHD_Result exchange_head_take(Exchange *exchange, const char *url, const char *method) {
    const HttpRequest *request = &exchange->request;
    exchange_load_head(exchange, url, method);
    uint32_t body_max = router_body_max(exchange->server->router, request->method, request->path);
    text_init(&exchange->body, body_max);
    exchange->state = COLLECTING;
    uint64_t announced = 0;
    Err err = str_u64(exchange_header(exchange, "Content-Length"), &announced);
    if (err.code != OK || announced <= BODY_READ_MAX) return MHD_YES;
    return exchange_refuse(
        exchange, FAIL(ERR_LIMIT, "the body is too large"), MHD_HTTP_CONTENT_TOO_LARGE);
}

/// What is over the limit of its route is read and dropped before it is refused: a peer that is cut
/// off while it sends would not see the answer. Where there is no route, the answer is 404.
static enum MHD_Result exchange_body_take(Exchange *exchange, Str piece) {
    exchange->body_seen += piece.len;
    if (exchange->body.max) text_add(&exchange->body, piece);
    return exchange->body_seen > BODY_READ_MAX ? MHD_NO : MHD_YES;
}

/// The request is complete: answer what needs no handler, or run it.
static enum MHD_Result exchange_finish(Exchange *exchange) {
    const HttpRequest *request = &exchange->request;
    bool is_get = str_eq(request->method, S("GET"));
    exchange->is_probe = is_get && str_eq(request->path, S("/readyz"));
    if (!exchange->is_path_plain)
        return exchange_refuse(exchange,
                               FAIL(ERR_INVALID, "no segment of a path may hold a '/' or NUL"),
                               MHD_HTTP_BAD_REQUEST);
    if (exchange->body.failed == ERR_LIMIT)
        return exchange_refuse(
            exchange, FAIL(ERR_LIMIT, "the body is too large"), MHD_HTTP_CONTENT_TOO_LARGE);
    Err err = text_check(&exchange->body);
    if (err.code == OK) err = exchange_load_query(exchange);
    if (err.code == ERR_INVALID) return exchange_refuse(exchange, err, MHD_HTTP_BAD_REQUEST);
    if (err.code != OK) return exchange_refuse(exchange, err, err_http_status(err.code));
    if (exchange->is_probe && traffic_is_draining(&exchange->server->traffic))
        return exchange_refuse(
            exchange, FAIL(ERR_UNAVAILABLE, "shutting down"), MHD_HTTP_SERVICE_UNAVAILABLE);
    if (!is_get || !str_eq(request->path, S("/healthz"))) return exchange_run(exchange);
    exchange_reply_plain(exchange, MHD_HTTP_OK, S("ok\n"));
    return exchange_send(exchange);
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
    if (present->state == OPENED) return exchange_head_take(present, url, method);
    if (present->state == REPLIED) return exchange_send(present);
    if (present->state == ANSWERED) return MHD_NO; // it was answered before its body came
    if (*piece_len == 0) return exchange_finish(present);
    Str bytes = {piece, *piece_len};
    *piece_len = 0;
    return exchange_body_take(present, bytes);
}

/// Decoded, a '/' or NUL that hides in the path would change what it means.
static bool exchange_is_path_plain(Str target) {
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
    exchange->is_path_plain = exchange_is_path_plain(str_from(target));
    arena_init(&exchange->arena, CALL_ARENA_MAX);
    traffic_open(&server->traffic);
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
    traffic_close(&server->traffic);
}
