// SPDX-License-Identifier: Apache-2.0
// Any bytes as a request's head and the body behind it: found and read the same in pieces as
// whole, and texts that come out lie within what went in. The first byte is the pieces' size.
#include "http1/body.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_within(Str text, Str head) {
    if (text.ptr) assert(text.ptr >= head.ptr && text.ptr + text.len <= head.ptr + head.len);
}

static void check_head(const RequestHead *head, Str bytes) {
    check_within(head->method, bytes);
    check_within(head->host, bytes);
    check_within(head->query, bytes);
    assert(head->path.len > 0 && (head->path.ptr[0] == '/' || head->path.ptr[0] == '*'));
    assert(head->method.len > 0 && head->method.len <= HEAD_METHOD_MAX);
    assert(head->head.fields.count <= HEAD_FIELDS_MAX);
    for (size_t i = 0; i < head->head.fields.count; i++) {
        check_within(head->head.fields.items[i].name, bytes);
        check_within(head->head.fields.items[i].value, bytes);
    }
    assert(head->head.minor == 0 || head->host.ptr);
    assert(head->head.body != BODY_TO_END);
}

/// Where a body ended and how.
typedef struct Outcome {
    ErrCode code;
    size_t content, left;
} Outcome;

static Outcome run(const Head *head, Str input, size_t piece) {
    Outcome outcome = {};
    Body body;
    body_init(&body, head);
    while (input.len > 0 && outcome.code == OK && !body_is_done(&body)) {
        Str part = str_slice(input, 0, piece);
        size_t given = part.len;
        Str taken;
        outcome.code = body_take(&body, &part, &taken).code;
        check_within(taken, input);
        outcome.content += taken.len;
        input = str_slice(input, given - part.len, input.len);
    }
    outcome.left = outcome.code == OK ? input.len : 0;
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) return 0;
    Str bytes = {(const char *)data + 1, size - 1};
    size_t piece = 1 + data[0] % 64, len = 0, in_pieces = 0;
    HeadVerdict whole = head_find(bytes, 0, &len);
    HeadVerdict pieces = {};
    for (size_t seen = 0; seen < bytes.len && !pieces.status && in_pieces == 0; seen += piece)
        pieces = head_find(str_slice(bytes, 0, seen + piece), seen, &in_pieces);
    assert(whole.status == pieces.status && len == in_pieces);
    RequestHead head;
    if (whole.status || len == 0) return 0;
    if (head_read_request(str_slice(bytes, 0, len), &head).status) return 0;
    check_head(&head, bytes);
    Str rest = str_slice(bytes, len, bytes.len);
    Outcome one = run(&head.head, rest, rest.len + 1);
    Outcome other = run(&head.head, rest, piece);
    assert(one.code == other.code && one.content == other.content && one.left == other.left);
    return 0;
}
