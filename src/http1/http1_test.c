// SPDX-License-Identifier: Apache-2.0
/// Against a peer in a thread, which answers each request as its script says.
#include "http1/http1.h"

#include "base/clock.h"
#include "http1/http1_peer.h"
#include "io/tls.h"
#include "io/tls_fixture.h"

#include "test.h"

#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

enum { SOON_MS = 5000 }; // where an answer must come

/// A peer on a unix socket with the script that is given, and a client of it.
typedef struct Talk {
    Peer peer;
    Http1 *http;
    Http1Reply reply;
    int cancel[2];
} Talk;

static void talk_start(Talk *talk, const Step *steps, size_t count) {
    *talk = (Talk){};
    peer_start(&talk->peer, steps, count, false, NULL);
    CHECK(pipe(talk->cancel) == 0);
    Http1Options options = {.unix_path = talk->peer.path, .cancel_fd = talk->cancel[0]};
    CHECK_OK(http1_open(&options, &talk->http));
}
#define TALK(talk, ...)                        \
    const Step talk##_steps[] = {__VA_ARGS__}; \
    Talk talk;                                 \
    talk_start(&(talk), talk##_steps, sizeof(talk##_steps) / sizeof(Step))

static void talk_end(Talk *talk) {
    talk->http = http1_close(talk->http);
    peer_stop(&talk->peer);
    text_done(&talk->reply.body);
    close(talk->cancel[0]);
    close(talk->cancel[1]);
}

static Err get(Talk *talk, uint64_t within_ms, size_t reply_max) {
    text_done(&talk->reply.body);
    Http1Request request = {
        .method = "GET", .target = S("/x"), .within_ms = within_ms, .reply_max = reply_max};
    return http1_exchange(talk->http, &request, &talk->reply, NULL);
}

#define OK_REPLY "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

TEST(a_request_is_written_as_it_should_be) {
    TALK(talk, {OK_REPLY, KEEP}, {OK_REPLY, KEEP}, {OK_REPLY, CLOSE});
    CHECK_OK(get(&talk, SOON_MS, 64));
    Http1Request request = {.method = "POST",
                            .target = S("/v1/a?b=c"),
                            .body = S("{}"),
                            .within_ms = SOON_MS,
                            .reply_max = 64};
    text_done(&talk.reply.body);
    CHECK_OK(http1_exchange(talk.http, &request, &talk.reply, NULL));
    request = (Http1Request){.method = "POST", .target = S("/y"), .within_ms = SOON_MS};
    request.reply_max = 64;
    text_done(&talk.reply.body);
    CHECK_OK(http1_exchange(talk.http, &request, &talk.reply, NULL));
    talk_end(&talk);
    CHECK_STR(
        str_from(talk.peer.requests[0]),
        S("GET /x HTTP/1.1\r\nHost: localhost\r\nUser-Agent: muster/" MUSTER_VERSION "\r\n\r\n"));
    CHECK_STR(str_from(talk.peer.requests[1]),
              S("POST /v1/a?b=c HTTP/1.1\r\nHost: localhost\r\nUser-Agent: muster/" MUSTER_VERSION
                "\r\nContent-Type: application/json\r\n"
                "Content-Length: 2\r\n\r\n{}"));
    CHECK_STR(str_from(talk.peer.requests[2]),
              S("POST /y HTTP/1.1\r\nHost: localhost\r\nUser-Agent: muster/" MUSTER_VERSION
                "\r\nContent-Length: 0\r\n\r\n"));
    CHECK(talk.peer.connections == 1);
}

TEST(a_request_that_would_break_its_head_is_not_sent) {
    Http1 *http = NULL;
    Http1Reply reply = {};
    CHECK_OK(http1_open(&(Http1Options){.unix_path = "/nowhere", .cancel_fd = -1}, &http));
    Http1Request request = {.method = "GET", .target = S("/a b"), .within_ms = SOON_MS};
    CHECK_ERR(http1_exchange(http, &request, &reply, NULL), ERR_INVALID);
    request.target = S("");
    CHECK_ERR(http1_exchange(http, &request, &reply, NULL), ERR_INVALID);
    request.target = S("/a");
    request.target = S("/a\r\nEvil:1");
    CHECK_ERR(http1_exchange(http, &request, &reply, NULL), ERR_INVALID);
    request.target = S("/a");
    Reason reason = {};
    CHECK_ERR(http1_exchange(http, &request, &reply, &reason), ERR_UNAVAILABLE);
    CHECK_STR(str_from(reason.text), S("/nowhere: No such file or directory"));
    CHECK(http1_fd(http) == -1);
    http1_close(http);
    CHECK(!http1_close(NULL));
}

TEST(a_peer_that_is_not_there_is_named) {
    Http1 *http = NULL;
    Http1Reply reply = {};
    Reason reason = {};
    Http1Request request = {.method = "GET", .target = S("/"), .within_ms = SOON_MS};
    CHECK_OK(http1_open(&(Http1Options){.host = "127.0.0.1", .port = 1, .cancel_fd = -1}, &http));
    CHECK_ERR(http1_exchange(http, &request, &reply, &reason), ERR_UNAVAILABLE);
    CHECK_STR(str_from(reason.text), S("127.0.0.1:1: Connection refused"));
    http1_close(http);
    CHECK_OK(http1_open(&(Http1Options){.host = "::1", .port = 1, .cancel_fd = -1}, &http));
    CHECK_ERR(http1_exchange(http, &request, &reply, &reason), ERR_UNAVAILABLE);
    CHECK(str_starts(str_from(reason.text), S("[::1]:1: ")));
    http1_close(http);
    CHECK_OK(http1_open(&(Http1Options){.host = "a host", .port = 1, .cancel_fd = -1}, &http));
    CHECK_ERR(http1_exchange(http, &request, &reply, &reason), ERR_UNAVAILABLE);
    CHECK(str_starts(str_from(reason.text), S("a host:1: ")));
    http1_close(http);
}

TEST(replies_with_a_length_or_in_chunks_share_a_connection) {
    TALK(talk,
         {OK_REPLY, KEEP},
         {"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nTransfer-Encoding: chunked\r\n\r\n"
          "4\r\nwait\r\n0\r\n\r\n",
          KEEP},
         {"HTTP/1.1 204 No Content\r\n\r\n", CLOSE});
    CHECK_OK(get(&talk, SOON_MS, 64));
    CHECK(talk.reply.status == 200 && talk.reply.retry_after_s == 0);
    CHECK_STR(text_str(&talk.reply.body), S("ok"));
    CHECK_OK(get(&talk, SOON_MS, 64));
    CHECK(talk.reply.status == 503 && talk.reply.retry_after_s == 7);
    CHECK_STR(text_str(&talk.reply.body), S("wait"));
    CHECK(http1_fd(talk.http) >= 0);
    CHECK_OK(get(&talk, SOON_MS, 64));
    CHECK(talk.reply.status == 204);
    CHECK_STR(text_str(&talk.reply.body), S(""));
    talk_end(&talk);
    CHECK(talk.peer.connections == 1);
}

TEST(a_connection_that_was_closed_meanwhile_is_opened_again) {
    TALK(talk, {OK_REPLY, CLOSE}, {OK_REPLY, KEEP}, {"", CLOSE}, {OK_REPLY, CLOSE});
    CHECK_OK(get(&talk, SOON_MS, 64));
    CHECK_OK(get(&talk, SOON_MS, 64)); // closed before, or while, we asked
    CHECK_OK(get(&talk, SOON_MS, 64)); // closed after it read the request, without a byte
    CHECK_STR(text_str(&talk.reply.body), S("ok"));
    talk_end(&talk);
    CHECK(talk.peer.connections == 3 && talk.peer.served == 4);
}

TEST(a_new_connection_without_an_answer_is_not_tried_again) {
    TALK(talk, {"", CLOSE});
    CHECK_ERR(get(&talk, SOON_MS, 64), ERR_UNAVAILABLE);
    CHECK(http1_fd(talk.http) == -1);
    talk_end(&talk);
    CHECK(talk.peer.connections == 1);
}

TEST(a_kept_connection_that_breaks_in_the_reply_is_not_tried_again) {
    TALK(talk, {OK_REPLY, KEEP}, {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", CLOSE});
    CHECK_OK(get(&talk, SOON_MS, 64));
    CHECK_ERR(get(&talk, SOON_MS, 64), ERR_UNAVAILABLE);
    talk_end(&talk);
    CHECK(talk.peer.served == 2);
}

TEST(whoever_sends_more_than_the_reply_is_not_asked_again_on_that_connection) {
    TALK(talk,
         {OK_REPLY "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", KEEP},
         {OK_REPLY, KEEP});
    CHECK_OK(get(&talk, SOON_MS, 64));
    CHECK_OK(get(&talk, SOON_MS, 64));
    CHECK_STR(text_str(&talk.reply.body), S("ok"));
    talk_end(&talk);
    CHECK(talk.peer.connections == 2);
}

TEST(a_body_over_the_limit_is_refused) {
    TALK(talk, {OK_REPLY, HOLD}, {OK_REPLY, CLOSE});
    CHECK_ERR(get(&talk, SOON_MS, 1), ERR_LIMIT);
    CHECK(talk.reply.status == 0 || talk.reply.status == 200);
    CHECK(http1_fd(talk.http) == -1);
    CHECK_OK(get(&talk, SOON_MS, 2));
    talk_end(&talk);
}

TEST(garbage_is_not_http) {
    TALK(talk, {"\x16\x03\x01 hello", HOLD}, {OK_REPLY, CLOSE});
    CHECK_ERR(get(&talk, SOON_MS, 64), ERR_INVALID);
    CHECK_OK(get(&talk, SOON_MS, 64));
    talk_end(&talk);
}

TEST(silence_and_a_trickle_both_end_at_the_deadline) {
    TALK(talk, {"", HOLD}, {"HTTP/1.1 200 OK\r\n\r\n", DRIP});
    uint64_t started_ms = clock_monotonic_ms();
    CHECK_ERR(get(&talk, 60, 64), ERR_TIMEOUT);
    CHECK_ERR(get(&talk, 60, 1 << 20), ERR_TIMEOUT);
    uint64_t took_ms = clock_monotonic_ms() - started_ms;
    CHECK(took_ms >= 120 && took_ms < SOON_MS);
    talk_end(&talk);
}

/// What a stream gave so far, and what its taker does at each piece.
typedef struct Taker {
    Text text;
    int cancel_fd; ///< to be written to; -1: not
    size_t enough; ///< bytes after which it stops the stream; 0: never
} Taker;

static Err take(void *app, Str bytes) {
    Taker *taker = app;
    text_add(&taker->text, bytes);
    if (taker->cancel_fd >= 0 && write(taker->cancel_fd, "x", 1) != 1)
        return FAIL(ERR_STATE, "cannot cancel");
    if (taker->enough && taker->text.len >= taker->enough) return FAIL(ERR_STATE, "enough");
    return SUCCESS;
}

static Err stream(Talk *talk, Taker *taker, uint64_t within_ms) {
    text_done(&talk->reply.body);
    text_done(&taker->text);
    text_init(&taker->text, 256);
    Http1Request request = {
        .method = "GET", .target = S("/x"), .within_ms = within_ms, .reply_max = 64};
    return http1_stream(talk->http, &request, take, taker, &talk->reply, NULL);
}

TEST(a_wait_can_be_cancelled) {
    TALK(talk, {"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\npart", HOLD});
    Taker taker = {.cancel_fd = talk.cancel[1]};
    Err err = stream(&talk, &taker, SOON_MS);
    CHECK(err.code == ERR_TIMEOUT);
    CHECK_STR(str_from(err.what), S("cancelled"));
    CHECK_ERR(get(&talk, SOON_MS, 64), ERR_TIMEOUT); // and stays so until the owner reads it
    text_done(&taker.text);
    talk_end(&talk);
}

TEST(a_stream_hands_on_what_comes_and_keeps_the_connection_at_its_end) {
    TALK(talk,
         {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n",
          KEEP},
         {"HTTP/1.1 409 Conflict\r\nContent-Length: 2\r\n\r\nno", KEEP},
         {OK_REPLY, HOLD});
    Taker taker = {.cancel_fd = -1};
    CHECK_OK(stream(&talk, &taker, SOON_MS));
    CHECK_STR(text_str(&taker.text), S("onetwo"));
    CHECK(talk.reply.status == 200 && talk.reply.body.len == 0);
    CHECK_OK(stream(&talk, &taker, SOON_MS));
    CHECK(talk.reply.status == 409 && taker.text.len == 0);
    CHECK_STR(text_str(&talk.reply.body), S("no"));
    taker.enough = 1;
    CHECK_ERR(stream(&talk, &taker, SOON_MS), ERR_STATE);
    CHECK(http1_fd(talk.http) == -1);
    text_done(&taker.text);
    talk_end(&talk);
    CHECK(talk.peer.connections == 1);
}

TEST(a_stream_may_last_longer_than_the_wait_between_two_pieces) {
    TALK(talk, {"HTTP/1.1 200 OK\r\n\r\n", DRIP});
    Taker taker = {.cancel_fd = -1, .enough = 200};
    uint64_t started_ms = clock_monotonic_ms();
    CHECK_ERR(stream(&talk, &taker, 800), ERR_STATE); // a piece each 5 ms
    CHECK(taker.text.len == 200 && clock_monotonic_ms() - started_ms > 800);
    text_done(&taker.text);
    talk_end(&talk);
}

TEST(a_connection_goes_out_from_the_address_that_is_given) {
    Peer peer;
    peer_start(&peer, &(Step){OK_REPLY, KEEP}, 1, true, NULL);
    Http1Options options = {
        .host = "127.0.0.1", .port = peer.port, .source = "127.0.3.9", .cancel_fd = -1};
    Talk talk = {};
    CHECK_OK(http1_open(&options, &talk.http));
    CHECK_OK(get(&talk, SOON_MS, 64));
    struct sockaddr_in address = {};
    socklen_t len = sizeof(address);
    CHECK(getsockname(http1_fd(talk.http), (struct sockaddr *)&address, &len) == 0);
    CHECK(ntohl(address.sin_addr.s_addr) == 0x7f00'0309);
    http1_close(talk.http);
    peer_stop(&peer);
    text_done(&talk.reply.body);
}

TEST(tcp_and_tls_carry_exchanges_too) {
    TlsFixture files;
    TlsContext *server = NULL, *client = NULL;
    tls_fixture_open(&files, S("localhost"), 0, 10);
    CHECK_OK(tls_server_context_open(files.cert_path, files.key_path, NULL, &server, NULL));
    CHECK_OK(tls_client_context_open(files.ca.cert_pem, &client));
    const Step steps[] = {
        {OK_REPLY, KEEP },
        {OK_REPLY, CLOSE}
    };
    Peer peer;
    peer_start(&peer, steps, 2, true, server);
    Http1Options options = {.host = "localhost", .port = peer.port, .tls = client, .cancel_fd = -1};
    Http1Request request = {
        .method = "GET", .target = S("/x"), .within_ms = SOON_MS, .reply_max = 64};
    for (int i = 0; i < 2; i++) {
        Http1 *http = NULL;
        Http1Reply reply = {};
        CHECK_OK(http1_open(&options, &http));
        CHECK_OK(http1_exchange(http, &request, &reply, NULL));
        CHECK_STR(text_str(&reply.body), S("ok"));
        text_done(&reply.body);
        http1_close(http);
    }
    peer_stop(&peer);
    char host[64];
    snprintf(host, sizeof(host), "Host: localhost:%u\r\n", peer.port);
    CHECK(strstr(peer.requests[0], host));

    peer_start(&peer, steps, 1, true, server);
    options =
        (Http1Options){.host = "127.0.0.1", .port = peer.port, .tls = client, .cancel_fd = -1};
    Http1 *http = NULL;
    Http1Reply reply = {};
    CHECK_OK(http1_open(&options, &http));
    Reason reason = {};
    CHECK_ERR(http1_exchange(http, &request, &reply, &reason), ERR_UNAUTHENTICATED);
    CHECK(str_starts(str_from(reason.text), S("127.0.0.1:")));
    CHECK_SAID(reason, "does not match the expected");
    http1_close(http);
    peer_stop(&peer);
    tls_context_close(client);
    tls_context_close(server);
    tls_fixture_close(&files);
}

TEST_MAIN(CASE(a_request_is_written_as_it_should_be),
          CASE(a_request_that_would_break_its_head_is_not_sent),
          CASE(a_peer_that_is_not_there_is_named),
          CASE(replies_with_a_length_or_in_chunks_share_a_connection),
          CASE(a_connection_that_was_closed_meanwhile_is_opened_again),
          CASE(a_new_connection_without_an_answer_is_not_tried_again),
          CASE(a_kept_connection_that_breaks_in_the_reply_is_not_tried_again),
          CASE(whoever_sends_more_than_the_reply_is_not_asked_again_on_that_connection),
          CASE(a_body_over_the_limit_is_refused),
          CASE(garbage_is_not_http),
          CASE(silence_and_a_trickle_both_end_at_the_deadline),
          CASE(a_wait_can_be_cancelled),
          CASE(a_stream_hands_on_what_comes_and_keeps_the_connection_at_its_end),
          CASE(a_stream_may_last_longer_than_the_wait_between_two_pieces),
          CASE(a_connection_goes_out_from_the_address_that_is_given),
          CASE(tcp_and_tls_carry_exchanges_too))
