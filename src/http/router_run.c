// SPDX-License-Identifier: Apache-2.0
// One request, from top to bottom. Two arenas: the caller's holds what stays for the whole call
// (body, query, principal, reply); one of our own holds what a try makes, and forgets it before
// the next try. A run has one thread at a time: this one's, then the store's, then a worker's.
#include "base/problem.h"
#include "http/router_parts.h"

#include "base/log.h"
#include "base/scope.h"
#include "io/race.h"
#include "io/worker.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { STATUS_BAD_REQUEST = 400, STATUS_BAD_METHOD = 405, STATUS_BAD_TYPE = 415 };

/// One request under way.
typedef struct Run {
    const Router *router;
    const HttpRequest *request;
    WorkerPool *workers;
    RouterDone done;
    void *ctx;
    Arena *arena;    ///< of the whole call
    Arena try_arena; ///< of one try
    Race race;
    char *body; ///< room for the encoded answer, in `arena`: that of each try, if it fits
    size_t body_room;
    uint32_t status; ///< of a failure, where it is more exact than its ErrCode; 0: it is not
    Call call;
    HttpReply reply;
} Run;

static bool run_is_type(Str content_type, Str wanted) {
    Str type = str_trim(str_slice(content_type, 0, str_index(content_type, ';', 0)));
    return type.len == wanted.len && strncasecmp(type.ptr, wanted.ptr, wanted.len) == 0;
}

static Err run_match(Run *run) {
    const HttpRequest *request = run->request;
    Match match = router_match(run->router, request->method, request->path, run->arena);
    if (match.route) {
        run->call.route = match.route;
        for (size_t i = 0; i < ROUTE_ARGS_MAX; i++)
            run->call.args[i] = match.args[i];
        return SUCCESS;
    }
    if (!match.allow.ptr) return FAIL(ERR_NOT_FOUND, "there is nothing at this path");
    run->status = STATUS_BAD_METHOD;
    run->reply.allow = match.allow;
    return FAIL(ERR_INVALID, "this path does not take this method");
}

static Err run_query(Run *run) {
    Call *call = &run->call;
    const Schema *schema = call->route->endpoint->query;
    StrMap query = run->request->query;
    if (!schema) {
        for (size_t i = 0; i < query.count; i++)
            faults_add(&call->faults, S(""), "no query parameters are taken here");
        return faults_check(&call->faults);
    }
    void *record = arena_alloc(run->arena, schema->size, _Alignof(max_align_t));
    if (!record) return arena_check(run->arena);
    TRY(schema_decode_pairs(schema, query.items, query.count, run->arena, &call->faults, record));
    call->query = record;
    return SUCCESS;
}

static Err run_body_type(Run *run) {
    Str type = run->request->content_type;
    if (run_is_type(type, S("application/json"))) return SUCCESS;
    bool patch = run->call.route->endpoint->method == PATCH;
    if (patch && run_is_type(type, S("application/merge-patch+json"))) return SUCCESS;
    run->status = STATUS_BAD_TYPE;
    return patch ? FAIL(ERR_INVALID, "the body must be application/merge-patch+json")
                 : FAIL(ERR_INVALID, "the body must be application/json");
}

/// A body that is no JSON, or repeats a field, is 400; one that is not what is allowed 422.
static Err run_body_parse(Run *run) {
    Str canonical;
    Err err = json_canonical(run->arena, run->request->body, &canonical);
    if (err.code != ERR_INVALID) return err;
    run->status = STATUS_BAD_REQUEST;
    return FAIL(ERR_INVALID, "the body is not JSON, or repeats a field");
}

static Err run_body(Run *run) {
    Call *call = &run->call;
    const Endpoint *endpoint = call->route->endpoint;
    if (!endpoint->in) {
        return run->request->body.len ? FAIL(ERR_INVALID, "no body is taken here") : SUCCESS;
    }
    call->body = run->request->body;
    if (endpoint->method == PATCH)
        return run_body_parse(run); // the handler decodes it onto the record
    const Schema *in = endpoint->in;
    void *record = arena_alloc(run->arena, in->size, _Alignof(max_align_t));
    if (!record) return arena_check(run->arena);
    DecodeMode mode = endpoint->peer ? DECODE_PEER : DECODE_INPUT;
    Err err = schema_decode(in, call->body, mode, run->arena, &call->faults, record);
    if (err.code == ERR_INVALID) TRY(run_body_parse(run));
    TRY(err);
    call->in = record;
    return SUCCESS;
}

/// The tries share one room in the arena: it is as large as the largest answer, not as all of them.
static Err run_body_keep(Run *run, Str body) {
    if (body.len >= run->body_room) {
        run->body = arena_chars(run->arena, body.len + 1);
        run->body_room = run->body ? body.len + 1 : 0;
        if (run->arena->failed == ERR_MEMORY) return OUT_OF_MEMORY;
        if (!run->body) return FAIL(ERR_UNAVAILABLE, "the answer exceeds the memory of a call");
    }
    memcpy(run->body, body.ptr, body.len);
    run->body[body.len] = '\0';
    run->reply.content_type = S("application/json");
    run->reply.body = (Str){run->body, body.len};
    return SUCCESS;
}

static Err run_stream(Run *run) {
    assert(run->call.stream.end);
    run->reply.content_type = S("text/event-stream");
    run->reply.body = S("");
    run->reply.stream = run->call.stream;
    return SUCCESS;
}

/// Nobody will have the stream of this try.
static void run_stream_drop(Run *run) {
    CallStream *stream = &run->call.stream;
    if (stream->end) stream->end(stream->ctx);
    *stream = run->reply.stream = (CallStream){};
}

static Err run_encode(Run *run) {
    const Call *call = &run->call;
    const Endpoint *endpoint = call->route->endpoint;
    run->reply.status = endpoint_status(endpoint);
    if (endpoint->shape == REPLY_NONE) return SUCCESS;
    if (endpoint->shape == REPLY_EVENTS) return run_stream(run);
    SCOPED(text_done) Text text;
    text_init(&text, CALL_ARENA_MAX);
    if (endpoint->shape == REPLY_ONE) {
        assert(call->out);
        schema_encode(endpoint->out, call->out, ENCODE_REPLY, &text);
    } else {
        text_add(&text, S("{\"items\":"));
        schema_encode_list(endpoint->out, call->out, call->out_count, ENCODE_REPLY, &text);
        if (call->next.ptr) text_add(&text, S(",\"next\":"));
        if (call->next.ptr) text_add_json(&text, call->next);
        text_add_char(&text, '}');
    }
    if (text.failed == ERR_MEMORY) return OUT_OF_MEMORY;
    if (text.failed) return FAIL(ERR_UNAVAILABLE, "the answer exceeds the memory of a call");
    return run_body_keep(run, text_str(&text));
}

static void run_fail(Run *run, Err err) {
    Call *call = &run->call;
    HttpReply *reply = &run->reply;
    reply->status = run->status ? run->status : err_http_status(err.code);
    if (err.code == ERR_MEMORY && call->retry_after_s == 0) call->retry_after_s = PROBLEM_RETRY_S;
    reply->retry_after_s = call->retry_after_s;
    log_event(reply->status >= 500 ? LOG_ERROR : LOG_INFO,
              "call.failed",
              F("request", call->id),
              F("method", run->request->method),
              F("route", call->route ? call->route->endpoint->path : "none"),
              F("actor", call->principal.name.ptr ? call->principal.name : S("nobody")),
              F("status", (uint64_t)reply->status),
              F("code", err_code_name(err.code)),
              F("what", str_from(err.what)),
              F("errno", (uint64_t)err.sys));
    SCOPED(text_done) Text text;
    text_init(&text, PROBLEM_BYTES_MAX);
    problem_encode(err,
                   reply->status,
                   run->request->path,
                   call->id,
                   call->retry_after_s,
                   &call->faults,
                   &text);
    run->arena->max_bytes += PROBLEM_BYTES_MAX; // an exhausted arena must not silence its reason
    Str body = text_check(&text).code == OK ? str_dup(run->arena, text_str(&text)) : (Str){};
    run->arena->max_bytes -= PROBLEM_BYTES_MAX;
    reply->content_type = S(PROBLEM_CONTENT_TYPE);
    reply->body = body;
    if (body.ptr) return;
    reply->status = err_http_status(ERR_MEMORY);
    reply->retry_after_s = PROBLEM_RETRY_S;
    reply->body = problem_of_no_memory;
}

static void run_end(Run *run) {
    run->done(run->ctx, &run->reply);
    arena_done(&run->try_arena);
    free(run);
}

static void run_end_with(Run *run, Err err) {
    run->reply.content_type = (Str){};
    run->reply.body = (Str){};
    run_stream_drop(run);
    run_fail(run, err);
    run_end(run);
}

// Tries.

static void run_try(Run *run);

static void run_again(void *arg) {
    run_try(arg);
}

/// The end of a try, on whichever thread its commit ended.
static void run_tried(void *ctx, Err err) {
    Run *run = ctx;
    uint32_t pause_ms = 0;
    if (race_again(&run->race, err, &pause_ms)
        && worker_submit_after(run->workers, pause_ms, run_again, run).code == OK)
        return; // the run is a worker's now
    if (err.code == OK) err = run->call.refusal;
    if (err.code == OK)
        run_end(run);
    else
        run_end_with(run, err);
}

/// Up to what is to be committed: nothing half made, and nothing that cannot be told.
static Err run_handle(Run *run) {
    Call *call = &run->call;
    TRY(call->route->handler(call));
    TRY(arena_check(call->arena));
    return call->refusal.code == OK ? run_encode(run) : SUCCESS;
}

/// Forget what the try before left behind, and run once.
static void run_try(Run *run) {
    const RouterOptions *options = &run->router->options;
    Call *call = &run->call;
    arena_reset(call->arena);
    faults_init(&call->faults, call->arena);
    call->tx = NULL;
    call->out = NULL;
    call->out_count = 0;
    call->next = (Str){};
    run_stream_drop(run);
    call->retry_after_s = 0;
    call->yields = false;
    call->refusal = SUCCESS;
    Err err = options->begin(options->app, call);
    if (err.code == OK)
        options->finish(options->app, call, run_handle(run), run_tried, run);
    else
        run_tried(run, err);
}

/// What is done once, before the tries.
static Err run_prepare(Run *run) {
    const RouterOptions *options = &run->router->options;
    Call *call = &run->call;
    TRY(run_match(run));
    if (call->route->access) TRY(options->authorise(options->app, call));
    if (call->route->endpoint->in) TRY(run_body_type(run));
    TRY(run_query(run));
    return run_body(run);
}

/// The document about all others is not one of the tables.
static void run_openapi(Run *run) {
    if (!str_eq(run->request->method, S("GET"))) {
        run->status = STATUS_BAD_METHOD;
        run->reply.allow = S("GET");
        run_end_with(run, FAIL(ERR_INVALID, "this path does not take this method"));
        return;
    }
    run->reply.status = 200;
    run->reply.content_type = S("application/json");
    run->reply.body = router_openapi(run->router);
    run_end(run);
}

static Run *run_new(const Router *router, const HttpRequest *request, Arena *arena) {
    const RouterOptions *options = &router->options;
    Run *run = calloc(1, sizeof(*run));
    if (!run) return NULL;
    uint64_t now_ms = clock_now_ms(&options->clock);
    Id id = id_new(S("req"), now_ms);
    run->router = router;
    run->request = request;
    run->arena = arena;
    arena_init(&run->try_arena, CALL_ARENA_MAX);
    run->call = (Call){.app = options->app,
                       .arena = arena,
                       .now_ms = now_ms,
                       .id = str_dup(arena, id_str(&id)),
                       .bearer = request->bearer,
                       .remote_address = request->remote_address,
                       .last_event_id = request->last_event_id};
    faults_init(&run->call.faults, arena);
    run->reply.request_id = run->call.id;
    return run;
}

void router_run_then(const Router *router,
                     WorkerPool *workers,
                     const HttpRequest *request,
                     Arena *arena,
                     RouterDone done,
                     void *ctx) {
    Run *run = run_new(router, request, arena);
    if (!run) {
        done(ctx,
             &(HttpReply){.status = err_http_status(ERR_MEMORY),
                          .content_type = S(PROBLEM_CONTENT_TYPE),
                          .body = problem_of_no_memory,
                          .retry_after_s = PROBLEM_RETRY_S});
        return;
    }
    run->workers = workers;
    run->done = done;
    run->ctx = ctx;
    if (str_eq(request->path, S("/openapi.json"))) {
        run_openapi(run);
        return;
    }
    Err err = run_prepare(run);
    if (err.code != OK) {
        run_end_with(run, err);
        return;
    }
    run->call.arena = &run->try_arena;
    run_try(run);
}
