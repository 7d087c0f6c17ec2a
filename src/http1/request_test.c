// SPDX-License-Identifier: Apache-2.0
/// Requests in a row, in pieces of any size, and the heads of answers.
#include "http1/request.h"

#include "http1/reply.h"
#include "test.h"

#include <string.h>

enum { SAID_MAX = 4096 };

/// What a reader has made of bytes: "POST /a[hello] GET /b[] !400".
typedef struct Story {
    RequestReader reader;
    char said[SAID_MAX];
    size_t len;
    size_t heads;
} Story;

static void tell(Story *story, Str text) {
    CHECK(story->len + text.len < sizeof(story->said));
    memcpy(story->said + story->len, text.ptr, text.len);
    story->len += text.len;
}

/// False: nothing more comes of this input.
static bool hear(Story *story, Str *input) {
    char status[8];
    RequestEvent event = request_take(&story->reader, input);
    switch (event.kind) {
    case REQUEST_EVENT_NONE:
        return false;
    case REQUEST_EVENT_HEAD:
        if (story->heads++) tell(story, S(" "));
        tell(story, story->reader.head.method);
        tell(story, S(" "));
        tell(story, story->reader.head.path);
        tell(story, S("["));
        return true;
    case REQUEST_EVENT_PIECE:
        CHECK(event.piece.len > 0);
        tell(story, event.piece);
        return true;
    case REQUEST_EVENT_END:
        tell(story, S("]"));
        CHECK(request_take(&story->reader, input).kind == REQUEST_EVENT_NONE); // until it is asked
        CHECK(!request_is_begun(&story->reader));
        request_again(&story->reader);
        return true;
    case REQUEST_EVENT_FAULT:
        CHECK(event.verdict.detail);
        snprintf(status, sizeof(status), " !%u", event.verdict.status);
        tell(story, str_from(status));
        CHECK(request_take(&story->reader, input).kind == REQUEST_EVENT_FAULT);
        return false;
    }
    return false;
}

/// The story of bytes that come in pieces of this size.
static const char *story_of(Story *story, Str bytes, size_t piece) {
    *story = (Story){};
    request_init(&story->reader);
    while (bytes.len > 0 && !story->reader.fault.status) {
        Str input = str_slice(bytes, 0, piece);
        bytes = str_slice(bytes, piece, bytes.len);
        while (hear(story, &input)) {
        }
        CHECK(input.len == 0 || story->reader.fault.status);
    }
    story->said[story->len] = '\0';
    request_done(&story->reader);
    return story->said;
}

#define HOST "Host: x\r\n"

TEST(requests_in_a_row_are_told_apart_however_they_come) {
    static const struct {
        const char *bytes, *said;
    } rows[] = {
        {"GET /a HTTP/1.1\r\n" HOST "\r\n",                                                  "GET /a[]"               },
        {"GET /a HTTP/1.1\r\n" HOST "\r\nGET /b?c HTTP/1.1\r\n" HOST "\r\n",                 "GET /a[] GET /b[]"      },
        {"POST /a HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhelloGET /b HTTP/1.1\r\n" HOST
         "\r\n",                                                                    "POST /a[hello] GET /b[]"},
        {"POST /a HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n\r\nGET /b HTTP/1.0\r\n\r\n",
         "POST /a[] GET /b[]"                                                                                         },
        {"POST /a HTTP/1.1\r\n" HOST
         "Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nT: v\r\n\r\n"
         "GET /b HTTP/1.1\r\n" HOST "\r\n",
         "POST /a[hello] GET /b[]"                                                                                    },
        {"GET /a HTTP/1.1\r\n" HOST "\r\nnonsense\r\n\r\n",                                  "GET /a[] !400"          },
        {"POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nhelX",
         "POST /a[hel !400"                                                                                           },
        {"GET /a HTTP/2.0\r\n" HOST "\r\n",                                                  " !505"                  },
        {"GET /a HTTP/1.1\r\n" HOST HOST "\r\n",                                             " !400"                  },
        {"POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n",             " !501"                  },
        {"GET /a HTTP/1.1\n",                                                                " !400"                  },
    };
    static const size_t pieces[] = {1, 2, 3, 7, 64, SAID_MAX};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (size_t k = 0; k < sizeof(pieces) / sizeof(pieces[0]); k++) {
            static Story story;
            const char *said = story_of(&story, str_from(rows[i].bytes), pieces[k]);
            if (strcmp(said, rows[i].said) != 0)
                fail_msg("row %zu in pieces of %zu: %s", i, pieces[k], said);
        }
}

TEST(a_head_has_a_limit_whatever_follows) {
    static char bytes[2 * REQUEST_HEAD_MAX];
    static Story story;
    static const char begin[] = "GET / HTTP/1.1\r\n" HOST "X: ";
    static const char end[] = "\r\n\r\n";
    memset(bytes, 'x', sizeof(bytes));
    memcpy(bytes, begin, strlen(begin));
    memcpy(bytes + REQUEST_HEAD_MAX - strlen(end), end, strlen(end));
    CHECK_STR(str_from(story_of(&story, (Str){bytes, REQUEST_HEAD_MAX}, 1000)), S("GET /[]"));
    memset(bytes + REQUEST_HEAD_MAX - strlen(end), 'x', strlen(end));
    memcpy(bytes + REQUEST_HEAD_MAX - strlen(end) + 1, end, strlen(end));
    CHECK_STR(str_from(story_of(&story, (Str){bytes, REQUEST_HEAD_MAX + 1}, 1000)), S(" !431"));
    CHECK_STR(str_from(story_of(&story, (Str){bytes, sizeof(bytes)}, sizeof(bytes))), S(" !431"));
}

TEST(who_is_in_the_middle_of_a_request_is_known) {
    RequestReader reader;
    request_init(&reader);
    CHECK(!request_is_begun(&reader));
    Str input = S("POST / HT");
    CHECK(request_take(&reader, &input).kind == REQUEST_EVENT_NONE && request_is_begun(&reader));
    input = S("TP/1.1\r\n" HOST "Content-Length: 2\r\n\r\na");
    CHECK(request_take(&reader, &input).kind == REQUEST_EVENT_HEAD && request_is_begun(&reader));
    CHECK(request_take(&reader, &input).kind == REQUEST_EVENT_PIECE && request_is_begun(&reader));
    CHECK(request_take(&reader, &input).kind == REQUEST_EVENT_NONE && request_is_begun(&reader));
    request_done(&reader);
}

TEST(the_head_of_an_answer_says_what_the_client_must_know) {
    Text out;
    text_init(&out, 4096);
    const Time now = {784'111'777'000}; // RFC 9110 section 5.6.7
    reply_begin(&out,
                &(ReplyStart){.status = 200, .now = now, .length = 7, .is_kept = true, .minor = 1});
    reply_field(&out, "Content-Type", S("text/plain"));
    reply_field(&out, "Allow", (Str){});
    reply_field(&out, "X", S("a\r\nSet-Cookie: b"));
    reply_end(&out);
    CHECK_STR(text_str(&out),
              S("HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 7\r\n"
                "Content-Type: text/plain\r\nX: a  Set-Cookie: b\r\n\r\n"));
    ReplyHead head;
    CHECK(head_read_reply(text_str(&out), false, &head).status == 0);
    CHECK(head.status == 200 && head.head.length == 7 && head.head.is_kept);
    text_clear(&out);
    reply_begin(&out, &(ReplyStart){.status = 204, .now = now, .is_kept = false, .minor = 1});
    reply_end(&out);
    CHECK_STR(text_str(&out),
              S("HTTP/1.1 204 No Content\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                "Connection: close\r\n\r\n"));
    text_clear(&out);
    reply_begin(&out, &(ReplyStart){.status = 299, .now = now, .is_kept = true, .minor = 0});
    CHECK(str_ends(text_str(&out), S("Content-Length: 0\r\nConnection: keep-alive\r\n")));
    CHECK(str_starts(text_str(&out), S("HTTP/1.1 299 \r\n")));
    text_clear(&out);
    reply_continue(&out);
    CHECK(head_read_reply(text_str(&out), false, &head).status == 0 && head.status == 100);
    text_done(&out);
}

TEST_MAIN(CASE(requests_in_a_row_are_told_apart_however_they_come),
          CASE(a_head_has_a_limit_whatever_follows),
          CASE(who_is_in_the_middle_of_a_request_is_known),
          CASE(the_head_of_an_answer_says_what_the_client_must_know))
