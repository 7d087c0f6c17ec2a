// SPDX-License-Identifier: Apache-2.0
// Calls of the API against a peer that answers by a script: tokens, lists, names, and what is said
// of an answer that is none.
#include "cli/api.h"

#include "base/scope.h"
#include "cli/cli_fixture.h"
#include "test.h"

#include <unistd.h>

enum { LATER_MS = 600'000, ENDED_MS = 5'000, TEST_ARENA_MAX = 1 << 20 };

#define ORG JSON("{\"id\":\"org_" UUID "\",\"rev\":3,\"name\":\"acme\"}")
#define FLEET(name)                                         \
    "{\"id\":\"fleet_" UUID "\",\"rev\":1,\"name\":\"" name \
    "\",\"generation\":0,\"serial\":0,\"device_count\":2}"
#define REFUSED                 \
    PROBLEM("401 Unauthorized", \
            "{\"status\":401,\"code\":\"unauthenticated\",\"detail\":\"who is that\"}")

TEST(a_call_carries_the_token_and_its_answer_is_shown) {
    World world;
    WORLD_OPEN(&world, ORG, ORG);
    world_sign_in(&world, LATER_MS);
    SCOPED(run_done) Run card = RUN("muster", "org", "show");
    CHECK(card.code == 0 && strstr(card.out, "name        acme\n"));
    SCOPED(run_done) Run json = RUN("muster", "org", "show", "--output", "json");
    CHECK(json.code == 0);
    CHECK_STR(str_from(json.out), S("{\"id\":\"org_" UUID "\",\"rev\":3,\"name\":\"acme\"}\n"));
    world_close(&world);
    CHECK(str_starts(str_from(world.peer.requests[0]), S("GET /v1/org HTTP/1.1\r\n")));
    CHECK(strstr(world.peer.requests[0], "Authorization: Bearer access-1\r\n"));
}

TEST(a_token_that_is_about_to_end_is_refreshed_before_the_call) {
    World world;
    WORLD_OPEN(&world, TOKENS, ORG);
    world_sign_in(&world, ENDED_MS);
    SCOPED(run_done) Run result = RUN("muster", "org", "show");
    CHECK(result.code == 0 && strstr(result.out, "acme"));
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, TEST_ARENA_MAX);
    Session session = world_session(&world, &arena);
    CHECK_STR(session.access_token, S("access-2"));
    CHECK_STR(session.refresh_token, S("refresh-2"));
    Clock clock = clock_system();
    uint64_t left_ms = session.expires_at.ms - clock_now_ms(&clock);
    CHECK(left_ms > 800'000 && left_ms <= 900'000);
    world_close(&world);
    CHECK(str_starts(str_from(world.peer.requests[0]), S("POST /v1/refresh HTTP/1.1\r\n")));
    CHECK(!strstr(world.peer.requests[0], "Authorization:"));
    CHECK(strstr(world.peer.requests[0], "\r\n\r\n{\"refresh_token\":\"refresh-1\"}"));
    CHECK(strstr(world.peer.requests[1], "Authorization: Bearer access-2\r\n"));
}

TEST(a_token_that_is_refused_is_refreshed_and_the_call_made_again) {
    World world;
    WORLD_OPEN(&world, REFUSED, TOKENS, ORG);
    world_sign_in(&world, LATER_MS);
    SCOPED(run_done) Run result = RUN("muster", "org", "show");
    CHECK(result.code == 0 && strstr(result.out, "acme"));
    world_close(&world);
    CHECK(strstr(world.peer.requests[0], "Authorization: Bearer access-1\r\n"));
    CHECK(strstr(world.peer.requests[2], "Authorization: Bearer access-2\r\n"));
}

TEST(a_call_that_is_refused_with_a_fresh_token_is_not_made_again) {
    World world;
    WORLD_OPEN(&world, TOKENS, REFUSED);
    world_sign_in(&world, ENDED_MS);
    SCOPED(run_done) Run result = RUN("muster", "org", "show");
    CHECK(result.code == EXIT_ACCESS);
    CHECK_STR(str_from(result.err), S("muster: who is that\n"));
    world_close(&world);
}

TEST(a_refused_refresh_is_the_end_of_the_session) {
    World world;
    WORLD_OPEN(&world, REFUSED);
    world_sign_in(&world, ENDED_MS);
    SCOPED(run_done) Run result = RUN("muster", "org", "show");
    CHECK(result.code == EXIT_ACCESS);
    CHECK_STR(str_from(result.err), S("muster: the session has ended: use muster login\n"));
    world_close(&world);
}

TEST(a_refresh_that_fails_otherwise_keeps_the_session) {
    World world;
    WORLD_OPEN(&world, PROBLEM("503 Service Unavailable", "{\"code\":\"busy\",\"detail\":\"x\"}"));
    world_sign_in(&world, ENDED_MS);
    SCOPED(run_done) Run result = RUN("muster", "org", "show");
    CHECK(result.code == EXIT_UNAVAILABLE);
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, TEST_ARENA_MAX);
    CHECK_STR(world_session(&world, &arena).refresh_token, S("refresh-1"));
    world_close(&world);
}

/// What one answer makes of `muster org show`.
static Run run_with(Step step) {
    World world;
    world_open(&world, &step, 1);
    world_sign_in(&world, LATER_MS);
    Run result = RUN("muster", "org", "show");
    world_close(&world);
    return result;
}

TEST(an_answer_that_is_none_of_ours_is_told) {
    static const struct {
        Step step;
        ExitCode code;
        const char *said;
    } cases[] = {
        {PROBLEM("403 Forbidden",                          "{\"code\":\"forbidden\",\"detail\":\"only \\u001b[2Jowners\"}"),
         EXIT_ACCESS,                                                                                                                                                                "muster: only ?[2Jowners\n"},
        {PROBLEM("409 Conflict",                                                "{\"code\":\"state\",\"detail\":\"not now\"}"),
         EXIT_CONFLICT,                                                    "muster: not now\n"},
        {ANSWER("502 Bad Gateway",                             "text/html",                                                                                             "<p>sorry</p>"),
         EXIT_UNAVAILABLE, "muster: the server answered with status 502\n"},
        {ANSWER("404 Not Found",                                 "text/html",                                                                                                   ""),
         EXIT_NOT_FOUND, "muster: the server answered with status 404\n"},
        {ANSWER("302 Found",                           "text/html",                                                ""),
         EXIT_UNAVAILABLE, "muster: the server answered with status 302\n"},
        {JSON("[]"), EXIT_UNAVAILABLE,                                                                 "muster: the server's answer is no org: "                                                                                                     },
        {JSON("{\"id\":\"fleet_" UUID "\",\"name\":\"acme\"}"),
         EXIT_UNAVAILABLE,                                                                                                   "muster: the server's answer is no org: /id"                                                                                                         },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        SCOPED(run_done) Run result = run_with(cases[i].step);
        if (strncmp(result.err, cases[i].said, strlen(cases[i].said)) != 0)
            fail_msg("%s, not %s", result.err, cases[i].said);
        CHECK(result.code == (int)cases[i].code);
        CHECK(result.out[0] == '\0');
    }
}

TEST(every_field_that_the_server_refuses_has_a_line) {
    SCOPED(run_done)
    Run result = run_with(
        PROBLEM("422 Unprocessable Content",
                "{\"code\":\"invalid\",\"detail\":\"the input is not allowed\",\"errors\":["
                "{\"pointer\":\"/name\",\"detail\":\"must be a slug\"},"
                "{\"pointer\":\"\",\"detail\":\"is too much\"}]}"));
    CHECK(result.code == EXIT_INVALID);
    CHECK_STR(str_from(result.err),
              S("muster: the input is not allowed\n"
                "muster:   /name: must be a slug\n"
                "muster:   is too much\n"));
}

TEST(a_server_that_is_not_there_is_named) {
    World world;
    world_open(&world, NULL, 0);
    snprintf(world.url, sizeof(world.url), "http://127.0.0.1:1");
    world_sign_in(&world, LATER_MS);
    SCOPED(run_done) Run result = RUN("muster", "org", "show");
    CHECK(result.code == EXIT_UNAVAILABLE);
    CHECK(str_starts(str_from(result.err),
                     S("muster: the server cannot be reached: http://127.0.0.1:1: ")));
    world_close(&world);
}

TEST(a_list_is_read_page_by_page_up_to_its_limit) {
    World world;
    WORLD_OPEN(&world,
               JSON("{\"items\":[" FLEET("a") "," FLEET("b") "],\"next\":\"x/y z\"}"),
               JSON("{\"items\":[" FLEET("c") "],\"next\":\"more\"}"));
    world_sign_in(&world, LATER_MS);
    SCOPED(run_done) Run result = RUN("muster", "fleet", "list", "--limit", "3", "--output=json");
    CHECK(result.code == 0);
    CHECK_STR(str_from(result.out), S("[" FLEET("a") "," FLEET("b") "," FLEET("c") "]\n"));
    world_close(&world);
    CHECK(str_starts(str_from(world.peer.requests[0]), S("GET /v1/fleets?limit=3 HTTP")));
    CHECK(str_starts(str_from(world.peer.requests[1]),
                     S("GET /v1/fleets?limit=1&after=x%2Fy%20z HTTP")));
}

TEST(a_list_that_says_no_more_ends) {
    World world;
    WORLD_OPEN(&world, JSON("{\"items\":[]}"), JSON("{\"items\":[]}"));
    world_sign_in(&world, LATER_MS);
    SCOPED(run_done) Run empty = RUN("muster", "fleet", "list", "--output", "json");
    CHECK_STR(str_from(empty.out), S("[]\n"));
    SCOPED(run_done) Run filtered = RUN("muster", "fleet", "list", "--name", "a&b");
    CHECK(filtered.code == 0);
    world_close(&world);
    CHECK(str_starts(str_from(world.peer.requests[0]), S("GET /v1/fleets?limit=200 HTTP")));
    CHECK(str_starts(str_from(world.peer.requests[1]), S("GET /v1/fleets?name=a%26b&limit=200 ")));
}

TEST(a_list_goes_on_behind_a_page_that_has_nothing) {
    World world;
    WORLD_OPEN(&world,
               JSON("{\"items\":[],\"next\":\"x\"}"),
               JSON("{\"items\":[],\"next\":\"y\"}"),
               JSON("{\"items\":[{\"id\":\"device_" UUID "\",\"name\":\"till\"}]}"));
    world_sign_in(&world, LATER_MS);
    SCOPED(run_done) Run result = RUN("muster", "device", "list", "-l", "site=a b,!x");
    CHECK(result.code == 0 && strstr(result.out, "till"));
    world_close(&world);
    const Str first = S("GET /v1/devices?selector=site%3Da%20b%2C%21x&limit=200 HTTP");
    CHECK(str_starts(str_from(world.peer.requests[0]), first));
    CHECK(strstr(world.peer.requests[1], "&limit=200&after=x HTTP"));
    CHECK(strstr(world.peer.requests[2], "&limit=200&after=y HTTP"));
}

TEST(a_limit_is_a_number_that_may_be) {
    World world;
    world_open(&world, NULL, 0);
    world_sign_in(&world, LATER_MS);
    static const char *const limits[] = {"0", "x", "100001"};
    for (size_t i = 0; i < 3; i++) {
        SCOPED(run_done) Run result = RUN("muster", "fleet", "list", "--limit", limits[i]);
        CHECK(result.code == EXIT_USAGE);
        CHECK_STR(str_from(result.err), S("muster: --limit must be a number from 1 to 100000\n"));
    }
    world_close(&world);
}

TEST(a_thing_goes_by_its_name) {
    World world;
    WORLD_OPEN(
        &world, JSON("{\"items\":[" FLEET("edge-2") "," FLEET("edge") "]}"), JSON(FLEET("edge")));
    world_sign_in(&world, LATER_MS);
    SCOPED(run_done) Run result = RUN("muster", "fleet", "show", "edge");
    CHECK(result.code == 0 && strstr(result.out, "edge\n"));
    world_close(&world);
    CHECK(str_starts(str_from(world.peer.requests[0]), S("GET /v1/fleets?name=edge&limit=200 ")));
    CHECK(str_starts(str_from(world.peer.requests[1]), S("GET /v1/fleets/fleet_" UUID " ")));
}

TEST(a_name_that_nothing_has_is_told) {
    World world;
    WORLD_OPEN(&world, JSON("{\"items\":[" FLEET("edge-2") "]}"));
    world_sign_in(&world, LATER_MS);
    SCOPED(run_done) Run result = RUN("muster", "fleet", "show", "edge");
    CHECK(result.code == EXIT_NOT_FOUND);
    CHECK_STR(str_from(result.err), S("muster: there is no fleet \"edge\"\n"));
    world_close(&world);
}

TEST(a_noun_without_names_or_a_list_wants_an_id) {
    SCOPED(arena_done) Arena arena;
    Cli cli = {.verbs = &muster_verbs};
    arena_init(&arena, TEST_ARENA_MAX);
    arena_init(&cli.arena, TEST_ARENA_MAX);
    Str id;
    CHECK_OK(api_resolve(&cli, "org", S("org_" UUID), &id));
    CHECK_STR(id, S("org_" UUID));
    CHECK_ERR(api_resolve(&cli, "org", S("acme"), &id), ERR_INVALID);
    CHECK_STR(cli.message, S("\"acme\" is not the id of a org"));
    arena_done(&cli.arena);
}

TEST_MAIN(CASE(a_call_carries_the_token_and_its_answer_is_shown),
          CASE(a_token_that_is_about_to_end_is_refreshed_before_the_call),
          CASE(a_token_that_is_refused_is_refreshed_and_the_call_made_again),
          CASE(a_call_that_is_refused_with_a_fresh_token_is_not_made_again),
          CASE(a_refused_refresh_is_the_end_of_the_session),
          CASE(a_refresh_that_fails_otherwise_keeps_the_session),
          CASE(an_answer_that_is_none_of_ours_is_told),
          CASE(every_field_that_the_server_refuses_has_a_line),
          CASE(a_server_that_is_not_there_is_named),
          CASE(a_list_is_read_page_by_page_up_to_its_limit),
          CASE(a_list_that_says_no_more_ends),
          CASE(a_list_goes_on_behind_a_page_that_has_nothing),
          CASE(a_limit_is_a_number_that_may_be),
          CASE(a_thing_goes_by_its_name),
          CASE(a_name_that_nothing_has_is_told),
          CASE(a_noun_without_names_or_a_list_wants_an_id))
