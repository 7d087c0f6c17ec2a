// SPDX-License-Identifier: Apache-2.0
#include "agent/engine/pull.h"

#include "test.h"

// As Docker 20.10 and 28 send it.
#define GOOD                                                                                \
    "{\"status\":\"Pulling from web\",\"id\":\"sha256:77c8\"}\r\n"                          \
    "{\"status\":\"Pulling fs layer\",\"progressDetail\":{},\"id\":\"ae5bd02de7cc\"}\r\n"   \
    "{\"status\":\"Downloading\",\"progressDetail\":{\"current\":15920,\"total\":1110613}," \
    "\"progress\":\"[\\u003e   ]  15.92kB/1.111MB\",\"id\":\"ae5bd02de7cc\"}\r\n"           \
    "{\"status\":\"Status: Downloaded newer image for 127.0.0.1:5000/web@sha256:77c8\"}\r\n"
#define BAD                                                        \
    "{\"status\":\"Pulling from web\",\"id\":\"sha256:77c8\"}\r\n" \
    "{\"errorDetail\":{\"message\":\"unexpected EOF\"},\"error\":\"unexpected EOF\"}\r\n"

static void feed_in_pieces(PullProgress *pull, Str all, size_t size) {
    pull_init(pull);
    for (size_t at = 0; at < all.len; at += size)
        pull_feed(pull, str_slice(all, at, at + size));
    pull_end(pull);
}

TEST(progress_alone_is_no_failure) {
    for (size_t size = 1; size < 80; size++) {
        PullProgress pull;
        feed_in_pieces(&pull, S(GOOD), size);
        CHECK(!pull.failed);
        pull_done(&pull);
    }
}

TEST(an_error_line_is_found_however_the_stream_is_cut) {
    for (size_t size = 1; size < 80; size++) {
        PullProgress pull;
        feed_in_pieces(&pull, S(BAD), size);
        CHECK(pull.failed);
        CHECK_STR(str_from(pull.reason.text), S("unexpected EOF"));
        pull_done(&pull);
    }
}

TEST(a_last_line_without_an_end_counts) {
    PullProgress pull;
    feed_in_pieces(&pull, S("{\"error\":\"denied\"}"), 7);
    CHECK(pull.failed);
    pull_done(&pull);
}

TEST(an_endless_line_is_passed_over) {
    PullProgress pull;
    pull_init(&pull);
    for (int i = 0; i < 3 * PULL_LINE_MAX / 8; i++)
        pull_feed(&pull, S("{\"a\":\"bb"));
    CHECK(pull.line.capacity <= 2 * PULL_LINE_MAX);
    pull_feed(&pull, S("\"}\n{\"error\":\"after it\"}\n"));
    CHECK(pull.failed);
    CHECK_STR(str_from(pull.reason.text), S("after it"));
    pull_done(&pull);
}

TEST(lines_that_are_no_objects_are_passed_over) {
    PullProgress pull;
    feed_in_pieces(&pull, S("\n[]\nnull\n{\n{\"error\":5}\n\"error\"\n"), 3);
    CHECK(!pull.failed);
    pull_done(&pull);
}

TEST_MAIN(CASE(progress_alone_is_no_failure),
          CASE(an_error_line_is_found_however_the_stream_is_cut),
          CASE(a_last_line_without_an_end_counts),
          CASE(an_endless_line_is_passed_over),
          CASE(lines_that_are_no_objects_are_passed_over))
