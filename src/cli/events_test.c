// SPDX-License-Identifier: Apache-2.0
#include "cli/cli_fixture.h"
#include "test.h"

#include <string.h>
#include <unistd.h>

enum { LATER_MS = 600'000, SOON_MS = 1'000 };

#define STREAM(body) ANSWER("200 OK", "text/event-stream", "retry: 1\nid: 0\n\n" body)
#define EVENT(number, action)                                                             \
    "id: " number "\ndata: {\"action\":\"" action "\",\"actor\":\"operator/ada\",\"at\":" \
    "\"2026-01-02T03:04:05.678Z\",\"class\":\"audit\",\"number\":" number                 \
    ",\"subject\":\"fleet_1\",\"subject_name\":\"tills\"}\n\n"
#define END(number) "id: " number "\nevent: end\ndata: " number "\n\n"

static bool has(const char *text, const char *part) {
    bool found = strstr(text, part);
    if (!found) fprintf(stderr, "no %s in %s\n", part, text);
    return found;
}

TEST(what_there_is_is_a_table_and_ends) {
    World world;
    WORLD_OPEN(&world, STREAM(EVENT("1", "fleet.create") EVENT("2", "fleet.deploy") END("2")));
    world_sign_in(&world, LATER_MS);
    Run one = RUN("muster", "events");
    CHECK(one.code == 0);
    CHECK_STR(str_from(one.out),
              S("NUMBER  AT                    ACTOR             ACTION            "
                "SUBJECT                                 SUBJECT NAME\n"
                "1       2026-01-02T03:04:05Z  operator/ada      fleet.create      "
                "fleet_1                                 tills\n"
                "2       2026-01-02T03:04:05Z  operator/ada      fleet.deploy      "
                "fleet_1                                 tills\n"));
    CHECK_STR(str_from(one.err), S(""));
    run_done(&one);
    world_close(&world);
    CHECK(has(world.peer.requests[0], "GET /v1/events?follow=false HTTP/1.1\r\n"));
    CHECK(has(world.peer.requests[0], "Accept: text/event-stream\r\n"));
    CHECK(!strstr(world.peer.requests[0], "Last-Event-ID"));
}

TEST(as_json_an_entry_is_a_line_byte_for_byte) {
    World world;
    WORLD_OPEN(&world, STREAM("id: 1\ndata: {\"number\":1,\"new\":[1]}\n\n" END("1")));
    world_sign_in(&world, LATER_MS);
    Run one = RUN("muster",
                  "events",
                  "--output",
                  "json",
                  "--after",
                  "0",
                  "--action",
                  "fleet,device.online",
                  "--subject=a b",
                  "--class",
                  "audit");
    CHECK(one.code == 0);
    CHECK_STR(str_from(one.out), S("{\"number\":1,\"new\":[1]}\n"));
    run_done(&one);
    world_close(&world);
    CHECK(has(world.peer.requests[0],
              "GET /v1/events?follow=false&after=0&action=fleet%2Cdevice.online&subject=a%20b"
              "&class=audit HTTP/1.1\r\n"));
}

TEST(who_follows_comes_back_to_where_it_was_and_says_so) {
    World world;
    WORLD_OPEN(
        &world,
        STREAM(EVENT("7", "fleet.create") "id: 9\n\nid: 10\ndata: half"),
        PROBLEM("503 Service Unavailable", "{\"status\":503,\"code\":\"unavailable\"}"),
        STREAM(EVENT("10", "fleet.deploy")),
        PROBLEM("403 Forbidden", "{\"status\":403,\"code\":\"forbidden\",\"detail\":\"not you\"}"));
    world_sign_in(&world, LATER_MS);
    Run one = RUN("muster", "events", "-f");
    CHECK(one.code == 3);
    CHECK(has(one.out, "fleet.create") && has(one.out, "fleet.deploy"));
    CHECK(!strstr(strstr(one.out, "NUMBER") + 1, "NUMBER")); // one header
    CHECK(has(one.err,
              "muster: the server has ended the stream; going on behind entry 9 in 0.0 s\n"));
    CHECK(has(one.err, "muster: the server answered with status 503; going on behind entry 9 in"));
    CHECK(has(one.err, "going on behind entry 10 in"));
    CHECK(has(one.err, "\nmuster: not you\n"));
    run_done(&one);
    world_close(&world);
    CHECK(has(world.peer.requests[0], "GET /v1/events?follow=true HTTP/1.1\r\n"));
    CHECK(has(world.peer.requests[1], "Last-Event-ID: 9\r\n"));
    CHECK(has(world.peer.requests[2], "Last-Event-ID: 9\r\n"));
    CHECK(has(world.peer.requests[3], "Last-Event-ID: 10\r\n"));
}

TEST(who_comes_back_reads_the_session_that_another_run_has_renewed) {
    World world;
    WORLD_OPEN(&world,
               TOKENS,
               STREAM(EVENT("7", "fleet.create")),
               PROBLEM("404 Not Found", "{\"status\":404,\"code\":\"not_found\"}"));
    world_sign_in(&world, SOON_MS);
    Run one = RUN("muster", "events", "--follow");
    CHECK(one.code == 4);
    run_done(&one);
    world_close(&world);
    CHECK(has(world.peer.requests[0], "\"refresh-1\""));
    CHECK(has(world.peer.requests[2], "Bearer access-2\r\n"));
}

TEST(what_cannot_begin_fails_at_once) {
    World world;
    WORLD_OPEN(&world,
               PROBLEM("409 Conflict",
                       "{\"status\":409,\"code\":\"state\",\"detail\":\"no such entry yet\"}"),
               PROBLEM("429 Too Many Requests",
                       "{\"status\":429,\"code\":\"busy\",\"detail\":\"too many streams\"}"));
    world_sign_in(&world, LATER_MS);
    Run one = RUN("muster", "events", "-f", "--after", "99");
    CHECK(one.code == 5);
    CHECK_STR(str_from(one.err), S("muster: no such entry yet\n"));
    run_done(&one);
    Run two = RUN("muster", "events", "-f");
    CHECK(two.code == 7);
    CHECK_STR(str_from(two.err), S("muster: too many streams\n"));
    run_done(&two);
    world_close(&world);
}

TEST(an_end_before_the_end_is_a_failure) {
    World world;
    WORLD_OPEN(&world, STREAM(EVENT("1", "fleet.create")));
    world_sign_in(&world, LATER_MS);
    Run one = RUN("muster", "events");
    CHECK(one.code == 7);
    CHECK(has(one.out, "fleet.create"));
    CHECK_STR(str_from(one.err),
              S("muster: the server has ended the stream before its end; the last entry is 1\n"));
    run_done(&one);
    world_close(&world);
}

TEST(what_is_gone_is_said_and_what_drives_a_terminal_is_not) {
    World world;
    WORLD_OPEN(&world,
               STREAM("id: 4\nevent: removed\ndata: {\"first\":1,\"last\":4}\n\n"
                      "id: 4\nevent: other\ndata: x\n\n" EVENT("5", "a\\u001b[2Jb") END("5")));
    world_sign_in(&world, LATER_MS);
    Run one = RUN("muster", "events");
    CHECK(one.code == 0);
    CHECK(has(one.out, "a?[2Jb"));
    CHECK(has(one.err,
              "muster: entries 1 to 4 are not there any more: retention has removed them\n"));
    run_done(&one);
    world_close(&world);
}

TEST(what_is_no_entry_is_a_failure) {
    World world;
    WORLD_OPEN(&world, STREAM("data: {broken\n\n"), STREAM("data: {broken\n\n"));
    world_sign_in(&world, LATER_MS);
    Run one = RUN("muster", "events", "-f");
    CHECK(one.code == 7);
    CHECK(has(one.err, "the server's answer is no journal_entry"));
    run_done(&one);
    Run two = RUN("muster", "events", "--output", "json"); // is not looked into
    CHECK(has(two.out, "{broken\n"));
    run_done(&two);
    world_close(&world);
}

TEST(what_is_wrong_with_the_command_line_is_told) {
    World world;
    world_open(&world, NULL, 0);
    static const struct {
        const char *words[2], *said;
    } rows[] = {
        {{"--after", "x"}, "--after must be the number of an entry"},
        {{"-fx", NULL},    "-f takes no value"                     },
        {{"-x", NULL},     "\"-x\" is one argument too many"       },
        {{"-f", "-f"},     "--follow is given twice"               },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *words[] = {"muster", "events", rows[i].words[0], rows[i].words[1]};
        Run one = run(rows[i].words[1] ? 4 : 3, words);
        CHECK(one.code == 2 && has(one.err, rows[i].said));
        run_done(&one);
    }
    world_close(&world);
}

TEST_MAIN(CASE(what_there_is_is_a_table_and_ends),
          CASE(as_json_an_entry_is_a_line_byte_for_byte),
          CASE(who_follows_comes_back_to_where_it_was_and_says_so),
          CASE(who_comes_back_reads_the_session_that_another_run_has_renewed),
          CASE(what_cannot_begin_fails_at_once),
          CASE(an_end_before_the_end_is_a_failure),
          CASE(what_is_gone_is_said_and_what_drives_a_terminal_is_not),
          CASE(what_is_no_entry_is_a_failure),
          CASE(what_is_wrong_with_the_command_line_is_told))
