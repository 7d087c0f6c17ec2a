// SPDX-License-Identifier: Apache-2.0
#include "http1/upgrade.h"

#include "base/arena.h"
#include "test.h"

#include <string.h>

#define PATH S("/v1/channel")
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define START "GET /v1/channel HTTP/1.1\r\n"
#define HOST "Host: example.org\r\n"
#define UPGRADE "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define NONCE "Sec-WebSocket-Key: " KEY "\r\n"
#define BEARER "Authorization: Bearer abc.def-1\r\n"
#define END "\r\n"

static UpgradeStatus status_of(const char *head) {
    UpgradeRequest request = {};
    return upgrade_request_parse(str_from(head), PATH, &request);
}

TEST(a_good_request_is_accepted_and_shows_its_token) {
    UpgradeRequest request = {};
    Str head = S(START HOST UPGRADE VERSION NONCE BEARER END);
    CHECK(upgrade_request_parse(head, PATH, &request) == UPGRADE_ACCEPTED);
    CHECK_STR(request.key, S(KEY));
    CHECK_STR(request.bearer, S("abc.def-1"));
    CHECK(status_of(START
                    "HOST:x\r\nupgrade: h2c, WebSocket\r\nCONNECTION:upgrade\r\n" VERSION NONCE END)
          == UPGRADE_ACCEPTED);
}

TEST(another_scheme_or_no_header_is_no_token) {
    UpgradeRequest request = {};
    Str head = S(START HOST UPGRADE VERSION NONCE "Authorization: Basic abc\r\n" END);
    CHECK(upgrade_request_parse(head, PATH, &request) == UPGRADE_ACCEPTED);
    CHECK(!request.bearer.ptr);
    head = S(START HOST UPGRADE VERSION NONCE END);
    CHECK(upgrade_request_parse(head, PATH, &request) == UPGRADE_ACCEPTED);
    CHECK(!request.bearer.ptr);
}

TEST(what_is_missing_or_wrong_decides_the_status) {
    CHECK(status_of("GET /other HTTP/1.1\r\n" HOST UPGRADE VERSION NONCE END) == UPGRADE_NOT_FOUND);
    CHECK(status_of("GET /v1/channel?x HTTP/1.1\r\n" HOST UPGRADE VERSION NONCE END)
          == UPGRADE_NOT_FOUND);
    CHECK(status_of("HEAD /v1/channel HTTP/1.1\r\n" HOST UPGRADE VERSION NONCE END)
          == UPGRADE_BAD_METHOD);
    CHECK(status_of("GET /v1/channel HTTP/1.0\r\n" HOST UPGRADE VERSION NONCE END)
          == UPGRADE_BAD_REQUEST);
    CHECK(status_of(START UPGRADE VERSION NONCE END) == UPGRADE_BAD_REQUEST);
    CHECK(status_of(START HOST VERSION NONCE END) == UPGRADE_REQUIRED);
    CHECK(status_of(START HOST "Upgrade: h2c\r\nConnection: Upgrade\r\n" VERSION NONCE END)
          == UPGRADE_REQUIRED);
    CHECK(status_of(START HOST "Upgrade: websocket\r\n" VERSION NONCE END) == UPGRADE_REQUIRED);
    CHECK(status_of(START HOST UPGRADE NONCE END) == UPGRADE_REQUIRED);
    CHECK(status_of(START HOST UPGRADE "Sec-WebSocket-Version: 8\r\n" NONCE END)
          == UPGRADE_REQUIRED);
}

TEST(keys_are_16_bytes_in_base64) {
    CHECK(status_of(START HOST UPGRADE VERSION END) == UPGRADE_BAD_REQUEST);
    CHECK(status_of(START HOST UPGRADE VERSION "Sec-WebSocket-Key: short\r\n" END)
          == UPGRADE_BAD_REQUEST);
    CHECK(
        status_of(START HOST UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ!!\r\n" END)
        == UPGRADE_BAD_REQUEST);
    CHECK(
        status_of(START HOST UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZSEh\r\n" END)
        == UPGRADE_BAD_REQUEST);
}

TEST(doubtful_requests_are_refused) {
    CHECK(status_of(START HOST HOST UPGRADE VERSION NONCE END) == UPGRADE_BAD_REQUEST);
    CHECK(status_of(START HOST UPGRADE VERSION NONCE NONCE END) == UPGRADE_BAD_REQUEST);
    CHECK(status_of(START HOST UPGRADE VERSION NONCE "Authorization: Bearer\r\n a\r\n" END)
          == UPGRADE_BAD_REQUEST);
    CHECK(status_of(START HOST UPGRADE VERSION NONCE "Content-Length: 2\r\n" END)
          == UPGRADE_BAD_REQUEST);
    CHECK(status_of(START HOST UPGRADE VERSION NONCE "Transfer-Encoding: chunked\r\n" END)
          == UPGRADE_BAD_REQUEST);
    CHECK(status_of(START HOST "\n" UPGRADE VERSION NONCE END) == UPGRADE_BAD_REQUEST);
    CHECK(status_of("\x16\x03\x01 hello\r\n\r\n") == UPGRADE_BAD_REQUEST);
}

TEST(the_end_of_a_head_is_found_in_pieces) {
    Str bytes = S("GET / HTTP/1.1\r\nHost: x\r\n\r\nmore");
    size_t seen = 0;
    for (size_t len = 1; len < bytes.len - 4; len++) {
        CHECK(upgrade_head_len(str_slice(bytes, 0, len), seen) == 0);
        seen = len;
    }
    CHECK(upgrade_head_len(bytes, seen) == bytes.len - 4);
    CHECK(upgrade_head_len(bytes, 0) == bytes.len - 4);
}

TEST(the_example_of_the_standard_is_answered_as_it_stands_there) {
    Text out;
    text_init(&out, 1024);
    upgrade_accept(&out, S(KEY));
    CHECK(strstr(out.ptr, "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    text_done(&out);
}

TEST(a_refusal_is_a_problem_document_with_its_headers) {
    Text out;
    text_init(&out, 1024);
    upgrade_refuse(&out, UPGRADE_TOO_MANY);
    CHECK(str_starts(text_str(&out), S("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 5\r\n")));
    CHECK(str_ends(text_str(&out), S("\"status\":429,\"code\":\"busy\"}\n")));
    text_clear(&out);
    upgrade_refuse(&out, UPGRADE_UNAUTHORISED);
    CHECK(strstr(out.ptr, "\r\nWWW-Authenticate: Bearer\r\n"));
    text_clear(&out);
    upgrade_refuse(&out, UPGRADE_REQUIRED);
    CHECK(strstr(out.ptr, "\r\nSec-WebSocket-Version: 13\r\n"));
    text_done(&out);
}

TEST(both_ends_understand_each_other) {
    char key[UPGRADE_KEY_LEN + 1];
    upgrade_key_make(key);
    Text ask, answer;
    text_init(&ask, UPGRADE_HEAD_MAX);
    text_init(&answer, UPGRADE_HEAD_MAX);
    upgrade_ask(&ask, S("::1"), 8443, PATH, S("token"), str_from(key));
    CHECK(strstr(ask.ptr, "Host: [::1]:8443\r\n"));
    UpgradeRequest request = {};
    CHECK(upgrade_request_parse(text_str(&ask), PATH, &request) == UPGRADE_ACCEPTED);
    CHECK_STR(request.bearer, S("token"));
    upgrade_accept(&answer, request.key);
    UpgradeAnswer got = {};
    CHECK_OK(upgrade_answer_parse(text_str(&answer), str_from(key), &got));
    CHECK(got.status == UPGRADE_ACCEPTED);
    CHECK_ERR(upgrade_answer_parse(text_str(&answer), S(KEY), &got), ERR_INVALID);
    text_done(&ask);
    text_done(&answer);
}

TEST(a_client_reads_why_it_was_refused) {
    UpgradeAnswer got = {};
    CHECK_OK(upgrade_answer_parse(
        S("HTTP/1.1 503 No\r\nRetry-After: 17\r\nContent-Length: 5\r\n\r\n"), S(KEY), &got));
    CHECK(got.status == 503 && got.retry_after_s == 17);
    CHECK_OK(upgrade_answer_parse(S("HTTP/1.1 401 No\r\n\r\n"), S(KEY), &got));
    CHECK(got.status == 401 && got.retry_after_s == 0);
    CHECK_ERR(upgrade_answer_parse(S("SSH-2.0-OpenSSH\r\n\r\n"), S(KEY), &got), ERR_INVALID);
    CHECK_ERR(upgrade_answer_parse(S("HTTP/1.1 101 Sure\r\n\r\n"), S(KEY), &got), ERR_INVALID);
}

TEST_MAIN(CASE(a_good_request_is_accepted_and_shows_its_token),
          CASE(another_scheme_or_no_header_is_no_token),
          CASE(what_is_missing_or_wrong_decides_the_status),
          CASE(keys_are_16_bytes_in_base64),
          CASE(doubtful_requests_are_refused),
          CASE(the_end_of_a_head_is_found_in_pieces),
          CASE(the_example_of_the_standard_is_answered_as_it_stands_there),
          CASE(a_refusal_is_a_problem_document_with_its_headers),
          CASE(both_ends_understand_each_other),
          CASE(a_client_reads_why_it_was_refused))
