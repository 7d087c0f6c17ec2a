// SPDX-License-Identifier: Apache-2.0
#include "http1/sse.h"

#include "base/scope.h"
#include "test.h"

#include <string.h>

enum { EVENT_MAX = 100, SAID_MAX = 4096 };

/// What a reader hears of `bytes`, cut into parts of so many: "id|name|data;" for each event.
static void hear(SseReader *reader, Str bytes, size_t part, Text *said) {
    for (size_t from = 0; from < bytes.len; from += part) {
        Str input = str_slice(bytes, from, from + part);
        while (input.len > 0) {
            bool is_event;
            CHECK_OK(sse_read(reader, &input, &is_event));
            if (is_event)
                text_print(said,
                           "%.*s|%.*s|%.*s;",
                           STR_FMT(reader->event.id),
                           STR_FMT(reader->event.name),
                           STR_FMT(reader->event.data));
        }
    }
}

TEST(a_stream_is_read_as_the_standard_says_however_it_is_cut) {
    static const struct {
        const char *bytes, *said;
    } rows[] = {
        {"data: a\n\n",                                              "|message|a;"                                                       },
        {"data: YHOO\ndata: +2\ndata: 10\n\n",                       "|message|YHOO\n+2\n10;"                                            },
        {": test stream\n\ndata: first event\nid: 1\n\n"
         "data:second event\nid\n\ndata:  third event\n\n", "1|message|first event;|message|second event;|message| third event;"},
        {"data\n\ndata\ndata\n\ndata:",                              "|message|;|message|\n;"                                            },
        {"data:test\n\ndata: test\n\n",                              "|message|test;|message|test;"                                      },
        {"event: add\ndata: 7\n\n",                                  "|add|7;"                                                           },
        {"event: add\n\ndata: 7\n\n",                                "|message|7;"                                                       },
        {"id: 5\n\ndata: a\r\rdata: b\r\n\r\n",                      "5|message|a;5|message|b;"                                          },
        {"\xef\xbb\xbf"
         "data: a\n\n",                                     "|message|a;"                                                       },
        {"\n\xef\xbb\xbf"
         "data: a\n\n",                                     ""                                                                  },
        {"other: x\nDATA: x\n:data: x\n\n",                          ""                                                                  },
        {"data: never ended",                                        ""                                                                  },
        {"retry: 70\nretry: x\ndata: a:b\n\n",                       "|message|a:b;"                                                     },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t part = 1; part <= strlen(rows[i].bytes); part++) {
            SseReader reader;
            SCOPED(text_done) Text said;
            text_init(&said, SAID_MAX);
            sse_reader_init(&reader, EVENT_MAX);
            hear(&reader, str_from(rows[i].bytes), part, &said);
            CHECK_STR(text_str(&said), str_from(rows[i].said));
            if (strstr(rows[i].bytes, "retry")) CHECK(reader.retry_ms == 70);
            sse_reader_done(&reader);
        }
    }
}

TEST(what_is_written_is_read) {
    static const struct {
        SseEvent event;
        const char *text;
    } rows[] = {
        {{S("7"), S("removed"), S("{}")}, "id: 7\nevent: removed\ndata: {}\n\n"           },
        {{.data = S("a\nb\r\nc\rd\n")},   "data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n"},
        {{.data = S("")},                 "data: \n\n"                                    },
        {{.id = S("9")},                  "id: 9\n\n"                                     },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        SCOPED(text_done) Text out;
        text_init(&out, SAID_MAX);
        sse_add(&out, &rows[i].event);
        CHECK_STR(text_str(&out), str_from(rows[i].text));
    }
    SCOPED(text_done) Text out;
    text_init(&out, SAID_MAX);
    sse_add_retry(&out, 2000);
    sse_add_comment(&out, S("still here"));
    CHECK_STR(text_str(&out), S("retry: 2000\n: still here\n"));
}

TEST(what_is_half_read_is_forgotten_and_its_place_is_not) {
    SseReader reader;
    SCOPED(text_done) Text said;
    text_init(&said, SAID_MAX);
    sse_reader_init(&reader, EVENT_MAX);
    hear(&reader, S("retry: 5\nid: 3\ndata: a\n\nevent: x\ndata: b\nid: 4\nda"), 100, &said);
    sse_reader_again(&reader);
    CHECK_STR(str_from(reader.last_id), S("3"));
    hear(&reader, S("data: c\n\n"), 100, &said);
    CHECK_STR(text_str(&said), S("3|message|a;3|message|c;"));
    CHECK(reader.retry_ms == 5);
    sse_reader_done(&reader);
}

TEST(an_id_that_is_none_leaves_the_one_before) {
    char bytes[2 * SSE_ID_MAX] = "id: ";
    SseReader reader;
    Str input = {"id: 1\nid: a\0b\n", 14};
    bool is_event;
    sse_reader_init(&reader, EVENT_MAX);
    CHECK_OK(sse_read(&reader, &input, &is_event));
    memset(bytes + 4, '9', SSE_ID_MAX + 1);
    input = (Str){bytes, 4 + SSE_ID_MAX + 1};
    CHECK_OK(sse_read(&reader, &input, &is_event));
    input = S("\n\n");
    CHECK_OK(sse_read(&reader, &input, &is_event));
    CHECK_STR(str_from(reader.last_id), S("1"));
    sse_reader_done(&reader);
}

TEST(an_event_without_end_is_a_failure) {
    static const char *const rows[] = {
        "data: 0123456789012345678901234567890123456789\n",
        "data: 01234567890123456789012345678901234567890123456789",
        "event: 0123456789012345678901234567890123456789",
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        SseReader reader;
        Err err = SUCCESS;
        sse_reader_init(&reader, EVENT_MAX);
        for (int round = 0; round < 10 && err.code == OK; round++) {
            Str input = str_from(rows[i]);
            bool is_event = false;
            err = sse_read(&reader, &input, &is_event);
            CHECK(!is_event);
        }
        CHECK_ERR(err, ERR_LIMIT);
        sse_reader_done(&reader);
    }
}

TEST_MAIN(CASE(a_stream_is_read_as_the_standard_says_however_it_is_cut),
          CASE(what_is_written_is_read),
          CASE(what_is_half_read_is_forgotten_and_its_place_is_not),
          CASE(an_id_that_is_none_leaves_the_one_before),
          CASE(an_event_without_end_is_a_failure))
