// SPDX-License-Identifier: Apache-2.0
#include "http/exchange.h"

#include "base/log.h"
#include "base/problem.h"
#include "io/worker.h"

#include <assert.h>
#include <stdlib.h>

/// The router logs what it refuses; this is for what does not get that far.
static void exchange_reply_problem(Exchange *exchange, Err err, uint32_t status) {
    Clock clock = clock_system();
    Id id = id_new(S("req"), clock_now_ms(&clock));
    uint64_t retry_after_s = status == 503 ? PROBLEM_RETRY_S : 0;
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

static void exchange_refuse(Exchange *exchange, Err err, uint32_t status) {
    exchange_reply_problem(exchange, err, status);
    exchange_send(exchange);
}

static void exchange_probe_run(Exchange *exchange) {
    Server *server = exchange->server;
    Err err = server->ready ? server->ready(server->app) : SUCCESS;
    if (err.code == OK)
        exchange_reply_plain(exchange, 200, S("ready\n"));
    else
        exchange_reply_problem(exchange, err, 503);
    exchange_send(exchange);
}

static void exchange_replied(void *ctx, const HttpReply *reply) {
    Exchange *exchange = ctx;
    exchange->reply = *reply;
    exchange_send(exchange);
}

/// On a worker, or on the loop for a route without a pool. From the answer on the exchange is the
/// loop's, or gone.
static void exchange_job_run(void *arg) {
    Exchange *exchange = arg;
    if (exchange->is_probe) {
        exchange_probe_run(exchange);
        return;
    }
    router_run_then(exchange->server->router,
                    exchange->workers,
                    &exchange->request,
                    &exchange->arena,
                    exchange_replied,
                    exchange);
}

/// Hand the complete request to the workers; if they have no room, the answer is 503 at once.
static void exchange_hand_over(Exchange *exchange) {
    Server *server = exchange->server;
    const HttpRequest *request = &exchange->request;
    exchange->workers = server->pools[router_pool(server->router, request->method, request->path)];
    if (!exchange->workers) {
        exchange_job_run(exchange);
        return;
    }
    Err err = worker_submit(exchange->workers, exchange_job_run, exchange);
    if (err.code != OK) exchange_refuse(exchange, err, 503);
}

static Exchange *exchange_new(Server *server, WebRequest *web) {
    Exchange *exchange = calloc(1, sizeof(*exchange));
    if (!exchange) return NULL;
    *exchange = (Exchange){.server = server, .web = web};
    arena_init(&exchange->arena, CALL_ARENA_MAX);
    traffic_open(&server->traffic);
    web->own = exchange;
    return exchange;
}

/// There is no memory for more than this.
static void exchange_starve(WebRequest *web) {
    web_answer(web,
               &(WebReply){.status = (uint16_t)err_http_status(ERR_MEMORY),
                           .fields = S("Content-Type: " PROBLEM_CONTENT_TYPE "\r\n"),
                           .body = problem_of_no_memory,
                           .ends = true});
}

static uint64_t exchange_on_begin(void *app, WebRequest *web) {
    Server *server = app;
    Exchange *exchange = exchange_new(server, web);
    if (!exchange) {
        exchange_starve(web);
        return 0;
    }
    exchange->fault = exchange_load(exchange);
    return router_body_max(server->router, exchange->request.method, exchange->request.path);
}

static void exchange_on_run(void *app, WebRequest *web) {
    Server *server = app;
    Exchange *exchange = web->own;
    HttpRequest *request = &exchange->request;
    bool is_get = str_eq(request->method, S("GET"));
    request->body = web->body;
    exchange->is_probe = is_get && str_eq(request->path, S("/readyz"));
    if (exchange->fault.code == ERR_INVALID) {
        exchange_refuse(exchange, exchange->fault, 400);
    } else if (exchange->fault.code != OK) {
        exchange_refuse(exchange, exchange->fault, err_http_status(exchange->fault.code));
    } else if (exchange->is_probe && traffic_is_draining(&server->traffic)) {
        exchange_refuse(exchange, FAIL(ERR_UNAVAILABLE, "shutting down"), 503);
    } else if (is_get && str_eq(request->path, S("/healthz"))) {
        exchange_reply_plain(exchange, 200, S("ok\n"));
        exchange_send(exchange);
    } else {
        exchange_hand_over(exchange);
    }
}

/// The code that stands for a status of HTTP itself in a problem document.
static ErrCode exchange_code_of(uint16_t status) {
    if (status == 503) return ERR_MEMORY;
    return status == 413 || status == 431 ? ERR_LIMIT : ERR_INVALID;
}

/// What has no route is not found, however long its body is.
static void exchange_on_refuse(void *app, WebRequest *web, HeadVerdict verdict) {
    Server *server = app;
    Exchange *exchange = web->own ? web->own : exchange_new(server, web);
    if (!exchange) {
        exchange_starve(web);
        return;
    }
    if (!exchange->request.remote_address.ptr)
        exchange->request.remote_address = str_from(web->remote);
    const HttpRequest *request = &exchange->request;
    bool is_known = verdict.status != 413
                    || router_body_max(server->router, request->method, request->path) > 0;
    if (is_known)
        exchange_refuse(exchange,
                        (Err){.code = exchange_code_of(verdict.status), .what = verdict.detail},
                        verdict.status);
    else
        exchange_refuse(exchange, FAIL(ERR_NOT_FOUND, "there is nothing at this path"), 404);
}

/// What the call had is gone with its first part: a stream that is quiet for days holds little.
static void exchange_on_more(void *, WebRequest *web, Text *out) {
    Exchange *exchange = web->own;
    const CallStream *stream = &exchange->reply.stream;
    text_done(&exchange->fields);
    arena_done(&exchange->arena);
    stream->more(stream->ctx, out);
}

static void exchange_on_end(void *app, WebRequest *web) {
    Server *server = app;
    Exchange *exchange = web->own;
    if (!exchange) return;
    const CallStream *stream = &exchange->reply.stream;
    if (stream->end) stream->end(stream->ctx);
    text_done(&exchange->fields);
    arena_done(&exchange->arena);
    free(exchange);
    traffic_close(&server->traffic);
}

const WebHandlers server_handlers = {
    .begin = exchange_on_begin,
    .run = exchange_on_run,
    .refuse = exchange_on_refuse,
    .more = exchange_on_more,
    .end = exchange_on_end,
};
