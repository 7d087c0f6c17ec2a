// SPDX-License-Identifier: Apache-2.0
/// Open answers on a gateway: parts as they are said, and each way in which they end.
#include "channel/site_fixture.h"

#include "base/clock.h"
#include "base/scope.h"
#include "test.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    STREAMS_MAX = 512,
    SHORT_MS = 200,
    TALKERS = 4,
    TALKS = 200,
    TEXT_MAX = 64 * 1024,
    SOCKETS_MAX = 16 << 20
};

typedef struct Radio Radio;

/// One open answer.
typedef struct Listener {
    Radio *radio;
    WebRequest *request;
    unsigned heard; ///< words of the radio that it was given
} Listener;

/// What says the same words to all who listen: "word N\n". "/flood" never ends to say something,
/// and "/last" is over before it begins.
struct Radio {
    Owner owner;
    pthread_mutex_t lock; ///< guards what follows
    Listener *listeners[STREAMS_MAX];
    unsigned count, words;
    atomic_uint ended, noises;
};

static bool is_for(const WebRequest *request, const char *path) {
    return str_eq(request->head->path, str_from(path));
}

static uint64_t on_begin(void *app, WebRequest *request) {
    (void)app, (void)request;
    return 0;
}

static void radio_add(Radio *radio, WebRequest *request) {
    Listener *listener = calloc(1, sizeof(*listener));
    CHECK(listener);
    *listener = (Listener){.radio = radio, .request = request};
    request->own = listener;
    pthread_mutex_lock(&radio->lock);
    CHECK(radio->count < STREAMS_MAX);
    radio->listeners[radio->count++] = listener;
    pthread_mutex_unlock(&radio->lock);
}

static void job_answer(void *arg) {
    WebRequest *request = arg;
    if (is_for(request, "/last")) web_finish(request);
    web_answer(request, &(WebReply){.status = 200, .body = S("never"), .is_open = true});
}

static void on_run(void *app, WebRequest *request) {
    Radio *radio = app;
    radio_add(radio, request);
    if (is_for(request, "/flood") || is_for(request, "/now"))
        web_answer(request, &(WebReply){.status = 200, .is_open = true});
    else
        CHECK_OK(worker_submit(radio->owner.workers, job_answer, request));
}

static void on_refuse(void *app, WebRequest *request, HeadVerdict verdict) {
    (void)app;
    web_answer(request, &(WebReply){.status = verdict.status});
}

static void on_more(void *app, WebRequest *request, Text *out) {
    Radio *radio = app;
    Listener *listener = request->own;
    static char noise[TEXT_MAX];
    pthread_mutex_lock(&radio->lock);
    while (listener->heard < radio->words)
        text_print(out, "word %u\n", ++listener->heard);
    pthread_mutex_unlock(&radio->lock);
    if (!is_for(request, "/flood")) return;
    text_add(out, (Str){noise, sizeof(noise)});
    radio->noises++;
}

static void on_end(void *app, WebRequest *request) {
    Radio *radio = app;
    Listener *listener = request->own;
    if (!listener) return;
    pthread_mutex_lock(&radio->lock);
    for (unsigned i = 0; i < radio->count; i++)
        if (radio->listeners[i] == listener)
            radio->listeners[i--] = radio->listeners[--radio->count];
    pthread_mutex_unlock(&radio->lock);
    free(listener);
    radio->ended++;
}

static const WebHandlers handlers = {
    .begin = on_begin, .run = on_run, .refuse = on_refuse, .more = on_more, .end = on_end};

static void radio_open_with(Radio *radio, GatewayOptions options) {
    pthread_mutex_init(&radio->lock, NULL);
    options.web = &handlers;
    options.web_app = radio;
    owner_open_with(&radio->owner, &options, 1024);
}

static void radio_open(Radio *radio) {
    *radio = (Radio){};
    radio_open_with(radio, owner_options(&radio->owner));
}

static void radio_close(Radio *radio) {
    owner_close(&radio->owner);
    CHECK(radio->count == 0);
    pthread_mutex_destroy(&radio->lock);
}

static void radio_say(Radio *radio) {
    pthread_mutex_lock(&radio->lock);
    radio->words++;
    for (unsigned i = 0; i < radio->count; i++)
        web_wake(radio->listeners[i]->request);
    pthread_mutex_unlock(&radio->lock);
}

static void radio_finish(Radio *radio) {
    pthread_mutex_lock(&radio->lock);
    for (unsigned i = 0; i < radio->count; i++)
        web_finish(radio->listeners[i]->request);
    pthread_mutex_unlock(&radio->lock);
}

static Raw tuned(const Radio *radio, const char *bytes) {
    Raw raw = raw_connect(&radio->owner);
    CHECK(raw_send(&raw, str_from(bytes)));
    return raw;
}

/// The head of the answer.
static void hear_head(const Raw *raw, Text *head) {
    text_init(head, TEXT_MAX);
    raw_head(raw, head);
    CHECK(str_starts(text_str(head), S("HTTP/1.1 200 ")));
}

static bool says(const Text *text, const char *words) {
    return text->len > 0 && memmem(text->ptr, text->len, words, strlen(words));
}

/// The bytes that come are these.
static void expect(const Raw *raw, const char *bytes) {
    char got[256] = "";
    size_t len = strlen(bytes);
    CHECK(len < sizeof(got));
    for (size_t at = 0; at < len;) {
        ssize_t came = recv(raw->fd, got + at, len - at, 0);
        CHECK(came > 0);
        at += (size_t)came;
    }
    CHECK_STR(str_from(got), str_from(bytes));
}

/// Nothing comes any more.
static void expect_end(Raw *raw) {
    char left;
    CHECK(recv(raw->fd, &left, 1, 0) == 0);
    raw_close(raw);
}

static Raw listening(const Radio *radio) {
    Text head;
    Raw raw = tuned(radio, GET("/"));
    hear_head(&raw, &head);
    text_done(&head);
    return raw;
}

static void wait_until(const atomic_uint *count, unsigned target) {
    for (int waited = 0; atomic_load(count) < target; waited++) {
        CHECK(waited < WAIT_MS);
        usleep(1000);
    }
}

TEST(parts_come_as_chunks_when_they_are_said) {
    Radio radio;
    Text head;
    radio_open(&radio);
    Raw raw = tuned(&radio, GET("/"));
    hear_head(&raw, &head);
    CHECK(says(&head, "\r\nTransfer-Encoding: chunked\r\n"));
    CHECK(says(&head, "\r\nConnection: close\r\n") && !says(&head, "Content-Length"));
    text_done(&head);
    radio_say(&radio);
    expect(&raw, "7\r\nword 1\n\r\n");
    usleep(20'000);
    radio_say(&radio);
    expect(&raw, "7\r\nword 2\n\r\n");
    radio_finish(&radio);
    expect(&raw, "0\r\n\r\n");
    expect_end(&raw);
    radio_close(&radio);
    CHECK(radio.ended == 1);
}

TEST(an_older_client_is_told_the_end_by_the_connections) {
    Radio radio;
    Text head;
    radio_open(&radio);
    radio_say(&radio);
    Raw raw = tuned(&radio, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    hear_head(&raw, &head);
    CHECK(!says(&head, "Transfer-Encoding") && !says(&head, "Content-Length"));
    text_done(&head);
    expect(&raw, "word 1\n");
    radio_finish(&radio);
    expect_end(&raw);
    radio_close(&radio);
}

TEST(who_asks_for_the_head_gets_the_head) {
    Radio radio;
    Text head;
    radio_open(&radio);
    radio_say(&radio);
    Raw raw = tuned(&radio, "HEAD /now HTTP/1.1\r\n" HOST "\r\n");
    hear_head(&raw, &head);
    CHECK(says(&head, "\r\nTransfer-Encoding: chunked\r\n"));
    text_done(&head);
    expect_end(&raw);
    radio_close(&radio);
    CHECK(radio.ended == 1);
}

TEST(what_is_over_before_it_begins_ends_in_order) {
    Radio radio;
    Text head;
    radio_open(&radio);
    Raw raw = tuned(&radio, GET("/last"));
    hear_head(&raw, &head);
    text_done(&head);
    expect(&raw, "0\r\n\r\n");
    expect_end(&raw);
    radio_close(&radio);
}

TEST(a_peer_that_goes_away_is_noticed_though_nothing_is_said) {
    Radio radio;
    radio_open(&radio);
    for (unsigned i = 0; i < 3; i++) {
        Raw raw = listening(&radio);
        struct linger reset = {.l_onoff = 1};
        if (i == 1) CHECK(setsockopt(raw.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) == 0);
        if (i == 2) CHECK(raw_send(&raw, S(GET("/again") GET("/again")))); // is not heard
        raw_close(&raw);
        wait_until(&radio.ended, i + 1);
    }
    radio_close(&radio);
    CHECK(radio.ended == 3);
}

TEST(what_a_peer_says_meanwhile_is_thrown_away_and_not_for_ever) {
    static char bytes[TEXT_MAX];
    Radio radio;
    radio_open(&radio);
    Raw raw = tuned(&radio, GET("/") GET("/again")), much = listening(&radio);
    Text head;
    hear_head(&raw, &head);
    text_done(&head);
    CHECK(raw_send(&raw, S(GET("/again"))));
    radio_say(&radio);
    expect(&raw, "7\r\nword 1\n\r\n");
    size_t sent = 0;
    while (sent < 64u << 20 && raw_send(&much, (Str){bytes, sizeof(bytes)}))
        sent += sizeof(bytes);
    CHECK(sent < 64u << 20);
    raw_close(&much);
    wait_until(&radio.ended, 1);
    raw_close(&raw);
    radio_close(&radio);
    CHECK(radio.ended == 2);
}

TEST(who_does_not_read_is_cut_off_and_holds_a_part_at_most) {
    Radio radio = {};
    GatewayOptions options = owner_options(&radio.owner);
    options.web_ms = SHORT_MS;
    radio_open_with(&radio, options);
    int small = 4096;
    Raw raw = raw_connect(&radio.owner), idle = listening(&radio);
    CHECK(setsockopt(raw.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)) == 0);
    CHECK(raw_send(&raw, S(GET("/flood"))));
    wait_until(&radio.ended, 1);
    CHECK(radio.noises * TEXT_MAX < SOCKETS_MAX); // what the sockets took, and one
    usleep(2 * SHORT_MS * 1000);                  // who has nothing to take owes nothing
    radio_say(&radio);
    expect(&idle, "7\r\nword 1\n\r\n");
    raw_close(&raw);
    raw_close(&idle);
    radio_close(&radio);
}

TEST(once_nobody_is_let_in_open_answers_end_in_order) {
    Radio radio;
    radio_open(&radio);
    Raw late = raw_connect(&radio.owner), raw = listening(&radio);
    CHECK(raw_send(&late, S("GET / HTTP/1.1\r\n"))); // is there before, and asks afterwards
    usleep(50'000);
    gateway_quiesce(radio.owner.gateway);
    expect(&raw, "0\r\n\r\n");
    expect_end(&raw);
    CHECK(raw_send(&late, S(HOST "\r\n")));
    Text head;
    hear_head(&late, &head);
    text_done(&head);
    expect(&late, "0\r\n\r\n");
    expect_end(&late);
    gateway_quiesce(radio.owner.gateway);
    radio_close(&radio);
}

TEST(who_does_not_read_keeps_no_gateway_from_stopping) {
    Radio radio;
    radio_open(&radio);
    int small = 4096;
    Raw raw = raw_connect(&radio.owner);
    CHECK(setsockopt(raw.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)) == 0);
    CHECK(raw_send(&raw, S(GET("/flood"))));
    char first;
    CHECK(recv(raw.fd, &first, 1, 0) == 1);
    usleep(50'000);
    uint64_t start_ms = clock_monotonic_ms();
    radio_close(&radio);
    CHECK(clock_monotonic_ms() - start_ms < WAIT_MS / 2);
    raw_close(&raw);
}

static void *talk(void *arg) {
    for (int i = 0; i < TALKS; i++) {
        radio_say(arg);
        usleep(100);
    }
    return NULL;
}

/// All words, in their order, whatever parts they come in.
static void expect_words(const Raw *raw, unsigned words) {
    SCOPED(text_done) Text all;
    text_init(&all, 1 << 20);
    char bytes[4096], wanted[32];
    snprintf(wanted, sizeof(wanted), "word %u\n", words);
    while (!says(&all, wanted)) {
        ssize_t came = recv(raw->fd, bytes, sizeof(bytes), 0);
        CHECK(came > 0);
        text_add(&all, (Str){bytes, (size_t)came});
    }
    const char *at = all.ptr;
    for (unsigned i = 1; i <= words; i++) {
        snprintf(wanted, sizeof(wanted), "word %u\n", i);
        at = strstr(at, wanted);
        CHECK(at);
    }
}

TEST(many_listen_while_many_speak_and_some_leave) {
    enum { LISTENERS = 60 };
    Radio radio = {};
    GatewayOptions options = owner_options(&radio.owner);
    options.threads = 2;
    radio_open_with(&radio, options);
    Raw raws[LISTENERS];
    pthread_t talkers[TALKERS];
    for (int i = 0; i < LISTENERS; i++)
        raws[i] = listening(&radio);
    for (int i = 0; i < TALKERS; i++)
        CHECK(pthread_create(&talkers[i], NULL, talk, &radio) == 0);
    for (int i = 0; i < LISTENERS; i += 3)
        raw_close(&raws[i]);
    for (int i = 0; i < TALKERS; i++)
        pthread_join(talkers[i], NULL);
    for (int i = 0; i < LISTENERS; i++)
        if (i % 3) expect_words(&raws[i], TALKERS * TALKS);
    wait_until(&radio.ended, LISTENERS / 3);
    radio_finish(&radio);
    for (int i = 0; i < LISTENERS; i++)
        if (i % 3) raw_close(&raws[i]);
    radio_close(&radio);
    CHECK(radio.ended == LISTENERS);
}

TEST(five_hundred_listen_from_one_address_and_leave_room_for_others) {
    enum { LISTENERS = 500 };
    Radio radio = {};
    GatewayOptions options = owner_options(&radio.owner);
    options.connections_max = LISTENERS + 2;
    options.connections_per_address_max = 8;
    radio_open_with(&radio, options);
    Raw raws[LISTENERS];
    for (int i = 0; i < LISTENERS; i++)
        raws[i] = listening(&radio);
    Raw idle[2] = {raw_connect(&radio.owner), raw_connect(&radio.owner)};
    usleep(1200'000); // long enough to give way
    Raw newcomer = listening(&radio);
    radio_say(&radio);
    for (int i = 0; i < LISTENERS; i++)
        expect(&raws[i], "7\r\nword 1\n\r\n");
    expect(&newcomer, "7\r\nword 1\n\r\n");
    for (int i = 0; i < LISTENERS; i++)
        raw_close(&raws[i]);
    for (int i = 0; i < 2; i++)
        raw_close(&idle[i]);
    raw_close(&newcomer);
    wait_until(&radio.ended, LISTENERS + 1);
    radio_close(&radio);
}

TEST_MAIN(CASE(parts_come_as_chunks_when_they_are_said),
          CASE(an_older_client_is_told_the_end_by_the_connections),
          CASE(who_asks_for_the_head_gets_the_head),
          CASE(what_is_over_before_it_begins_ends_in_order),
          CASE(a_peer_that_goes_away_is_noticed_though_nothing_is_said),
          CASE(what_a_peer_says_meanwhile_is_thrown_away_and_not_for_ever),
          CASE(who_does_not_read_is_cut_off_and_holds_a_part_at_most),
          CASE(once_nobody_is_let_in_open_answers_end_in_order),
          CASE(who_does_not_read_keeps_no_gateway_from_stopping),
          CASE(many_listen_while_many_speak_and_some_leave),
          CASE(five_hundred_listen_from_one_address_and_leave_room_for_others))
