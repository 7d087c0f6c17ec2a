// SPDX-License-Identifier: Apache-2.0
#include "http1/head.h"

#include "test.h"

#include <stdio.h>
#include <string.h>

#define HOST "Host: example.org\r\n"
#define END "\r\n"

static HeadVerdict read_request(const char *text, RequestHead *ret_head) {
    size_t len = 0;
    HeadVerdict verdict = head_find(str_from(text), 0, &len);
    if (verdict.status) return verdict;
    CHECK(len > 0);
    return head_read_request((Str){text, len}, ret_head);
}

static uint16_t status_of(const char *text) {
    RequestHead head;
    HeadVerdict verdict = read_request(text, &head);
    CHECK((verdict.status == 0) == (verdict.detail == NULL));
    return verdict.status;
}

/// With this field beside a Host.
static uint16_t status_with(const char *fields) {
    char text[512];
    snprintf(text, sizeof(text), "POST /x HTTP/1.1\r\n" HOST "%s" END, fields);
    return status_of(text);
}

static uint16_t status_line(const char *line) {
    char text[512];
    snprintf(text, sizeof(text), "%s\r\n" HOST END, line);
    return status_of(text);
}

static RequestHead good(const char *text) {
    RequestHead head = {};
    CHECK(read_request(text, &head).status == 0);
    return head;
}

TEST(the_end_of_a_head_is_found_in_pieces) {
    Str bytes = S("GET / HTTP/1.1\r\nHost: x\r\n\r\nmore\r\n\r\n");
    size_t whole = strlen("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    for (size_t piece = 1; piece <= bytes.len; piece++) {
        size_t len = 0;
        for (size_t seen = 0; len == 0; seen += piece) {
            CHECK(seen < whole);
            CHECK(head_find(str_slice(bytes, 0, seen + piece), seen, &len).status == 0);
        }
        CHECK(len == whole);
    }
}

TEST(an_empty_line_in_front_is_skipped) {
    RequestHead head = good("\r\nGET / HTTP/1.1\r\n" HOST END);
    CHECK_STR(head.method, S("GET"));
    CHECK(status_of("\r\n\r\nGET / HTTP/1.1\r\n" HOST END) == 400);
}

TEST(lines_end_with_cr_lf_and_nothing_else) {
    CHECK(status_of("GET / HTTP/1.1\n" HOST END) == 400);
    CHECK(status_of("GET / HTTP/1.1\r\nHost: x\n" END) == 400);
    CHECK(status_of("GET / HTTP/1.1\r\nHost: x\r\n\n") == 400);
    CHECK(status_of("\nGET / HTTP/1.1\r\nHost: x\r\n\r\n") == 400);
    CHECK(status_of("GET / HTTP/1.1\r\nHost: x\ry\r\n" END) == 400);
    CHECK(status_of("GET / HTTP/1.1\r\r\nHost: x\r\n" END) == 400);
    CHECK(status_of("GET / HTTP/1.1\r\nHost: x\r\r\n" END) == 400);
}

TEST(what_is_no_head_is_noticed_at_its_first_bytes) {
    size_t len = 0;
    CHECK(head_find(S("\x16\x03\x01"), 0, &len).status == 400); // of TLS
    CHECK(head_find(S("GET /\x7f"), 0, &len).status == 400);
    CHECK(head_find(((Str){"GET /\0", 6}), 0, &len).status == 400);
}

TEST(a_request_line_is_three_words_with_one_space_between_each_two) {
    static const char *const bad[] = {
        "GET",
        "GET /",
        "GET  / HTTP/1.1",
        "GET /  HTTP/1.1",
        " GET / HTTP/1.1",
        "GET / HTTP/1.1 ",
        "GET /a b HTTP/1.1",
        "GET\t/ HTTP/1.1",
        "GET / http/1.1",
        "GET / HTTP/1.",
        "GET / HTTP/11.1",
        "GET / HTTP/1.1x",
        "GET / ",
        "G(T / HTTP/1.1",
        "/ HTTP/1.1",
        "GET / XTTP/1.1",
        "GET / HTTP/1,1",
        "GETGETGETGETGETGETGETGETGETGETGETGET / HTTP/1.1",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK(status_line(bad[i]) == 400);
    CHECK(status_line("GET / HTTP/2.0") == 505);
    CHECK(status_line("GET / HTTP/0.9") == 505);
    CHECK(good("GET / HTTP/1.9\r\n" HOST END).head.minor == 1);
    CHECK(good("GET / HTTP/1.0\r\n" END).head.minor == 0);
    CHECK_STR(good("M-SEARCH / HTTP/1.1\r\n" HOST END).method, S("M-SEARCH"));
}

TEST(a_target_is_a_path_or_a_url) {
    RequestHead head = good("GET /a/%7Eb?c=d?e HTTP/1.1\r\n" HOST END);
    CHECK_STR(head.path, S("/a/%7Eb"));
    CHECK_STR(head.query, S("c=d?e"));
    CHECK_STR(head.host, S("example.org"));
    head = good("GET HTTP://[::1]:80/a HTTP/1.1\r\n" HOST END);
    CHECK_STR(head.path, S("/a"));
    CHECK_STR(head.host, S("[::1]:80"));
    CHECK(!head.query.ptr);
    head = good("GET https://h?q HTTP/1.1\r\n" HOST END);
    CHECK_STR(head.path, S("/"));
    CHECK_STR(head.query, S("q"));
    CHECK_STR(good("GET http://h HTTP/1.1\r\n" HOST END).path, S("/"));
    CHECK_STR(good("OPTIONS * HTTP/1.1\r\n" HOST END).path, S("*"));
    CHECK(good("GET /? HTTP/1.1\r\n" HOST END).query.ptr != NULL);
    static const char *const bad[] = {
        "GET * HTTP/1.1",
        "GET a HTTP/1.1",
        "GET ?a HTTP/1.1",
        "CONNECT h:1 HTTP/1.1",
        "GET ftp://h/ HTTP/1.1",
        "GET http:///a HTTP/1.1",
        "GET http://u@h/ HTTP/1.1",
        "GET /a#b HTTP/1.1",
        "GET /%0 HTTP/1.1",
        "GET /%gg HTTP/1.1",
        "GET /a%00b HTTP/1.1",
        "GET /\x80 HTTP/1.1",
        "GET /\x01 HTTP/1.1",
        "GET /\"a HTTP/1.1",
        "GET /?a=%0 HTTP/1.1",
        "GET http://h:x/ HTTP/1.1",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK(status_line(bad[i]) == 400);
}

TEST(a_request_names_one_host) {
    CHECK(status_of("GET / HTTP/1.1\r\n" END) == 400);
    CHECK(status_of("GET / HTTP/1.0\r\n" END) == 0);
    CHECK(status_of("GET / HTTP/1.1\r\n" HOST HOST END) == 400);
    CHECK(status_of("GET http://h/ HTTP/1.1\r\n" END) == 400);
    static const char *const hosts[][2] = {
        {"h",           ""   },
        {"h:",          ""   },
        {"h:65535",     ""   },
        {"127.0.0.1:8", ""   },
        {"[fe80::1]",   ""   },
        {"[::1]:443",   ""   },
        {"a_b-c.d",     ""   },
        {"",            "bad"},
        {"h:65536",     "bad"},
        {"h:1:2",       "bad"},
        {"[::1",        "bad"},
        {"[::1]x",      "bad"},
        {"[]",          "bad"},
        {"a b",         "bad"},
        {"a/b",         "bad"},
        {"a,b",         ""   },
        {"u@h",         "bad"},
        {":80",         "bad"},
        {"h:+1",        "bad"},
        {"%0",          "bad"},
    };
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        char text[256];
        snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost:%s\r\n" END, hosts[i][0]);
        CHECK(status_of(text) == (hosts[i][1][0] ? 400 : 0));
    }
}

TEST(fields_are_a_name_a_colon_and_a_value) {
    static const char *const bad[] = {
        "Name : x\r\n",
        " Name: x\r\n",
        "Name: x\r\n folded\r\n",
        "Name\r\n",
        ": x\r\n",
        "Na me: x\r\n",
        "Name: a\x01z\r\n",
        "Name: a\x7f\r\n",
        "N\x80me: x\r\n",
        "(a): x\r\n",
        "Name: \x0b\r\n",
        "Name: x\r\n\tfolded\r\n",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK(status_with(bad[i]) == 400);
    RequestHead head = good("GET / HTTP/1.1\r\n" HOST "One: \t a b\t \r\nTWO:\r\ntwo:\xe9\r\n" END);
    Str value;
    CHECK(head_one(&head.head.fields, S("one"), &value));
    CHECK_STR(value, S("a b"));
    CHECK(!head_one(&head.head.fields, S("two"), &value));
    CHECK(head_one(&head.head.fields, S("three"), &value) && !value.ptr);
    size_t at = 0, count = 0;
    while (head_next(&head.head.fields, S("Two"), &at, &value))
        count++;
    CHECK(count == 2);
    CHECK_STR(value, S("\xe9"));
}

TEST(there_are_at_most_64_fields) {
    char text[4096] = "GET / HTTP/1.1\r\n" HOST;
    size_t len = strlen(text);
    for (int i = 1; i < HEAD_FIELDS_MAX; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "A%d: b\r\n", i);
    snprintf(text + len, sizeof(text) - len, END);
    CHECK(status_of(text) == 0);
    snprintf(text + len, sizeof(text) - len, "One-more: b\r\n" END);
    CHECK(status_of(text) == 431);
}

TEST(a_body_has_one_length_or_chunks) {
    CHECK(good("POST / HTTP/1.1\r\n" HOST END).head.body == BODY_NONE);
    RequestHead head = good("POST / HTTP/1.1\r\n" HOST "content-length: 007\r\n" END);
    CHECK(head.head.body == BODY_LENGTH && head.head.length == 7);
    CHECK(good("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n" END).head.body
          == BODY_CHUNKED);
    static const char *const bad[] = {
        "Content-Length: 1\r\nContent-Length: 1\r\n",
        "Content-Length: 1\r\nContent-Length: 2\r\n",
        "Content-Length: 1, 1\r\n",
        "Content-Length: +1\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 0x1\r\n",
        "Content-Length:\r\n",
        "Content-Length: 1 1\r\n",
        "Content-Length: 9223372036854775808\r\n",
        "Content-Length: 99999999999999999999999\r\n",
        "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK(status_with(bad[i]) == 400);
    static const char *const unknown[] = {
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked, gzip\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked;a=b\r\n",
        "Transfer-Encoding: \"chunked\"\r\n",
        "Transfer-Encoding:\r\n",
    };
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
        CHECK(status_with(unknown[i]) == 501);
    CHECK(status_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n" END) == 400);
}

TEST(a_connection_is_kept_unless_somebody_says_otherwise) {
    CHECK(good("GET / HTTP/1.1\r\n" HOST END).head.is_kept);
    CHECK(!good("GET / HTTP/1.1\r\n" HOST "Connection: x, Close\r\n" END).head.is_kept);
    CHECK(
        !good("GET / HTTP/1.1\r\n" HOST "Connection: x\r\nConnection: close\r\n" END).head.is_kept);
    CHECK(!good("GET / HTTP/1.0\r\n" END).head.is_kept);
    CHECK(good("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n" END).head.is_kept);
}

TEST(a_body_may_wait_for_our_word) {
    CHECK(good("POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nExpect: 100-Continue\r\n" END)
              .expects_continue);
    CHECK(!good("POST / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n" END).expects_continue);
    CHECK(!good("POST / HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\n" END)
               .expects_continue);
    CHECK(status_with("Expect: something\r\n") == 417);
    CHECK(status_with("Expect: 100-continue\r\nExpect: 100-continue\r\n") == 400);
}

static ReplyHead good_reply(const char *text, bool is_to_head) {
    ReplyHead head = {};
    CHECK(head_read_reply(str_from(text), is_to_head, &head).status == 0);
    return head;
}

TEST(a_reply_has_a_status_and_a_body_or_none) {
    ReplyHead head = good_reply("HTTP/1.1 200 OK\r\n" END, false);
    CHECK(head.status == 200 && head.head.body == BODY_TO_END && !head.head.is_kept);
    head = good_reply("HTTP/1.1 200 OK\r\n" END, true);
    CHECK(head.head.body == BODY_NONE && head.head.is_kept);
    head = good_reply("HTTP/1.1 304\r\nContent-Length: 9\r\n" END, false);
    CHECK(head.head.body == BODY_NONE && head.head.is_kept);
    head = good_reply("HTTP/1.0 204 No Content\r\n" END, false);
    CHECK(head.head.body == BODY_NONE && !head.head.is_kept);
    head = good_reply("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n" END, false);
    CHECK(head.head.body == BODY_LENGTH && head.head.length == 2 && head.head.is_kept);
    head = good_reply("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n" END,
                      false);
    CHECK(head.head.body == BODY_CHUNKED && !head.head.is_kept);
    static const char *const bad[] = {
        "HTTP/1.1 20 OK\r\n" END,
        "HTTP/1.1  200 OK\r\n" END,
        "HTTP/1.1 2000 OK\r\n" END,
        "HTTP/1.1 099 x\r\n" END,
        "HTTP/1.1 600 x\r\n" END,
        "HTTP/2.0 200 OK\r\n" END,
        "ICY 200 OK\r\n" END,
        "HTTP/1.1\r\n" END,
        "HTTP/1.1 -20 OK\r\n" END,
        "HTTP/1.1 200 OK\r\nA b\r\n" END,
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK(head_read_reply(str_from(bad[i]), false, &head).status != 0);
}

TEST(a_retry_after_is_seconds) {
    ReplyHead head = good_reply("HTTP/1.1 503 x\r\nRetry-After: 17\r\n" END, false);
    CHECK(head_retry_after_s(&head.head.fields) == 17);
    head =
        good_reply("HTTP/1.1 503 x\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n" END, false);
    CHECK(head_retry_after_s(&head.head.fields) == 0);
}

TEST_MAIN(CASE(the_end_of_a_head_is_found_in_pieces),
          CASE(an_empty_line_in_front_is_skipped),
          CASE(lines_end_with_cr_lf_and_nothing_else),
          CASE(what_is_no_head_is_noticed_at_its_first_bytes),
          CASE(a_request_line_is_three_words_with_one_space_between_each_two),
          CASE(a_target_is_a_path_or_a_url),
          CASE(a_request_names_one_host),
          CASE(fields_are_a_name_a_colon_and_a_value),
          CASE(there_are_at_most_64_fields),
          CASE(a_body_has_one_length_or_chunks),
          CASE(a_connection_is_kept_unless_somebody_says_otherwise),
          CASE(a_body_may_wait_for_our_word),
          CASE(a_reply_has_a_status_and_a_body_or_none),
          CASE(a_retry_after_is_seconds))
