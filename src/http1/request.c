// SPDX-License-Identifier: Apache-2.0
#include "http1/request.h"

void request_init(RequestReader *reader) {
    *reader = (RequestReader){};
    text_init(&reader->bytes, REQUEST_HEAD_MAX);
}

void request_done(RequestReader *reader) {
    text_done(&reader->bytes);
}

void request_again(RequestReader *reader) {
    request_done(reader);
    request_init(reader);
}

bool request_is_begun(const RequestReader *reader) {
    return reader->at == REQUEST_AT_BODY
           || (reader->at == REQUEST_AT_HEAD && reader->bytes.len > 0);
}

bool request_is_whole(const RequestReader *reader) {
    return reader->at == REQUEST_AT_END
           || (reader->at == REQUEST_AT_BODY && body_is_done(&reader->body));
}

Str request_head_text(const RequestReader *reader) {
    return str_slice(text_str(&reader->bytes), 0, reader->head_len);
}

static RequestEvent request_fail(RequestReader *reader, HeadVerdict verdict) {
    reader->fault = verdict;
    return (RequestEvent){.kind = REQUEST_EVENT_FAULT, .verdict = verdict};
}

/// As much of the input as a head may still have.
static Str request_head_part(const RequestReader *reader, Str input) {
    return str_slice(input, 0, REQUEST_HEAD_MAX - reader->bytes.len);
}

static RequestEvent request_take_head(RequestReader *reader, Str *input) {
    size_t seen = reader->bytes.len, len = 0;
    Str part = request_head_part(reader, *input);
    text_add(&reader->bytes, part);
    if (text_check(&reader->bytes).code != OK)
        return request_fail(reader, (HeadVerdict){503, "out of memory"});
    HeadVerdict verdict = head_find(text_str(&reader->bytes), seen, &len);
    if (verdict.status) return request_fail(reader, verdict);
    *input = str_slice(*input, len ? len - seen : part.len, input->len);
    if (len == 0 && reader->bytes.len == REQUEST_HEAD_MAX)
        return request_fail(reader, (HeadVerdict){431, "the head is too long"});
    if (len == 0) return (RequestEvent){};
    verdict = head_read_request(str_slice(text_str(&reader->bytes), 0, len), &reader->head);
    if (verdict.status) return request_fail(reader, verdict);
    reader->head_len = len;
    body_init(&reader->body, &reader->head.head);
    reader->at = REQUEST_AT_BODY;
    return (RequestEvent){.kind = REQUEST_EVENT_HEAD};
}

static RequestEvent request_take_body(RequestReader *reader, Str *input) {
    Str piece = {};
    while (!body_is_done(&reader->body)) {
        if (input->len == 0) return (RequestEvent){};
        Err err = body_take(&reader->body, input, &piece);
        if (err.code != OK) return request_fail(reader, (HeadVerdict){400, err.what});
        if (piece.len > 0) return (RequestEvent){.kind = REQUEST_EVENT_PIECE, .piece = piece};
    }
    reader->at = REQUEST_AT_END;
    return (RequestEvent){.kind = REQUEST_EVENT_END};
}

RequestEvent request_take(RequestReader *reader, Str *input) {
    if (reader->fault.status)
        return (RequestEvent){.kind = REQUEST_EVENT_FAULT, .verdict = reader->fault};
    if (reader->at == REQUEST_AT_END) return (RequestEvent){};
    if (reader->at == REQUEST_AT_BODY) return request_take_body(reader, input);
    return input->len > 0 ? request_take_head(reader, input) : (RequestEvent){};
}
