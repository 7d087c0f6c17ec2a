// SPDX-License-Identifier: Apache-2.0
#include "http1/upgrade.h"

#include "base/arena.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

#define PATH S("/v1/channel")
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define START "GET /v1/channel HTTP/1.1\r\n"
#define HOST "Host: example.org\r\n"
#define UPGRADE "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define NONCE "Sec-WebSocket-Key: " KEY "\r\n"
#define PROTOCOL S("ours.1")
#define OFFER "Sec-WebSocket-Protocol: ours.1\r\n"
#define END "\r\n"

static UpgradeStatus status_of(const char *head) {
    Str key = {};
    UpgradeVerdict verdict = upgrade_request_parse(str_from(head), PATH, PROTOCOL, &key);
    CHECK((verdict.status == UPGRADE_ACCEPTED) == !verdict.detail);
    CHECK((verdict.status == UPGRADE_ACCEPTED) == (key.ptr != NULL));
    return verdict.status;
}

TEST(a_good_request_is_accepted_with_its_key) {
    Str key = {};
    Str head = S(START HOST UPGRADE VERSION NONCE OFFER END);
    CHECK(upgrade_request_parse(head, PATH, PROTOCOL, &key).status == UPGRADE_ACCEPTED);
    CHECK_STR(key, S(KEY));
    CHECK(status_of(START "HOST:x\r\nupgrade: h2c, WebSocket\r\n"
                          "CONNECTION:upgrade\r\n" VERSION NONCE OFFER END)
          == UPGRADE_ACCEPTED);
}

TEST(what_it_says_about_who_asks_is_skipped) {
    CHECK(status_of(START HOST UPGRADE VERSION NONCE OFFER "Authorization: Bearer abc\r\n" END)
          == UPGRADE_ACCEPTED);
    CHECK(status_of(START HOST UPGRADE VERSION NONCE OFFER "Authorization: a\r\n"
                                                           "Authorization: b\r\n" END)
          == UPGRADE_ACCEPTED);
}

TEST(our_protocol_must_be_among_those_that_are_offered) {
    static const char *const good[] = {
        "Sec-WebSocket-Protocol: theirs, ours.1,ours.2\r\n",
        "sec-websocket-protocol: , ours.1 ,\r\n",
        "Sec-WebSocket-Protocol: theirs\r\nSec-WebSocket-Protocol: ours.1\r\n",
        "Sec-WebSocket-Protocol: ours.1\r\nSec-WebSocket-Protocol: theirs, more\r\n",
    };
    static const char *const bad[] = {
        "",
        "Sec-WebSocket-Protocol:\r\n",
        "Sec-WebSocket-Protocol: theirs\r\nSec-WebSocket-Protocol: ours.2\r\n",
        "Sec-WebSocket-Protocol: Ours.1, ours.11, ours., xours.1\r\n",
        "Sec-WebSocket-Protocol: \"ours.1\"\r\n",
        "Sec-WebSocket-Protocol: theirs ours.1\r\n",
        "Sec-WebSocket-Protocol: theirs,\r\n ours.1\r\n", // folded
    };
    char head[1024];
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        snprintf(head, sizeof(head), START HOST UPGRADE VERSION NONCE "%s" END, good[i]);
        CHECK(status_of(head) == UPGRADE_ACCEPTED);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(head, sizeof(head), START HOST UPGRADE VERSION NONCE "%s" END, bad[i]);
        CHECK(status_of(head) == UPGRADE_BAD_REQUEST);
    }
}

TEST(what_is_missing_or_wrong_decides_the_status) {
    CHECK(status_of("GET /other HTTP/1.1\r\n" HOST UPGRADE VERSION NONCE OFFER END)
          == UPGRADE_NOT_FOUND);
    CHECK(status_of("GET /v1/channel?x HTTP/1.1\r\n" HOST UPGRADE VERSION NONCE OFFER END)
          == UPGRADE_NOT_FOUND);
    CHECK(status_of("HEAD /v1/channel HTTP/1.1\r\n" HOST UPGRADE VERSION NONCE OFFER END)
          == UPGRADE_BAD_METHOD);
    CHECK(status_of("GET /v1/channel HTTP/1.0\r\n" HOST UPGRADE VERSION NONCE OFFER END)
          == UPGRADE_BAD_REQUEST);
    CHECK(status_of(START UPGRADE VERSION NONCE OFFER END) == UPGRADE_BAD_REQUEST);
    CHECK(status_of(START HOST VERSION NONCE OFFER END) == UPGRADE_REQUIRED);
    CHECK(status_of(START HOST "Upgrade: h2c\r\nConnection: Upgrade\r\n" VERSION NONCE OFFER END)
          == UPGRADE_REQUIRED);
    CHECK(status_of(START HOST "Upgrade: websocket\r\n" VERSION NONCE OFFER END)
          == UPGRADE_REQUIRED);
    CHECK(status_of(START HOST UPGRADE NONCE OFFER END) == UPGRADE_REQUIRED);
    CHECK(status_of(START HOST UPGRADE "Sec-WebSocket-Version: 8\r\n" NONCE OFFER END)
          == UPGRADE_REQUIRED);
}

TEST(keys_are_16_bytes_in_base64) {
    CHECK(status_of(START HOST UPGRADE VERSION OFFER END) == UPGRADE_BAD_REQUEST);
    CHECK(status_of(START HOST UPGRADE VERSION "Sec-WebSocket-Key: short\r\n" OFFER END)
          == UPGRADE_BAD_REQUEST);
    CHECK(status_of(START HOST UPGRADE VERSION
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ!!\r\n" OFFER END)
          == UPGRADE_BAD_REQUEST);
    CHECK(status_of(START HOST UPGRADE VERSION
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZSEh\r\n" OFFER END)
          == UPGRADE_BAD_REQUEST);
}

TEST(doubtful_requests_are_refused) {
    CHECK(status_of(START HOST HOST UPGRADE VERSION NONCE OFFER END) == UPGRADE_BAD_REQUEST);
    CHECK(status_of(START HOST UPGRADE VERSION NONCE NONCE OFFER END) == UPGRADE_BAD_REQUEST);
    CHECK(status_of(START HOST UPGRADE VERSION NONCE "Upgrade: websocket\r\n more\r\n" OFFER END)
          == UPGRADE_BAD_REQUEST);
    CHECK(status_of(START HOST UPGRADE VERSION NONCE "Content-Length: 2\r\n" OFFER END)
          == UPGRADE_BAD_REQUEST);
    CHECK(status_of(START HOST UPGRADE VERSION NONCE "Transfer-Encoding: chunked\r\n" OFFER END)
          == UPGRADE_BAD_REQUEST);
    CHECK(status_of(START HOST "\n" UPGRADE VERSION NONCE OFFER END) == UPGRADE_BAD_REQUEST);
    CHECK(status_of("\x16\x03\x01 hello\r\n\r\n") == UPGRADE_BAD_REQUEST);
}

TEST(the_example_of_the_standard_is_answered_as_it_stands_there) {
    Text out;
    text_init(&out, 1024);
    upgrade_accept(&out, S(KEY), PROTOCOL);
    CHECK(strstr(out.ptr, "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    CHECK(strstr(out.ptr, "\r\nSec-WebSocket-Protocol: ours.1\r\n"));
    text_done(&out);
}

TEST(a_refusal_is_a_problem_document_with_its_headers) {
    Text out;
    Str key = {};
    text_init(&out, 1024);
    upgrade_refuse(&out, (UpgradeVerdict){UPGRADE_HEAD_TOO_BIG, "too much"}, PROTOCOL);
    CHECK(str_starts(text_str(&out), S("HTTP/1.1 431 Request Header Fields Too Large\r\nContent")));
    CHECK(str_ends(text_str(&out),
                   S("\"status\":431,\"code\":\"limit\",\"detail\":\"too much\"}\n")));
    text_clear(&out);
    upgrade_refuse(&out, (UpgradeVerdict){UPGRADE_REQUIRED, "why"}, PROTOCOL);
    CHECK(strstr(out.ptr, "\r\nSec-WebSocket-Version: 13\r\n"));
    CHECK(strstr(out.ptr, "\r\nSec-WebSocket-Protocol: ours.1\r\n"));
    text_clear(&out);
    Str head = S(START HOST UPGRADE VERSION NONCE END);
    upgrade_refuse(&out, upgrade_request_parse(head, PATH, PROTOCOL, &key), PROTOCOL);
    CHECK(str_starts(text_str(&out),
                     S("HTTP/1.1 400 Bad Request\r\nSec-WebSocket-Protocol: ours.1\r\n")));
    CHECK(strstr(out.ptr, "Sec-WebSocket-Protocol does not offer what is spoken here"));
    text_done(&out);
}

TEST(both_ends_understand_each_other) {
    char key[UPGRADE_KEY_LEN + 1];
    upgrade_key_make(key);
    Text ask, answer;
    text_init(&ask, UPGRADE_HEAD_MAX);
    text_init(&answer, UPGRADE_HEAD_MAX);
    upgrade_ask(&ask, S("::1"), 8443, PATH, PROTOCOL, str_from(key));
    CHECK(strstr(ask.ptr, "Host: [::1]:8443\r\n"));
    CHECK(strstr(ask.ptr, "\r\n" OFFER));
    Str asked = {};
    CHECK(upgrade_request_parse(text_str(&ask), PATH, PROTOCOL, &asked).status == UPGRADE_ACCEPTED);
    upgrade_accept(&answer, asked, PROTOCOL);
    Str head = text_str(&answer);
    UpgradeAnswer got = {};
    CHECK_OK(upgrade_answer_parse(head, str_from(key), PROTOCOL, &got));
    CHECK(got.status == UPGRADE_ACCEPTED);
    CHECK_ERR(upgrade_answer_parse(head, S(KEY), PROTOCOL, &got), ERR_INVALID);
    CHECK_ERR(upgrade_answer_parse(head, str_from(key), S("ours.2"), &got), ERR_INVALID);
    text_done(&ask);
    text_done(&answer);
}

#define ACCEPTED                                   \
    "HTTP/1.1 101 Switching Protocols\r\n" UPGRADE \
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"

TEST(a_client_wants_exactly_its_protocol_in_the_answer) {
    UpgradeAnswer got = {};
    CHECK_OK(upgrade_answer_parse(S(ACCEPTED OFFER END), S(KEY), PROTOCOL, &got));
    static const char *const bad[] = {
        ACCEPTED END,
        ACCEPTED "Sec-WebSocket-Protocol: ours.2\r\n" END,
        ACCEPTED "Sec-WebSocket-Protocol: ours.1, ours.2\r\n" END,
        ACCEPTED OFFER OFFER END,
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK_ERR(upgrade_answer_parse(str_from(bad[i]), S(KEY), PROTOCOL, &got), ERR_INVALID);
}

TEST(a_client_reads_why_it_was_refused) {
    UpgradeAnswer got = {};
    CHECK_OK(
        upgrade_answer_parse(S("HTTP/1.1 503 No\r\nRetry-After: 17\r\nContent-Length: 5\r\n\r\n"),
                             S(KEY),
                             PROTOCOL,
                             &got));
    CHECK(got.status == 503 && got.retry_after_s == 17);
    CHECK_OK(upgrade_answer_parse(S("HTTP/1.1 401 No\r\n\r\n"), S(KEY), PROTOCOL, &got));
    CHECK(got.status == 401 && got.retry_after_s == 0);
    CHECK_ERR(upgrade_answer_parse(S("SSH-2.0-OpenSSH\r\n\r\n"), S(KEY), PROTOCOL, &got),
              ERR_INVALID);
    CHECK_ERR(upgrade_answer_parse(S("HTTP/1.1 101 Sure\r\n\r\n"), S(KEY), PROTOCOL, &got),
              ERR_INVALID);
}

TEST_MAIN(CASE(a_good_request_is_accepted_with_its_key),
          CASE(what_it_says_about_who_asks_is_skipped),
          CASE(our_protocol_must_be_among_those_that_are_offered),
          CASE(what_is_missing_or_wrong_decides_the_status),
          CASE(keys_are_16_bytes_in_base64),
          CASE(doubtful_requests_are_refused),
          CASE(the_example_of_the_standard_is_answered_as_it_stands_there),
          CASE(a_refusal_is_a_problem_document_with_its_headers),
          CASE(both_ends_understand_each_other),
          CASE(a_client_wants_exactly_its_protocol_in_the_answer),
          CASE(a_client_reads_why_it_was_refused))
