// SPDX-License-Identifier: Apache-2.0
#include "http/fixture.h"

#include <assert.h>
#include <string.h>

static const Field Part_fields[] = {
    FIELD(Part, name, REQUIRED, "its name", .max = 16),
    FIELD(Part, weight, 0, "its weight in grams"),
};
static const Schema Part_schema = SCHEMA(Part, "part", "a part");

static const Field Box_fields[] = {
    FIELD(Box, name, REQUIRED | IMMUTABLE, "its name", .pattern = &Pattern_slug, .max = 63),
    FIELD(Box, note, 0, "anything", .max = 200),
    FIELD(Box, size, 0, "its size", .max = 100),
    FIELD_LIST(Box, parts, Part, 0, "what is in it", .max = 4),
};
const Schema Box_schema = SCHEMA(Box, "box", "a box");

static const Field BoxQuery_fields[] = {
    FIELD(BoxQuery, limit, 0, "most items", .min = 1, .max = 3, .fallback = "2"),
};
static const Schema BoxQuery_schema = SCHEMA(BoxQuery, "box_query", "which boxes");

static Err box_list(Call *call) {
    const BoxQuery *query = call->query;
    Box *boxes = ARENA_ARRAY(call->arena, Box, query->limit);
    if (!boxes) return arena_check(call->arena);
    for (size_t i = 0; i < query->limit; i++)
        boxes[i].name = S("a");
    return call_reply_list(call, boxes, query->limit, query->limit == 3 ? (Str){} : S("more"));
}

static Err box_show(Call *call) {
    Box box = {.name = call_arg(call, S("name"))};
    if (str_eq(box.name, S("gone"))) return FAIL(ERR_NOT_FOUND, "there is no such box");
    return call_reply(call, &box);
}

static Err box_best(Call *call) {
    return call_reply(call, &(Box){.name = S("literal")});
}

static Err box_sync(Call *call) {
    return call_reply(call, call->in);
}

static Err box_create(Call *call) {
    Fixture *fixture = call->app;
    fixture->handled++;
    const Box *box = call->in;
    if (box->size == 13) return call_refuse(call, S("/size"), "must not be %d", 13);
    if (fixture->handler_fails.code != OK) return fixture->handler_fails;
    if (fixture->refuses_after.code != OK) return call_refuse_after(call, fixture->refuses_after);
    if (fixture->note_len == 0) return call_reply(call, box);
    char *note = arena_alloc(call->arena, fixture->note_len, 1);
    if (!note) return arena_check(call->arena);
    memset(note, '"', fixture->note_len);
    return call_reply(call,
                      &(Box){
                          .name = box->name, .note = {note, fixture->note_len}
    });
}

static Err box_update(Call *call) {
    Box box = {.name = call_arg(call, S("name")), .note = S("old")};
    TRY(call_patch(call, &Box_schema, &box));
    return call_reply(call, &box);
}

static Err box_delete(Call *) {
    return SUCCESS;
}

// clang-format off
#define BOXES "/v1/boxes"
static const Endpoint Box_show = {
    GET, BOXES "/{name}", "box", "show", "One box", .out = &Box_schema};
static const Endpoint Box_list = ENDPOINT_LIST(Box, "box", BOXES, "All boxes");
static const Endpoint Box_create = ENDPOINT_CREATE(Box, "box", BOXES, "A new box");
static const Endpoint Box_update = {
    PATCH, BOXES "/{name}", "box", "update", "Change a box",
    .in = &Box_schema, .out = &Box_schema};
static const Endpoint Box_delete = {
    DELETE, BOXES "/{name}", "box", "delete", "Remove a box", .shape = REPLY_NONE};
static const Endpoint Box_best = {
    GET, BOXES "/best", "box", "best", "The best box", .out = &Box_schema};
static const Endpoint Box_sync = {
    POST, BOXES "/sync", "box", "sync", "A box of another program",
    .in = &Box_schema, .peer = true, .out = &Box_schema};
// clang-format on

static const Route routes[] = {
    {&Box_show,   MAY_READ,  box_show,   NULL, 0},
    {&Box_list,   MAY_READ,  box_list,   NULL, 0},
    {&Box_create, MAY_WRITE, box_create, NULL, 0},
    {&Box_update, MAY_WRITE, box_update, NULL, 0},
    {&Box_delete, MAY_WRITE, box_delete, NULL, 0},
    {&Box_best,   0,         box_best,   NULL, 2},
    {&Box_sync,   0,         box_sync,   NULL, 1},
};

static Err authorise(void *, Call *call) {
    bool writes = str_eq(call->bearer, S("writer"));
    if (!writes && !str_eq(call->bearer, S("reader")))
        return FAIL(ERR_UNAUTHENTICATED, "the token is not known");
    call->principal.access = writes ? MAY_READ | MAY_WRITE : MAY_READ;
    if (!(call->principal.access & call->route->access))
        return FAIL(ERR_FORBIDDEN, "the token may not do this");
    return SUCCESS;
}

static Err begin(void *app, Call *) {
    ((Fixture *)app)->begun++;
    return SUCCESS;
}

static Err commit(Fixture *fixture) {
    if (fixture->conflicts) {
        fixture->conflicts--;
        return FAIL(ERR_CONFLICT, "the row was changed");
    }
    fixture->committed++;
    return SUCCESS;
}

static void finish(void *app, Call *, Err result, CallDone done, void *ctx) {
    Fixture *fixture = app;
    fixture->finished++;
    done(ctx, result.code == OK ? commit(fixture) : result);
}

static uint64_t now_ms(void *) {
    return UINT64_C(1'700'000'000'000);
}

void fixture_open(Fixture *fixture) {
    static const RouteTable tables[] = {ROUTE_TABLE(routes)};
    static const AccessName names[] = {
        {MAY_READ,  "read",  "may see"   },
        {MAY_WRITE, "write", "may change"}
    };
    *fixture = (Fixture){};
    arena_init(&fixture->arena, CALL_ARENA_MAX);
    Err err = router_open(&(RouterOptions){.tables = tables,
                                           .table_count = 1,
                                           .access_names = names,
                                           .access_count = 2,
                                           .title = "Boxes",
                                           .version = "1",
                                           .clock = {.now_ms = now_ms},
                                           .app = fixture,
                                           .authorise = authorise,
                                           .begin = begin,
                                           .finish = finish},
                          &fixture->router);
    assert(err.code == OK);
}

void fixture_close(Fixture *fixture) {
    fixture->router = router_close(fixture->router);
    arena_done(&fixture->arena);
}

HttpReply fixture_run(Fixture *fixture, const HttpRequest *request) {
    arena_reset(&fixture->arena);
    return router_wait(fixture->router, fixture->workers, request, &fixture->arena);
}
