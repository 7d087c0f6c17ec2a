// SPDX-License-Identifier: Apache-2.0
/// Requests of HTTP on a gateway: in order, of any length, to their end.
#include "channel/site_fixture.h"

#include "base/clock.h"
#include "test.h"

#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SHORT_MS = 200 };

TEST(requests_in_a_row_are_answered_in_order) {
    Site site;
    site_open(&site);
    Raw raw = asked(&site, POST("/echo", 5, "hello") GET("/later") POST("/", 0, "") GET("/now"));
    hear(&raw, 201, "hello");
    hear(&raw, 200, "later");
    hear(&raw, 201, "");
    hear(&raw, 200, "now");
    CHECK(raw_send(&raw,
                   S("POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
                     "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n")));
    hear(&raw, 201, "hello");
    CHECK(raw_send(&raw, S(GET("/last") GET("/never"))));
    hear(&raw, 204, NULL);
    raw_drain(&raw);
    raw_close(&raw);
    site_close(&site);
    CHECK(site.begun == 6 && site.run == 5 && site.ended == 6 && site.refused == 0);
}

TEST(the_same_comes_byte_by_byte) {
    static const char bytes[] = POST("/echo", 5, "hello") GET("/later") GET("/now");
    Site site;
    site_open(&site);
    Raw raw = raw_connect(&site.owner);
    for (size_t i = 0; i < strlen(bytes); i++) {
        CHECK(raw_send(&raw, (Str){bytes + i, 1}));
        if (i % 16 == 0) usleep(1000);
    }
    hear(&raw, 201, "hello");
    hear(&raw, 200, "later");
    hear(&raw, 200, "now");
    raw_close(&raw);
    site_close(&site);
}

TEST(an_answer_says_what_the_client_must_know) {
    Site site;
    Answer answer;
    Str value = {};
    site_open(&site);
    Raw raw = asked(&site, "HEAD /large HTTP/1.1\r\n" HOST "\r\n");
    hear_to(&raw, true, &answer);
    const HeadFields *said = &answer.head.head.fields;
    CHECK(answer.head.status == 200 && head_one(said, S("Content-Length"), &value));
    CHECK_STR(value, S("5242880"));
    CHECK(head_one(said, S("Content-Type"), &value) && str_eq(value, S("text/plain")));
    CHECK(head_one(said, S("Date"), &value) && value.len == 29);
    CHECK(answer.head.head.is_kept);
    answer_done(&answer);
    CHECK(raw_send(&raw, S(GET("/later")))); // nothing of the body is in between
    hear(&raw, 200, "later");
    CHECK(raw_send(&raw, S("GET /echo HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n")));
    hear_to(&raw, false, &answer);
    CHECK(!answer.head.head.is_kept);
    answer_done(&answer);
    raw_drain(&raw);
    raw_close(&raw);
    raw = asked(&site, "GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    hear_to(&raw, false, &answer);
    CHECK(head_has(&answer.head.head.fields, S("Connection"), S("keep-alive"), true));
    answer_done(&answer);
    CHECK(raw_send(&raw, S("GET /echo HTTP/1.0\r\n\r\n")));
    hear(&raw, 201, "");
    raw_drain(&raw);
    raw_close(&raw);
    site_close(&site);
}

TEST(who_waits_with_a_body_is_told_to_go_on_if_it_is_wanted) {
#define WAITS "Expect: 100-continue\r\n"
    Site site;
    Answer answer;
    site_open(&site);
    Raw raw = asked(&site, "POST /echo HTTP/1.1\r\n" HOST WAITS "Content-Length: 2\r\n\r\n");
    hear_to(&raw, false, &answer);
    CHECK(answer.head.status == 100);
    answer_done(&answer);
    CHECK(raw_send(&raw, S("ok")));
    hear(&raw, 201, "ok");
    CHECK(raw_send(&raw, S("POST /now HTTP/1.1\r\n" HOST WAITS "Content-Length: 2\r\n\r\n")));
    hear(&raw, 200, "now"); // and its body will never come
    raw_drain(&raw);
    raw_close(&raw);
    site_close(&site);
}

TEST(a_large_answer_comes_whole_however_slowly_it_is_taken) {
    Site site;
    Answer answer;
    site_open(&site);
    Raw raw = asked(&site, GET("/large") GET("/later"));
    usleep(100'000); // it does not fit anywhere but in the owner's memory
    hear_to(&raw, false, &answer);
    CHECK(answer.head.head.length == SITE_LARGE
          && memcmp(answer.body, site.large, SITE_LARGE) == 0);
    answer_done(&answer);
    hear(&raw, 200, "later");
    raw_close(&raw);
    site_close(&site);
}

TEST(what_is_no_request_is_refused_in_words_and_ends_the_connection) {
    static const struct {
        const char *bytes;
        uint16_t status;
    } rows[] = {
        {"nonsense\r\n\r\n",                                                          400},
        {"GET / HTTP/2.0\r\n" HOST "\r\n",                                            505},
        {"GET / HTTP/1.1\r\n\r\n",                                                    400},
        {"GET / HTTP/1.1\r\n" HOST HOST "\r\n",                                       400},
        {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\n",                501},
        {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nzz\r\n",       400},
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 400},
    };
    Site site;
    site_open(&site);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        Raw raw = asked(&site, rows[i].bytes);
        hear(&raw, rows[i].status, NULL);
        raw_drain(&raw);
        raw_close(&raw);
    }
    Raw raw = asked(&site, GET("/later") "nonsense\r\n\r\n");
    hear(&raw, 200, "later");
    hear(&raw, 400, NULL);
    raw_drain(&raw);
    raw_close(&raw);
    site_close(&site);
}

TEST(a_peer_may_go_away_while_its_handler_runs) {
    Site site;
    site_open(&site);
    atomic_store(&site.is_held, true);
    for (int i = 0; i < 2; i++) {
        Raw raw = asked(&site, GET("/held"));
        while (atomic_load(&site.run) < (unsigned)i + 1)
            usleep(1000);
        struct linger reset = {.l_onoff = 1};
        if (i == 1) CHECK(setsockopt(raw.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) == 0);
        raw_close(&raw);
    }
    CHECK(site.ended == 0);
    atomic_store(&site.is_held, false);
    site_close(&site);
    CHECK(site.ended == 2);
}

static void *release_soon(void *arg) {
    Site *site = arg;
    usleep(SHORT_MS * 1000);
    atomic_store(&site->is_held, false);
    return NULL;
}

TEST(a_gateway_that_stops_answers_what_is_under_way) {
    Site site;
    pthread_t thread;
    site_open(&site);
    atomic_store(&site.is_held, true);
    Raw raw = asked(&site, GET("/held") GET("/never")), idle = asked(&site, GET("/later"));
    hear(&idle, 200, "later");
    while (atomic_load(&site.run) < 2)
        usleep(1000);
    CHECK(pthread_create(&thread, NULL, release_soon, &site) == 0);
    site.owner.gateway = gateway_close(site.owner.gateway);
    pthread_join(thread, NULL);
    Answer answer;
    hear_to(&raw, false, &answer);
    CHECK(answer.head.status == 200 && !answer.head.head.is_kept);
    answer_done(&answer);
    raw_drain(&raw);
    raw_drain(&idle);
    raw_close(&raw);
    raw_close(&idle);
    site_close(&site);
    CHECK(site.run == 2);
}

TEST(a_channel_opens_on_the_same_port_also_behind_requests) {
    Site site;
    Text bytes;
    site_open(&site);
    Raw raw = asked(&site, GET("/later"));
    hear(&raw, 200, "later");
    text_init(&bytes, 4096);
    raw_add_request(&bytes);
    CHECK(raw_send(&raw, text_str(&bytes)));
    text_clear(&bytes);
    raw_head(&raw, &bytes);
    CHECK(str_starts(text_str(&bytes), S("HTTP/1.1 101 ")));
    raw_expect(&raw, GREETING);
    text_clear(&bytes);
    raw_add_message(&bytes, S("good"));
    CHECK(raw_send(&raw, text_str(&bytes)));
    raw_expect(&raw, S("welcome"));
    text_done(&bytes);
    raw_close(&raw);
    raw = asked(&site,
                "GET /other HTTP/1.1\r\n" HOST "Upgrade: websocket\r\n"
                "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Protocol: test.1\r\n"
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    hear(&raw, 404, NULL);
    raw_close(&raw);
    site_close(&site);
    CHECK(site.begun == 1);
}

TEST_MAIN(CASE(requests_in_a_row_are_answered_in_order),
          CASE(the_same_comes_byte_by_byte),
          CASE(an_answer_says_what_the_client_must_know),
          CASE(who_waits_with_a_body_is_told_to_go_on_if_it_is_wanted),
          CASE(a_large_answer_comes_whole_however_slowly_it_is_taken),
          CASE(what_is_no_request_is_refused_in_words_and_ends_the_connection),
          CASE(a_peer_may_go_away_while_its_handler_runs),
          CASE(a_gateway_that_stops_answers_what_is_under_way),
          CASE(a_channel_opens_on_the_same_port_also_behind_requests))
