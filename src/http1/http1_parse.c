// SPDX-License-Identifier: Apache-2.0
#include "http1/http1_parse.h"

#include <assert.h>

void http1_parse_init(Http1Parse *parse,
                      bool is_to_head,
                      Err (*body)(void *app, Str part),
                      void *app) {
    *parse = (Http1Parse){.is_to_head = is_to_head, .body = body, .app = app};
    text_init(&parse->head, HTTP1_HEAD_MAX);
}

void http1_parse_done(Http1Parse *parse) {
    text_done(&parse->head);
}

static Err parse_head_read(Http1Parse *parse, Str bytes) {
    ReplyHead head;
    if (head_read_reply(bytes, parse->is_to_head, &head).status)
        return FAIL(ERR_INVALID, "the peer does not speak HTTP/1.1");
    if (head.status == 101) return FAIL(ERR_INVALID, "the peer switched to another protocol");
    parse->status = head.status;
    parse->retry_after_s = head_retry_after_s(&head.head.fields);
    text_clear(&parse->head);
    if (head.status < 200) return SUCCESS; // the reply itself is still to come
    parse->is_kept = head.head.is_kept;
    parse->in_body = true;
    body_init(&parse->reader, &head.head);
    parse->is_complete = body_is_done(&parse->reader);
    return SUCCESS;
}

/// Take bytes of a head, and read it when it is whole.
static Err parse_head_take(Http1Parse *parse, Str *input) {
    size_t before = parse->head.len;
    size_t room = HTTP1_HEAD_MAX - parse->head_bytes;
    size_t len = 0;
    text_add(&parse->head, str_slice(*input, 0, room));
    TRY(text_check(&parse->head));
    if (head_find(text_str(&parse->head), before, &len).status)
        return FAIL(ERR_INVALID, "the peer does not speak HTTP/1.1");
    size_t taken = (len ? len : parse->head.len) - before;
    parse->head_bytes += taken;
    *input = str_slice(*input, taken, input->len);
    if (len == 0 && parse->head_bytes == HTTP1_HEAD_MAX)
        return FAIL(ERR_LIMIT, "the reply's head is too large");
    if (len == 0) return SUCCESS;
    return parse_head_read(parse, str_slice(text_str(&parse->head), 0, len));
}

static Err parse_body_take(Http1Parse *parse, Str *input) {
    Str piece;
    Err err = body_take(&parse->reader, input, &piece);
    if (err.code == ERR_INVALID) return FAIL(ERR_INVALID, "the peer does not speak HTTP/1.1");
    TRY(err);
    if (piece.len > 0) TRY(parse->body(parse->app, piece));
    parse->is_complete = body_is_done(&parse->reader);
    return SUCCESS;
}

Err http1_parse(Http1Parse *parse, Str *input) {
    assert(!parse->is_complete);
    while (input->len > 0 && !parse->is_complete)
        TRY(parse->in_body ? parse_body_take(parse, input) : parse_head_take(parse, input));
    return SUCCESS;
}

Err http1_parse_end(Http1Parse *parse) {
    assert(!parse->is_complete);
    parse->is_kept = false;
    parse->is_complete = parse->in_body && parse->reader.form == BODY_TO_END;
    if (!parse->is_complete) return FAIL(ERR_UNAVAILABLE, "the connection broke in the reply");
    return SUCCESS;
}
