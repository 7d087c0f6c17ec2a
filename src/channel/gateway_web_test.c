// SPDX-License-Identifier: Apache-2.0
/// Requests of HTTP on a gateway: in order, of any length, and each limit of them reached.
#include "base/clock.h"
#include "channel/gateway_fixture.h"
#include "http1/head.h"
#include "test.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SHORT_MS = 200, BODY_MAX = 1000, LARGE = 5 << 20, HEAD_TEXT_MAX = 16 * 1024 };

/// What is served. "/now" is answered before its body; "/later" by another thread; "/held" when
/// `is_held` is over; "/large" is LARGE bytes; "/last" ends the connection. All others are echoed.
typedef struct Site {
    Owner owner;
    atomic_uint begun, run, refused, ended;
    atomic_bool is_held;
    char *large;
} Site;

static const char fields[] = "Content-Type: text/plain\r\n";

static void say(WebRequest *request, uint16_t status, Str body) {
    web_answer(request, &(WebReply){.status = status, .fields = str_from(fields), .body = body});
}

static bool is_for(const WebRequest *request, const char *path) {
    return str_eq(request->head->path, str_from(path));
}

static uint64_t on_begin(void *app, WebRequest *request) {
    Site *site = app;
    site->begun++;
    CHECK(str_eq(str_from(request->remote), S("127.0.0.1")));
    if (is_for(request, "/now")) say(request, 200, S("now"));
    return BODY_MAX;
}

static void job_later(void *arg) {
    say(arg, 200, S("later"));
}

static void job_held(void *arg) {
    WebRequest *request = arg;
    Site *site = request->own;
    while (atomic_load(&site->is_held))
        sched_yield();
    say(request, 200, S("held"));
}

static void on_run(void *app, WebRequest *request) {
    Site *site = app;
    site->run++;
    request->own = site;
    if (is_for(request, "/later"))
        CHECK_OK(worker_submit_after(site->owner.workers, 1, job_later, request));
    else if (is_for(request, "/held"))
        CHECK_OK(worker_submit(site->owner.workers, job_held, request));
    else if (is_for(request, "/large"))
        say(request, 200, (Str){site->large, LARGE});
    else if (is_for(request, "/last"))
        web_answer(request, &(WebReply){.status = 204, .ends = true});
    else
        say(request, 201, request->body);
}

static void on_refuse(void *app, WebRequest *request, HeadVerdict verdict) {
    Site *site = app;
    site->refused++;
    say(request, verdict.status, str_from(verdict.detail));
}

static void on_end(void *app, WebRequest *request) {
    (void)request;
    ((Site *)app)->ended++;
}

static const WebHandlers handlers = {on_begin, on_run, on_refuse, on_end};

static void site_open_with(Site *site, GatewayOptions options) {
    options.web = &handlers;
    options.web_app = site;
    owner_open_with(&site->owner, &options, 64);
    site->large = malloc(LARGE);
    CHECK(site->large);
    for (size_t i = 0; i < LARGE; i++)
        site->large[i] = (char)('a' + i % 23);
}

static void site_open(Site *site) {
    *site = (Site){};
    site_open_with(site, owner_options(&site->owner));
}

/// Every request that was shown was ended.
static void site_close(Site *site) {
    owner_close(&site->owner);
    CHECK(site->begun + site->refused >= site->ended && site->ended >= site->begun);
    free(site->large);
}

static Raw asked(const Site *site, const char *bytes) {
    Raw raw = raw_connect(&site->owner);
    CHECK(raw_send(&raw, str_from(bytes)));
    return raw;
}

/// The next answer: its head, and its body, which is borrowed until the next one.
typedef struct Answer {
    ReplyHead head;
    Text text;
    char *body;
} Answer;

static void hear_to(const Raw *raw, bool is_to_head, Answer *answer) {
    text_init(&answer->text, HEAD_TEXT_MAX);
    raw_head(raw, &answer->text);
    CHECK(head_read_reply(text_str(&answer->text), is_to_head, &answer->head).status == 0);
    size_t len = answer->head.head.body == BODY_LENGTH ? answer->head.head.length : 0;
    answer->body = calloc(1, len + 1);
    for (size_t at = 0; at < len;) {
        ssize_t got = recv(raw->fd, answer->body + at, len - at, 0);
        CHECK(got > 0);
        at += (size_t)got;
    }
}

static void answer_done(Answer *answer) {
    text_done(&answer->text);
    free(answer->body);
}

static void hear(const Raw *raw, uint16_t status, const char *body) {
    Answer answer;
    hear_to(raw, false, &answer);
    if (answer.head.status != status) fail_msg("%u: %s", answer.head.status, answer.body);
    if (body) CHECK_STR(str_from(answer.body), str_from(body));
    answer_done(&answer);
}

#define HOST "Host: x\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"
#define POST(path, len, body) \
    "POST " path " HTTP/1.1\r\n" HOST "Content-Length: " #len "\r\n\r\n" body

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
    Str value;
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
    CHECK(answer.head.head.length == LARGE && memcmp(answer.body, site.large, LARGE) == 0);
    answer_done(&answer);
    hear(&raw, 200, "later");
    raw_close(&raw);
    site_close(&site);
}

TEST(a_body_over_its_limit_is_refused_and_the_connection_lives) {
    static char bytes[BODY_MAX + 200];
    Site site;
    site_open(&site);
    int len = snprintf(bytes,
                       sizeof(bytes),
                       "POST /a HTTP/1.1\r\n" HOST "Content-Length: %d\r\n\r\n",
                       BODY_MAX + 1);
    memset(bytes + len, 'x', BODY_MAX + 1);
    Raw raw = asked(&site, bytes);
    hear(&raw, 413, NULL);
    CHECK(raw_send(&raw, S(GET("/later"))));
    hear(&raw, 200, "later");
    raw_close(&raw);
    site_close(&site);
    CHECK(site.run == 1 && site.refused == 1 && site.ended == 2);
}

TEST(a_body_without_end_is_cut_off) {
    Site site;
    site_open(&site);
    Raw raw = asked(&site, POST("/a", 99999999999, ""));
    hear(&raw, 413, NULL); // before it comes
    raw_drain(&raw);
    raw_close(&raw);
    raw = asked(&site, "POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
    static char chunk[6 + 4096 + 2] = "1000\r\n";
    memset(chunk + 6, 'x', 4096);
    memcpy(chunk + 6 + 4096, "\r\n", 2);
    size_t sent = 0;
    while (sent < 64u << 20 && raw_send(&raw, (Str){chunk, sizeof(chunk)}))
        sent += sizeof(chunk);
    CHECK(sent < 64u << 20);
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

/// Send a byte now and then until the gateway has enough.
static uint64_t drip(const Raw *raw) {
    uint64_t start_ms = clock_monotonic_ms();
    char left;
    while (clock_monotonic_ms() - start_ms < WAIT_MS && raw_send(raw, S("x"))) {
        usleep(20'000);
        if (recv(raw->fd, &left, 1, MSG_PEEK | MSG_DONTWAIT) >= 0) break;
    }
    return clock_monotonic_ms() - start_ms;
}

TEST(who_does_not_go_on_is_cut_off_at_each_point) {
    static const struct {
        const char *bytes;
        bool is_told; ///< why
    } rows[] = {
        {"GET / HTTP/1.1\r\nHost: ", true},
        {POST("/a",                  999,  "x"), true},
        {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3e7\r\n",                      true                         },
    };
    Site site = {};
    GatewayOptions options = owner_options(&site.owner);
    options.handshake_ms = options.web_ms = SHORT_MS;
    site_open_with(&site, options);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        Raw raw = asked(&site, rows[i].bytes);
        CHECK(drip(&raw) < WAIT_MS);
        hear(&raw, 408, NULL);
        raw_close(&raw);
    }
    Raw raw = raw_connect(&site.owner); // says nothing
    raw_drain(&raw);
    raw_close(&raw);
    raw = asked(&site, GET("/later")); // and then nothing more
    hear(&raw, 200, "later");
    raw_drain(&raw);
    raw_close(&raw);
    raw = asked(&site, GET("/later") "GET /x HT"); // and then half a head
    hear(&raw, 200, "later");
    hear(&raw, 408, NULL);
    raw_drain(&raw);
    raw_close(&raw);
    int small = 4096;
    raw = raw_connect(&site.owner);
    CHECK(setsockopt(raw.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)) == 0);
    CHECK(raw_send(&raw, S(GET("/large")))); // and does not take it
    for (int waited = 0; atomic_load(&site.ended) < site.begun; waited++) {
        CHECK(waited < WAIT_MS);
        usleep(1000);
    }
    raw_close(&raw);
    site_close(&site);
}

TEST(a_handler_has_as_long_as_it_takes) {
    Site site = {};
    GatewayOptions options = owner_options(&site.owner);
    options.handshake_ms = options.web_ms = SHORT_MS;
    atomic_store(&site.is_held, true);
    site_open_with(&site, options);
    atomic_store(&site.is_held, true);
    Raw raw = asked(&site, GET("/held"));
    usleep(3 * SHORT_MS * 1000);
    atomic_store(&site.is_held, false);
    hear(&raw, 200, "held");
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
          CASE(a_body_over_its_limit_is_refused_and_the_connection_lives),
          CASE(a_body_without_end_is_cut_off),
          CASE(what_is_no_request_is_refused_in_words_and_ends_the_connection),
          CASE(who_does_not_go_on_is_cut_off_at_each_point),
          CASE(a_handler_has_as_long_as_it_takes),
          CASE(a_peer_may_go_away_while_its_handler_runs),
          CASE(a_gateway_that_stops_answers_what_is_under_way),
          CASE(a_channel_opens_on_the_same_port_also_behind_requests))
