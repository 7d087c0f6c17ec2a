// SPDX-License-Identifier: Apache-2.0
// Any bytes as requests in a row: the same are read in pieces as whole, and what is read of a body
// lies within what went in. The first byte is the pieces' size.
#include "http1/request.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/// What came of the bytes; of bodies only how much.
typedef struct Outcome {
    uint64_t heads, ends, content;
    uint16_t fault;
    bool is_begun;
} Outcome;

/// False: nothing more comes of this input.
static bool take(RequestReader *reader, Str *input, Outcome *outcome) {
    Str before = *input;
    RequestEvent event = request_take(reader, input);
    assert(input->len <= before.len);
    outcome->heads += event.kind == REQUEST_EVENT_HEAD;
    outcome->content += event.piece.len;
    if (event.kind == REQUEST_EVENT_PIECE)
        assert(event.piece.ptr >= before.ptr
               && event.piece.ptr + event.piece.len <= before.ptr + before.len);
    if (event.kind == REQUEST_EVENT_FAULT) outcome->fault = event.verdict.status;
    if (event.kind == REQUEST_EVENT_END) {
        outcome->ends++;
        request_again(reader);
    }
    return event.kind != REQUEST_EVENT_NONE && event.kind != REQUEST_EVENT_FAULT;
}

static Outcome run(Str bytes, size_t piece) {
    Outcome outcome = {};
    RequestReader reader;
    request_init(&reader);
    while (bytes.len > 0 && !outcome.fault) {
        Str input = str_slice(bytes, 0, piece);
        bytes = str_slice(bytes, piece, bytes.len);
        while (take(&reader, &input, &outcome)) {
        }
        assert(outcome.fault || input.len == 0);
    }
    outcome.is_begun = request_is_begun(&reader);
    request_done(&reader);
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) return 0;
    Str bytes = {(const char *)data + 1, size - 1};
    Outcome whole = run(bytes, bytes.len), pieces = run(bytes, 1 + data[0] % 64);
    assert(whole.heads == pieces.heads && whole.ends == pieces.ends);
    assert(whole.fault == pieces.fault && whole.heads - whole.ends <= 1);
    if (!whole.fault) assert(whole.content == pieces.content && whole.is_begun == pieces.is_begun);
    return 0;
}
