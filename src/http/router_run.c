// SPDX-License-Identifier: Apache-2.0
// One request, from top to bottom. Two arenas: the caller's holds what stays for the whole call
// (body, query, principal, reply); one of our own holds what a try makes, and forgets it before
// the next try.
#include "base/problem.h"
#include "http/router_parts.h"

#include "base/log.h"
#include "base/scope.h"
#include "io/race.h"

#include <assert.h>
#include <strings.h>

enum { STATUS_BAD_REQUEST = 400, STATUS_BAD_METHOD = 405, STATUS_BAD_TYPE = 415 };

/// One request under way.
typedef struct Run {
    const Router *router;
    const HttpRequest *request;
    Arena *arena;    ///< of the whole call
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

/// Forget what the try before left behind, and run once.
static Err run_try(Run *run) {
    const RouterOptions *options = &run->router->options;
    Call *call = &run->call;
    arena_reset(call->arena);
    faults_init(&call->faults, call->arena);
    call->tx = NULL;
    call->out = NULL;
    call->out_count = 0;
    call->next = (Str){};
    call->retry_after_s = 0;
    call->yields = false;
    TRY(options->begin(options->app, call));
    Err err = call->route->handler(call);
    if (err.code == OK) err = arena_check(call->arena); // nothing half made is committed
    return options->finish(options->app, call, err);
}

static Err run_tries(Run *run) {
    Err err;
    Race race = {};
    do {
        err = run_try(run);
    } while (race_again(&race, err));
    return err;
}

static Err run_encode(Run *run) {
    const Call *call = &run->call;
    const Endpoint *endpoint = call->route->endpoint;
    run->reply.status = endpoint_status(endpoint);
    if (endpoint->shape == REPLY_NONE) return SUCCESS;
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
    Str body = text_check(&text).code == OK ? str_dup(run->arena, text_str(&text)) : (Str){};
    if (text.failed == ERR_MEMORY || run->arena->failed == ERR_MEMORY) return OUT_OF_MEMORY;
    if (!body.ptr) return FAIL(ERR_UNAVAILABLE, "the answer exceeds the memory of a call");
    run->reply.content_type = S("application/json");
    run->reply.body = body;
    return SUCCESS;
}

static Err run_steps(Run *run, Arena *try_arena) {
    const RouterOptions *options = &run->router->options;
    Call *call = &run->call;
    TRY(run_match(run));
    if (call->route->access) TRY(options->authorise(options->app, call));
    if (call->route->endpoint->in) TRY(run_body_type(run));
    TRY(run_query(run));
    TRY(run_body(run));
    call->arena = try_arena;
    TRY(run_tries(run));
    return run_encode(run);
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

/// The document about all others is not one of the tables.
static bool run_openapi(Run *run) {
    if (!str_eq(run->request->path, S("/openapi.json"))) return false;
    run->reply.status = 200;
    run->reply.content_type = S("application/json");
    run->reply.body = router_openapi(run->router);
    if (str_eq(run->request->method, S("GET"))) return true;
    run->status = STATUS_BAD_METHOD;
    run->reply.allow = S("GET");
    run_fail(run, FAIL(ERR_INVALID, "this path does not take this method"));
    return true;
}

void router_run(const Router *router,
                const HttpRequest *request,
                Arena *arena,
                HttpReply *ret_reply) {
    const RouterOptions *options = &router->options;
    SCOPED(arena_done) Arena try_arena;
    arena_init(&try_arena, CALL_ARENA_MAX);
    uint64_t now_ms = clock_now_ms(&options->clock);
    Id id = id_new(S("req"), now_ms);
    Run run = {
        .router = router,
        .request = request,
        .arena = arena,
        .call = {.app = options->app,
                 .arena = arena,
                 .now_ms = now_ms,
                 .id = str_dup(arena, id_str(&id)),
                 .bearer = request->bearer,
                 .remote_address = request->remote_address},
    };
    faults_init(&run.call.faults, arena);
    run.reply.request_id = run.call.id;
    if (!run_openapi(&run)) {
        Err err = run_steps(&run, &try_arena);
        if (err.code != OK) run_fail(&run, err);
    }
    *ret_reply = run.reply;
}
