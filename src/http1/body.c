// SPDX-License-Identifier: Apache-2.0
#include "http1/body.h"

#include "http1/head_parts.h"

#include <assert.h>

enum { SIZE_DIGITS_MAX = 15 };

void body_init(Body *body, const Head *head) {
    *body = (Body){.form = head->body, .left = head->length};
    if (head->body == BODY_CHUNKED) body->state = BODY_AT_SIZE;
    if (head->body == BODY_NONE || (head->body == BODY_LENGTH && head->length == 0))
        body->state = BODY_AT_END;
}

bool body_is_done(const Body *body) {
    return body->state == BODY_AT_END;
}

static int body_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static Err body_fail(void) {
    return FAIL(ERR_INVALID, "the chunks of a body are not well-formed");
}

static Err body_take_size(Body *body, char c) {
    int digit = body_digit(c);
    if (digit >= 0) {
        if (body->digits == SIZE_DIGITS_MAX) return body_fail();
        body->digits++;
        body->left = body->left * 16 + (uint64_t)digit;
        return SUCCESS;
    }
    if (body->digits == 0 || (c != ';' && c != '\r')) return body_fail();
    body->state = c == ';' ? BODY_AT_EXTENSION : BODY_AT_SIZE_LF;
    return SUCCESS;
}

/// Behind the LF of a chunk's size: its content, or the trailers.
static void body_enter_chunk(Body *body) {
    body->overhead = 0;
    body->digits = 0;
    body->state = body->left > 0 ? BODY_AT_DATA : BODY_AT_TRAILER;
}

static Err body_expect(Body *body, char c, char wanted, BodyState next) {
    if (c != wanted) return body_fail();
    body->state = next;
    return SUCCESS;
}

static bool body_is_control(char c) {
    return ((unsigned char)c < ' ' && c != '\t') || c == 0x7f;
}

static Err body_take_extension(Body *body, char c) {
    if (c == '\r')
        body->state = BODY_AT_SIZE_LF;
    else if (body_is_control(c))
        return body_fail();
    return SUCCESS;
}

static Err body_take_trailer(Body *body, char c) {
    if (body->state == BODY_AT_TRAILER && c == '\r') {
        body->state = BODY_AT_END_LF;
    } else if (body->state == BODY_AT_TRAILER_VALUE) {
        if (c == '\r')
            body->state = BODY_AT_TRAILER_LF;
        else if (body_is_control(c))
            return body_fail();
    } else if (body->state == BODY_AT_TRAILER_NAME && c == ':') {
        body->state = BODY_AT_TRAILER_VALUE;
    } else {
        if (!head_is_token((Str){&c, 1})) return body_fail();
        body->state = BODY_AT_TRAILER_NAME;
    }
    return SUCCESS;
}

/// A byte that is no content.
static Err body_take_byte(Body *body, char c) {
    assert(body->state != BODY_AT_DATA && body->state != BODY_AT_END);
    switch (body->state) {
    case BODY_AT_SIZE:
        return body_take_size(body, c);
    case BODY_AT_EXTENSION:
        return body_take_extension(body, c);
    case BODY_AT_SIZE_LF:
        TRY(body_expect(body, c, '\n', BODY_AT_DATA));
        body_enter_chunk(body);
        return SUCCESS;
    case BODY_AT_DATA_CR:
        return body_expect(body, c, '\r', BODY_AT_DATA_LF);
    case BODY_AT_DATA_LF:
        return body_expect(body, c, '\n', BODY_AT_SIZE);
    case BODY_AT_TRAILER:
    case BODY_AT_TRAILER_NAME:
    case BODY_AT_TRAILER_VALUE:
        return body_take_trailer(body, c);
    case BODY_AT_TRAILER_LF:
        return body_expect(body, c, '\n', BODY_AT_TRAILER);
    case BODY_AT_END_LF:
        return body_expect(body, c, '\n', BODY_AT_END);
    case BODY_AT_DATA:
    case BODY_AT_END:
        break;
    }
    return body_fail();
}

/// Content: all of it that is there.
static Str body_take_data(Body *body, Str *input) {
    bool is_bounded = body->form != BODY_TO_END;
    size_t len = is_bounded && body->left < input->len ? (size_t)body->left : input->len;
    Str piece = str_slice(*input, 0, len);
    *input = str_slice(*input, len, input->len);
    if (is_bounded) body->left -= len;
    if (is_bounded && body->left == 0)
        body->state = body->form == BODY_CHUNKED ? BODY_AT_DATA_CR : BODY_AT_END;
    return piece;
}

Err body_take(Body *body, Str *input, Str *ret_piece) {
    *ret_piece = (Str){};
    while (input->len > 0 && !body_is_done(body)) {
        if (body->state == BODY_AT_DATA) {
            *ret_piece = body_take_data(body, input);
            return SUCCESS;
        }
        if (++body->overhead > BODY_OVERHEAD_MAX)
            return FAIL(ERR_LIMIT, "the extensions or trailers of a body are too long");
        TRY(body_take_byte(body, input->ptr[0]));
        *input = str_slice(*input, 1, input->len);
    }
    return SUCCESS;
}
