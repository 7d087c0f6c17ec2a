// SPDX-License-Identifier: Apache-2.0
/// The progress of a pull: however the stream is cut, it means the same.
#include "agent/engine/pull.h"

#include <assert.h>

static bool failed_in_pieces(Str stream, size_t piece) {
    PullProgress pull;
    pull_init(&pull);
    for (size_t at = 0; at < stream.len; at += piece)
        pull_feed(&pull, str_slice(stream, at, at + piece));
    pull_end(&pull);
    bool failed = pull.failed;
    pull_done(&pull);
    return failed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    Str stream = {(const char *)data + 1, size - 1};
    bool whole = failed_in_pieces(stream, stream.len + 1);
    assert(failed_in_pieces(stream, data[0] + 1u) == whole);
    return 0;
}
