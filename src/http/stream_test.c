// SPDX-License-Identifier: Apache-2.0
/// What becomes of the stream that a handler leaves: it is the answer's, or it is ended, once.
#include "http/router_fixture.h"
#include "test.h"

#include <string.h>

typedef struct Tick {
    uint64_t count;
} Tick;
static const Field Tick_fields[] = {FIELD(Tick, count, READ_ONLY, "how many there were")};
static const Schema Tick_schema = SCHEMA(Tick, "tick", "a tick");
static const Endpoint Tick_follow = {
    GET, "/v1/ticks", "tick", "follow", "Ticks", .out = &Tick_schema, .shape = REPLY_EVENTS};

/// How each try is to end, and what was begun and ended.
typedef struct Source {
    ErrCode ends[3];
    unsigned tries, begun, ended;
    bool fails; ///< the handler itself
} Source;

static void source_end(void *ctx) {
    ((Source *)ctx)->ended++;
}

static void source_begin(void *, WebRequest *) {}

static void source_more(void *, Text *) {}

static Err tick_follow(Call *call) {
    Source *source = call->app;
    if (source->fails) return FAIL(ERR_BUSY, "too many");
    source->begun++;
    return call_reply_stream(call, &(CallStream){source, source_begin, source_more, source_end});
}

static const Route routes[] = {
    {&Tick_follow, 0, tick_follow}
};

static Err begin(void *, Call *) {
    return SUCCESS;
}

static void finish(void *app, Call *, Err result, CallDone done, void *ctx) {
    Source *source = app;
    ErrCode code = source->ends[source->tries++];
    if (result.code == OK && code != OK) result = (Err){.code = code, .what = "as it must be"};
    done(ctx, result);
}

static HttpReply ask(Source *source, Router **ret_router, Arena *arena) {
    static const RouteTable tables[] = {
        {routes, 1}
    };
    static const HttpRequest request = {
        .method = {"GET",       3},
          .path = {"/v1/ticks", 9}
    };
    WorkerPool *workers;
    const RouterOptions options = {.tables = tables,
                                   .table_count = 1,
                                   .title = "Ticks",
                                   .version = "1",
                                   .clock = clock_system(),
                                   .app = source,
                                   .authorise = begin,
                                   .begin = begin,
                                   .finish = finish};
    arena_init(arena, 1 << 20);
    CHECK_OK(router_open(&options, ret_router));
    CHECK_OK(worker_pool_open(&(WorkerOptions){.threads = 1, .queue_max = 4}, &workers));
    HttpReply reply = router_wait(*ret_router, workers, &request, arena);
    worker_pool_close(workers);
    return reply;
}

TEST(a_stream_is_ended_once_whatever_its_call_comes_to) {
    static const struct {
        Source source;
        uint32_t status;
        unsigned begun;
    } rows[] = {
        {{.ends = {OK}},                       200, 1},
        {{.ends = {ERR_CONFLICT, OK}},         200, 2}, // a lost race runs again
        {{.ends = {ERR_UNAVAILABLE}},          503, 1},
        {{.ends = {ERR_CONFLICT, ERR_SYSTEM}}, 500, 2},
        {{.fails = true},                      429, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        Source source = rows[i].source;
        Router *router;
        Arena arena;
        HttpReply reply = ask(&source, &router, &arena);
        CHECK(reply.status == rows[i].status);
        CHECK(source.begun == rows[i].begun && source.ended == source.begun);
        CHECK((reply.stream.end != NULL) == (reply.status == 200));
        CHECK_STR(reply.content_type,
                  reply.status == 200 ? S("text/event-stream") : S("application/problem+json"));
        router_close(router);
        arena_done(&arena);
    }
}

TEST(the_document_says_what_an_event_is_and_where_one_goes_on) {
    Source source = {};
    Router *router;
    Arena arena;
    ask(&source, &router, &arena);
    const char *document = router_openapi(router).ptr;
    CHECK(strstr(document,
                 "\"200\":{\"description\":\"success\",\"content\":{\"text/event-stream\":{"
                 "\"schema\":{\"type\":\"string\"},\"x-event-data\":{\"$ref\":"
                 "\"#/components/schemas/Tick\"}}}}"));
    CHECK(strstr(document, "{\"name\":\"Last-Event-ID\",\"in\":\"header\",\"required\":false,"));
    router_close(router);
    arena_done(&arena);
}

TEST_MAIN(CASE(a_stream_is_ended_once_whatever_its_call_comes_to),
          CASE(the_document_says_what_an_event_is_and_where_one_goes_on))
