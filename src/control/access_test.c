// SPDX-License-Identifier: Apache-2.0
/// Every route by every caller, made from the route tables, so a new row is tested by being there.
#include "control/access.h"

#include "api/endpoints.h"
#include "api/fleet.h"
#include "api/session.h"

#include "control/fixture.h"
#include "control/slice.h"
#include "test.h"

#include <string.h>

#define IMAGE "r/x@sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

typedef struct Caller {
    const char *name;
    uint32_t access;
    Str token;
} Caller;

/// Things of one organisation, by the names that paths have for them.
typedef struct Things {
    Str fleet_id, device_id, release_id, token_id, operator_id;
} Things;

/// The route's path with the organisation's ids in it; of a noun that is not among them the id of
/// none.
static const char *path_of(Fixture *f, const Route *route, const Things *things) {
    const struct {
        const char *name;
        Str id;
    } known[] = {
        {"{fleet_id}",    things->fleet_id   },
        {"{device_id}",   things->device_id  },
        {"{release_id}",  things->release_id },
        {"{token_id}",    things->token_id   },
        {"{operator_id}", things->operator_id},
    };
    const char *path = route->endpoint->path;
    const char *at = strchr(path, '{');
    if (!at) return path;
    Str id = S("none");
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (str_starts(str_from(at), str_from(known[i].name))) id = known[i].id;
    return fixture_print(f, "%.*s%.*s%s", (int)(at - path), path, STR_FMT(id), strchr(at, '}') + 1);
}

/// A body that the route takes, so that only the caller can be what is wrong.
static const char *body_of(Fixture *f, const Route *route, const Things *things) {
    if (!route->endpoint->in) return NULL;
    if (route->endpoint == &Fleet_deploy)
        return fixture_print(f, "{\"release_id\":\"%.*s\"}", STR_FMT(things->release_id));
    return "{}";
}

static Str signed_in(Fixture *f, const char *name, const char *role) {
    HttpReply made = fixture_call(
        f,
        "POST",
        "/v1/operators",
        f->token,
        fixture_print(
            f, "{\"name\":\"%s\",\"role\":\"%s\",\"password\":\"a long password\"}", name, role));
    CHECK(made.status == 201);
    HttpReply in = fixture_call(
        f,
        "POST",
        "/v1/login",
        (Str){},
        fixture_print(
            f, "{\"org\":\"acme\",\"name\":\"%s\",\"password\":\"a long password\"}", name));
    return fixture_field(&in, "access_token");
}

/// One of everything, by the caller whose token is in the fixture.
static Things things_make(Fixture *f) {
    Things things = {.fleet_id = fixture_fleet(f, "one")};
    HttpReply token =
        fixture_call(f,
                     "POST",
                     "/v1/tokens",
                     f->token,
                     fixture_print(f, "{\"fleet_id\":\"%.*s\"}", STR_FMT(things.fleet_id)));
    things.token_id = fixture_field(&token, "id");
    FixtureDevice device = fixture_device(f, fixture_field(&token, "token"), "cam");
    things.device_id = str_dup(&f->arena, id_str(&device.hello.device_id));
    HttpReply release = fixture_call(f,
                                     "POST",
                                     "/v1/releases",
                                     f->token,
                                     "{\"application\":\"a\",\"version\":\"1.0.0\",\"manifest\":"
                                     "{\"services\":[{\"name\":\"w\",\"image\":\"" IMAGE "\"}]}}");
    things.release_id = fixture_field(&release, "id");
    HttpReply made =
        fixture_call(f,
                     "POST",
                     "/v1/operators",
                     f->token,
                     "{\"name\":\"carl\",\"role\":\"viewer\",\"password\":\"a long password\"}");
    things.operator_id = fixture_field(&made, "id");
    return things;
}

#define EACH_ROUTE(route)                                                        \
    for (size_t slice = 0; slice < slice_count; slice++)                         \
        for (const Route *route = slices[slice]->routes.routes;                  \
             route < slices[slice]->routes.routes + slices[slice]->routes.count; \
             route++)                                                            \
            if (route->access != 0)

static bool is_routed(const Endpoint *endpoint) {
    for (size_t slice = 0; slice < slice_count; slice++)
        for (size_t i = 0; i < slices[slice]->routes.count; i++)
            if (slices[slice]->routes.routes[i].endpoint == endpoint) return true;
    return false;
}

static bool is_listed(const Endpoint *endpoint) {
    for (size_t i = 0; i < endpoint_count; i++)
        if (endpoints[i] == endpoint) return true;
    return false;
}

TEST(each_slice_is_listed_once_and_each_endpoint_of_an_operator_has_its_route) {
    for (size_t i = 1; i < slice_count; i++)
        CHECK(strcmp(slices[i - 1]->noun, slices[i]->noun) < 0);
    for (size_t i = 0; i < endpoint_count; i++)
        CHECK(is_routed(endpoints[i]));
    EACH_ROUTE(route) {
        CHECK(is_listed(route->endpoint));
    }
}

TEST(each_route_lets_in_exactly_who_its_row_says) {
    Fixture f;
    fixture_open(&f);
    // clang-format off
    const Caller callers[] = {
        {"nobody", 0, (Str){}},
        {"viewer", MAY_READ, signed_in(&f, "vera", "viewer")},
        {"operator", MAY_READ | MAY_OPERATE, signed_in(&f, "otto", "operator")},
        {"owner", MAY_READ | MAY_OPERATE | MAY_OWN, f.token},
    };
    // clang-format on
    Things nowhere = {S("fleet_x"), S("device_x"), S("release_x"), S("token_x"), S("operator_x")};
    size_t checked = 0;
    for (size_t i = 0; i < sizeof(callers) / sizeof(callers[0]); i++) {
        EACH_ROUTE(route) {
            if (route->endpoint == &Session_logout) continue; // it would end the caller
            HttpReply reply = fixture_call(&f,
                                           method_name(route->endpoint->method),
                                           path_of(&f, route, &nowhere),
                                           callers[i].token,
                                           body_of(&f, route, &nowhere));
            bool refused = reply.status == 401 || reply.status == 403;
            uint32_t expected = !callers[i].token.ptr ? 401 : 403;
            bool may = callers[i].access & route->access;
            if (refused == may || (refused && reply.status != expected))
                fail_msg("%s by a %s: %u", route->endpoint->doc, callers[i].name, reply.status);
            checked++;
        }
    }
    CHECK(checked > 90);
    fixture_close(&f);
}

TEST(another_organisation_finds_nothing_and_changes_nothing) {
    Fixture f;
    fixture_open(&f);
    Things acme = things_make(&f);
    Str acme_token = f.token;
    Credentials owner;
    CHECK_OK(org_make(f.app.db, S("other"), S("eve"), f.now_ms, &f.arena, &owner));
    HttpReply in =
        fixture_call(&f,
                     "POST",
                     "/v1/login",
                     (Str){},
                     fixture_print(&f,
                                   "{\"org\":\"other\",\"name\":\"eve\",\"password\":\"%.*s\"}",
                                   STR_FMT(owner.password)));
    Str eve = fixture_field(&in, "access_token");
    HttpReply before = fixture_call(&f, "GET", "/v1/audit?limit=1000", acme_token, NULL);
    EACH_ROUTE(route) {
        if (route->endpoint == &Session_logout) continue;
        HttpReply reply = fixture_call(&f,
                                       method_name(route->endpoint->method),
                                       path_of(&f, route, &acme),
                                       eve,
                                       body_of(&f, route, &acme));
        bool names_a_thing = strchr(route->endpoint->path, '{') != NULL;
        if (names_a_thing && reply.status != 404)
            fail_msg("%s: %u", route->endpoint->doc, reply.status);
        bool shows =
            reply.status < 300
            && (memmem(reply.body.ptr, reply.body.len, acme.fleet_id.ptr, acme.fleet_id.len)
                || memmem(reply.body.ptr, reply.body.len, acme.device_id.ptr, acme.device_id.len));
        if (shows) fail_msg("%s: shows what is acme's", route->endpoint->doc);
    }
    HttpReply after = fixture_call(&f, "GET", "/v1/audit?limit=1000", acme_token, NULL);
    CHECK_STR(after.body, before.body);
    // Nor may a thing of one organisation be used for one of the other.
    Things own = {};
    f.token = eve;
    own.fleet_id = fixture_fleet(&f, "one");
    HttpReply deploy =
        fixture_call(&f,
                     "POST",
                     fixture_print(&f, "/v1/fleets/%.*s/deploy", STR_FMT(own.fleet_id)),
                     eve,
                     fixture_print(&f, "{\"release_id\":\"%.*s\"}", STR_FMT(acme.release_id)));
    CHECK(deploy.status == 422);
    HttpReply token =
        fixture_call(&f,
                     "POST",
                     "/v1/tokens",
                     eve,
                     fixture_print(&f, "{\"fleet_id\":\"%.*s\"}", STR_FMT(acme.fleet_id)));
    CHECK(token.status == 422);
    fixture_close(&f);
}

TEST_MAIN(CASE(each_slice_is_listed_once_and_each_endpoint_of_an_operator_has_its_route),
          CASE(each_route_lets_in_exactly_who_its_row_says),
          CASE(another_organisation_finds_nothing_and_changes_nothing))
