// SPDX-License-Identifier: Apache-2.0
#include "http1/http1_parse.h"

#include "base/text.h"

#include "test.h"

#include <string.h>

/// What came out of some bytes.
typedef struct Outcome {
    Http1Parse parse;
    Text body;
    Err err;
    size_t left; ///< bytes behind the reply
} Outcome;

static Err body_add(void *app, Str part) {
    Text *body = app;
    text_add(body, part);
    return body->failed ? FAIL(ERR_LIMIT, "large") : SUCCESS;
}

/// Parse in pieces of so many bytes; `is_ended`: the peer closes after them.
static void run(Outcome *outcome, Str input, size_t piece, bool is_to_head, bool is_ended) {
    *outcome = (Outcome){};
    text_init(&outcome->body, 64);
    Http1Parse *parse = &outcome->parse;
    http1_parse_init(parse, is_to_head, body_add, &outcome->body);
    while (input.len && outcome->err.code == OK && !parse->is_complete) {
        Str part = str_slice(input, 0, piece);
        size_t given = part.len;
        outcome->err = http1_parse(parse, &part);
        input = str_slice(input, given - part.len, input.len);
    }
    outcome->left = input.len;
    if (is_ended && outcome->err.code == OK && !parse->is_complete)
        outcome->err = http1_parse_end(parse);
    http1_parse_done(parse);
}

/// A whole reply, in pieces of every size.
static void
expect(Str input, uint32_t status, Str body, uint64_t retry_after_s, bool is_kept, bool is_ended) {
    for (size_t piece = 1; piece <= input.len; piece++) {
        Outcome outcome;
        run(&outcome, input, piece, false, is_ended);
        CHECK_OK(outcome.err);
        CHECK(outcome.parse.is_complete && outcome.left == 0);
        CHECK(outcome.parse.status == status && outcome.parse.is_kept == is_kept);
        CHECK(outcome.parse.retry_after_s == retry_after_s);
        CHECK_STR(text_str(&outcome.body), body);
        text_done(&outcome.body);
    }
}

/// The reply is refused, in pieces of any size, or has not come to its end.
static void expect_failure(Str input, ErrCode code, bool is_ended) {
    for (size_t piece = 1; piece <= input.len; piece += 1 + piece / 8) {
        Outcome outcome;
        run(&outcome, input, piece, false, is_ended);
        text_done(&outcome.body);
        CHECK(outcome.err.code == code && !outcome.parse.is_complete);
    }
}

TEST(a_body_has_a_length_or_chunks_or_goes_to_the_end) {
    expect(S("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"), 200, S("hello"), 0, true, false);
    expect(S("HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n"
             "3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nTrailer: x\r\n\r\n"),
           404,
           S("hello"),
           0,
           true,
           false);
    expect(S("HTTP/1.1 200 OK\r\n\r\nhello"), 200, S("hello"), 0, false, true);
    expect(S("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi"), 200, S("hi"), 0, false, false);
    expect(S("HTTP/1.1 204 No Content\r\n\r\n"), 204, S(""), 0, true, false);
    expect(S("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
           200,
           S(""),
           0,
           false,
           false);
}

TEST(interim_replies_are_skipped) {
    expect(S("HTTP/1.1 100 Continue\r\nRetry-After: 9\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\n"
             "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok"),
           201,
           S("ok"),
           0,
           true,
           false);
}

TEST(retry_after_is_read_when_it_is_a_number) {
    expect(S("HTTP/1.1 503 Busy\r\nretry-AFTER:  120 \r\nContent-Length: 0\r\n\r\n"),
           503,
           S(""),
           120,
           true,
           false);
    expect(S("HTTP/1.1 503 Busy\r\nRetry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\n"
             "Retry-Afterwards: 5\r\nRetry: 6\r\nContent-Length: 0\r\n\r\n"),
           503,
           S(""),
           0,
           true,
           false);
    expect(S("HTTP/1.1 503 Busy\r\nRetry-After: 99999999999999999999999999\r\n"
             "Content-Length: 0\r\n\r\n"),
           503,
           S(""),
           0,
           true,
           false);
}

TEST(bytes_behind_the_reply_are_left) {
    Outcome outcome;
    run(&outcome, S("HTTP/1.1 204 No\r\n\r\nHTTP/1.1 200 OK\r\n"), 100, false, false);
    CHECK_OK(outcome.err);
    CHECK(outcome.parse.is_complete && outcome.left == 17);
    text_done(&outcome.body);
}

TEST(a_reply_to_head_has_no_body) {
    Outcome outcome;
    run(&outcome, S("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), 7, true, false);
    CHECK_OK(outcome.err);
    CHECK(outcome.parse.is_complete && outcome.parse.is_kept);
    text_done(&outcome.body);
}

TEST(what_is_not_http_is_refused) {
    expect_failure(S("SSH-2.0-OpenSSH_9.2\r\n\r\n"), ERR_INVALID, true);
    expect_failure(S("HTTP/2.0 200 OK\r\n\r\n"), ERR_INVALID, true);
    expect_failure(S("HTTP/1.1 099 Low\r\n\r\n"), ERR_INVALID, true);
    expect_failure(S("HTTP/1.1 999 High\r\n\r\n"), ERR_INVALID, true);
    expect_failure(S("HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\n"), ERR_INVALID, true);
    expect_failure(
        S("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"), ERR_INVALID, true);
    expect_failure(
        S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), ERR_INVALID, true);
    expect_failure(S("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
                   ERR_INVALID,
                   true);
    expect_failure(S("HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n"),
                   ERR_INVALID,
                   true);
}

TEST(a_reply_that_breaks_off_is_not_a_reply) {
    expect_failure(S("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell"), ERR_UNAVAILABLE, true);
    expect_failure(S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
                   ERR_UNAVAILABLE,
                   true);
    expect_failure(S("HTTP/1.1 200 OK\r\nConte"), ERR_UNAVAILABLE, true);
    expect_failure(S("HTTP/1.1 100 Continue\r\n\r\n"), ERR_UNAVAILABLE, true);
    Outcome outcome;
    run(&outcome, S(""), 1, false, true);
    CHECK(outcome.err.code == ERR_UNAVAILABLE);
}

TEST(heads_are_limited_even_when_they_come_as_many) {
    static char head[2 * HTTP1_HEAD_MAX];
    size_t len = (size_t)snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nX: ");
    memset(head + len, 'x', sizeof(head) - len);
    expect_failure((Str){head, sizeof(head)}, ERR_LIMIT, false);

    static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";
    static char many[sizeof(interim) * HTTP1_HEAD_MAX / 8];
    for (len = 0; len + sizeof(interim) <= sizeof(many); len += sizeof(interim) - 1)
        memcpy(many + len, interim, sizeof(interim) - 1);
    expect_failure((Str){many, len}, ERR_LIMIT, false);
}

TEST(what_the_taker_of_the_body_says_ends_the_parsing) {
    static char reply[200];
    int len =
        snprintf(reply, sizeof(reply), "HTTP/1.1 200 OK\r\nContent-Length: 65\r\n\r\n%065d", 7);
    expect_failure((Str){reply, (size_t)len}, ERR_LIMIT, false);
}

TEST_MAIN(CASE(a_body_has_a_length_or_chunks_or_goes_to_the_end),
          CASE(interim_replies_are_skipped),
          CASE(retry_after_is_read_when_it_is_a_number),
          CASE(bytes_behind_the_reply_are_left),
          CASE(a_reply_to_head_has_no_body),
          CASE(what_is_not_http_is_refused),
          CASE(a_reply_that_breaks_off_is_not_a_reply),
          CASE(heads_are_limited_even_when_they_come_as_many),
          CASE(what_the_taker_of_the_body_says_ends_the_parsing))
