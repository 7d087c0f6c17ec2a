// SPDX-License-Identifier: Apache-2.0
// The first byte chooses HEAD or not and the size of the pieces; whole and in pieces must agree.
#include "http1/http1_parse.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BODY_MAX = 4096 };

/// A checksum of a body, so that it does not matter how it was cut.
typedef struct Sum {
    size_t len;
    uint64_t sum;
} Sum;

static Err body_add(void *app, Str part) {
    Sum *sum = app;
    for (size_t i = 0; i < part.len && sum->len < BODY_MAX; i++, sum->len++)
        sum->sum = sum->sum * 31 + (uint8_t)part.ptr[i];
    return sum->len < BODY_MAX ? SUCCESS : FAIL(ERR_LIMIT, "large");
}

/// Where a parse ended and how.
typedef struct Outcome {
    Sum body;
    ErrCode code;
    uint32_t status;
    uint64_t retry_after_s;
    size_t left;
    bool is_complete, is_kept;
} Outcome;

static Outcome run(Str input, size_t piece, bool is_to_head) {
    Outcome outcome = {};
    Http1Parse parse;
    Err err = SUCCESS;
    http1_parse_init(&parse, is_to_head, body_add, &outcome.body);
    while (input.len && err.code == OK && !parse.is_complete) {
        Str part = str_slice(input, 0, piece);
        size_t given = part.len;
        err = http1_parse(&parse, &part);
        assert(part.len <= given && (part.len == 0 || parse.is_complete || err.code != OK));
        input = str_slice(input, given - part.len, input.len);
    }
    outcome.left = err.code == OK ? input.len : 0;
    if (err.code == OK && !parse.is_complete) err = http1_parse_end(&parse);
    http1_parse_done(&parse);
    outcome.code = err.code;
    outcome.is_complete = parse.is_complete;
    if (!parse.is_complete) return outcome;
    assert(err.code == OK && parse.status >= 200 && parse.status <= 599);
    outcome.status = parse.status;
    outcome.retry_after_s = parse.retry_after_s;
    outcome.is_kept = parse.is_kept;
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) return 0;
    Str input = {(const char *)data + 1, size - 1};
    Outcome whole = run(input, input.len, data[0] & 1);
    Outcome pieces = run(input, 1 + data[0] / 16, data[0] & 1);
    assert(whole.code == pieces.code && whole.is_complete == pieces.is_complete);
    assert(whole.status == pieces.status && whole.retry_after_s == pieces.retry_after_s);
    assert(whole.is_kept == pieces.is_kept && whole.left == pieces.left);
    if (whole.is_complete) assert(whole.body.sum == pieces.body.sum);
    return 0;
}
