// SPDX-License-Identifier: Apache-2.0
// The first byte chooses the end and the size of the pieces; whole and in pieces must agree.
#include "http1/frame.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MESSAGE_MAX = 4096 };

/// A checksum of all events up to the first close or fault.
static uint64_t decode(bool is_server, Str bytes, size_t piece) {
    FrameDecoder decoder;
    frame_decoder_init(&decoder, is_server, MESSAGE_MAX);
    uint64_t sum = 0;
    bool is_over = false;
    for (size_t at = 0; at < bytes.len && !is_over; at += piece) {
        Str input = str_slice(bytes, at, at + piece);
        FrameEvent event;
        while (!is_over && (event = frame_decode(&decoder, &input)).kind != FRAME_EVENT_NONE) {
            assert(event.payload.len <= MESSAGE_MAX);
            sum = sum * 31 + event.kind * 7U + event.status + event.payload.len;
            for (size_t i = 0; i < event.payload.len; i++)
                sum = sum * 31 + (uint8_t)event.payload.ptr[i];
            is_over = event.kind >= FRAME_EVENT_CLOSE;
        }
    }
    frame_decoder_done(&decoder);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) return 0;
    Str bytes = {(const char *)data + 1, size - 1};
    bool is_server = data[0] & 1;
    uint64_t whole = decode(is_server, bytes, bytes.len);
    uint64_t pieces = decode(is_server, bytes, 1 + data[0] / 16);
    assert(whole == pieces);
    return 0;
}
