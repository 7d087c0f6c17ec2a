// SPDX-License-Identifier: Apache-2.0
#include "http1/body.h"

#include "base/scope.h"
#include "base/text.h"
#include "test.h"

#include <string.h>

/// What came out of some bytes.
typedef struct Outcome {
    Err err;
    bool is_done;
    size_t left; ///< bytes behind the body
} Outcome;

/// Read in pieces of so many bytes; the content goes to `content`.
static Outcome run(const Head *head, Str input, size_t piece, Text *content) {
    Body body;
    Outcome outcome = {};
    body_init(&body, head);
    text_clear(content);
    while (input.len > 0 && outcome.err.code == OK && !body_is_done(&body)) {
        Str part = str_slice(input, 0, piece);
        size_t given = part.len;
        Str taken;
        outcome.err = body_take(&body, &part, &taken);
        text_add(content, taken);
        input = str_slice(input, given - part.len, input.len);
    }
    outcome.is_done = body_is_done(&body);
    outcome.left = input.len;
    return outcome;
}

static void check(Head head, const char *input, ErrCode code, bool is_done, const char *content) {
    SCOPED(text_done) Text text;
    text_init(&text, 64 * 1024);
    Str bytes = str_from(input);
    for (size_t piece = 1; piece <= bytes.len; piece++) {
        Outcome outcome = run(&head, bytes, piece, &text);
        CHECK(outcome.err.code == code && outcome.is_done == is_done);
        CHECK(!content || str_eq(text_str(&text), str_from(content)));
        CHECK(!is_done || outcome.left == 0);
    }
}

static void chunks(const char *input, const char *content) {
    check((Head){.body = BODY_CHUNKED}, input, OK, true, content);
}

static void no_chunks(const char *input) {
    check((Head){.body = BODY_CHUNKED}, input, ERR_INVALID, false, NULL);
}

TEST(a_length_says_where_it_ends) {
    Head head = {.body = BODY_LENGTH, .length = 5};
    check(head, "hello", OK, true, "hello");
    check(head, "hell", OK, false, "hell");
    SCOPED(text_done) Text text;
    text_init(&text, 64);
    CHECK(run(&head, S("hello again"), 100, &text).left == 6);
    CHECK_STR(text_str(&text), S("hello"));
    Body body;
    body_init(&body, &(Head){.body = BODY_LENGTH});
    CHECK(body_is_done(&body));
    body_init(&body, &(Head){.body = BODY_NONE, .length = 3});
    CHECK(body_is_done(&body));
}

TEST(without_an_end_of_its_own_it_goes_on) {
    check((Head){.body = BODY_TO_END}, "hello\r\n\r\n", OK, false, "hello\r\n\r\n");
}

TEST(chunks_are_put_together) {
    chunks("0\r\n\r\n", "");
    chunks("5\r\nhello\r\n0\r\n\r\n", "hello");
    chunks("3\r\nhel\r\n02\r\nlo\r\n000\r\n\r\n", "hello");
    chunks("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789");
    chunks("5;a=b;c=\"d e\"\r\nhello\r\n0;x\r\n\r\n", "hello");
    chunks("2\r\n\r\n\r\n0\r\n\r\n", "\r\n");
    chunks("1\r\na\r\n0\r\nTrailer: x\r\nOther:\r\n\r\n", "a");
    check((Head){.body = BODY_CHUNKED}, "5\r\nhel", OK, false, "hel");
}

TEST(what_is_behind_the_last_chunk_is_left_alone) {
    SCOPED(text_done) Text text;
    text_init(&text, 64);
    Outcome outcome = run(&(Head){.body = BODY_CHUNKED}, S("0\r\n\r\nGET /"), 100, &text);
    CHECK(outcome.is_done && outcome.left == 5);
}

TEST(doubtful_chunks_are_refused) {
    static const char *const bad[] = {
        "\r\n",
        "x\r\n",
        "-1\r\na",
        "+1\r\na",
        "0x1\r\na",
        " 1\r\na",
        "1 \r\na",
        "1\na\r\n",
        "1\r\na\n0\r\n\r\n",
        "1\r\nab\r\n0\r\n\r\n",
        "1\r\na0\r\n\r\n",
        "1\ra\r\n",
        "1;\n\r\na",
        "1;a\x01\r\na",
        "1;a\rb",
        "0\r\n\n",
        "0\r\n\rx",
        "0\r\n folded\r\n\r\n",
        "0\r\nA : b\r\n\r\n",
        "0\r\nname\r\n\r\n",
        "0\r\n: b\r\n\r\n",
        "0\r\nA: b\n\r\n",
        "0\r\nA: b\x7f\r\n\r\n",
        "1234567890abcdef\r\n", // 16 digits
        "0000000000000001\r\n",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        no_chunks(bad[i]);
}

/// `text` with `len` times the same byte in the middle.
static Err stretched(const char *before, size_t len, const char *after, bool *ret_is_done) {
    SCOPED(text_done) Text input;
    SCOPED(text_done) Text content;
    text_init(&input, 64 * 1024);
    text_init(&content, 64 * 1024);
    text_add(&input, str_from(before));
    for (size_t i = 0; i < len; i++)
        text_add_char(&input, 'x');
    text_add(&input, str_from(after));
    Outcome outcome = run(&(Head){.body = BODY_CHUNKED}, text_str(&input), 1000, &content);
    *ret_is_done = outcome.is_done;
    return outcome.err;
}

TEST(what_is_no_content_is_bounded) {
    bool is_done = false;
    CHECK_OK(stretched("0;", BODY_OVERHEAD_MAX / 2, "\r\n\r\n", &is_done));
    CHECK(is_done);
    CHECK_ERR(stretched("0;", BODY_OVERHEAD_MAX, "\r\n\r\n", &is_done), ERR_LIMIT);
    CHECK_OK(stretched("0\r\nA: ", BODY_OVERHEAD_MAX / 2, "\r\n\r\n", &is_done));
    CHECK(is_done);
    CHECK_ERR(stretched("0\r\nA: ", BODY_OVERHEAD_MAX, "\r\n\r\n", &is_done), ERR_LIMIT);
}

TEST_MAIN(CASE(a_length_says_where_it_ends),
          CASE(without_an_end_of_its_own_it_goes_on),
          CASE(chunks_are_put_together),
          CASE(what_is_behind_the_last_chunk_is_left_alone),
          CASE(doubtful_chunks_are_refused),
          CASE(what_is_no_content_is_bounded))
