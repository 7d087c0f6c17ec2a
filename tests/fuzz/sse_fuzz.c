// SPDX-License-Identifier: Apache-2.0
// Any bytes as a stream of events: cut in two anywhere, it is the same; and what is read of it is
// written and read again without a change. The first byte says where it is cut.
#include "base/scope.h"
#include "http1/sse.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { EVENT_MAX = 4096, ALL_MAX = 1 << 20 };

/// Written again: what `input` has of events. False: one is too long.
static bool take(SseReader *reader, Str input, Text *all) {
    while (input.len > 0) {
        bool is_event = false;
        Err err = sse_read(reader, &input, &is_event);
        assert(err.code == OK || err.code == ERR_LIMIT);
        if (err.code != OK) return false;
        if (is_event) sse_add(all, &reader->event);
    }
    return true;
}

static bool read_all(Str first, Str rest, Text *all) {
    SseReader reader;
    text_init(all, ALL_MAX);
    sse_reader_init(&reader, EVENT_MAX);
    bool is_read = take(&reader, first, all) && take(&reader, rest, all);
    sse_reader_done(&reader);
    return is_read;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    Str bytes = {(const char *)data + 1, size - 1};
    SCOPED(text_done) Text whole, cut, again;
    bool is_read = read_all(bytes, S(""), &whole);
    bool is_cut_read =
        read_all(str_slice(bytes, 0, data[0]), str_slice(bytes, data[0], SIZE_MAX), &cut);
    assert(is_read == is_cut_read);
    assert(str_eq(text_str(&whole), text_str(&cut)));
    read_all(text_str(&whole), S(""), &again);
    if (whole.failed == OK) assert(str_eq(text_str(&whole), text_str(&again)));
    return 0;
}
