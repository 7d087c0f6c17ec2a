// SPDX-License-Identifier: Apache-2.0
#include "http1/frame_fixture.h"

#include <assert.h>
#include <stdio.h>

const uint8_t frame_mask[4] = {0x37, 0xfa, 0x21, 0x3d};

Wire wire_new(void) {
    Wire wire;
    text_init(&wire.bytes, WIRE_MAX);
    return wire;
}

void wire_done(Wire *wire) {
    text_done(&wire->bytes);
}

/// A masked frame with any first byte; lengths below 126 or in 16 bits.
void add(Wire *wire, int first, Str payload) {
    text_add_char(&wire->bytes, (char)first);
    if (payload.len < 126) {
        text_add_char(&wire->bytes, (char)(0x80 | payload.len));
    } else {
        text_add_char(&wire->bytes, (char)(0x80 | 126));
        text_add_char(&wire->bytes, (char)(payload.len >> 8));
        text_add_char(&wire->bytes, (char)payload.len);
    }
    text_add(&wire->bytes, (Str){(const char *)frame_mask, 4});
    for (size_t i = 0; i < payload.len; i++)
        text_add_char(&wire->bytes, (char)((uint8_t)payload.ptr[i] ^ frame_mask[i % 4]));
}

static void note(Text *log, FrameEvent event) {
    static const char *const names[] = {"none", "message", "ping", "pong", "close", "fault"};
    text_print(log, "%s", names[event.kind]);
    if (event.status) text_print(log, " %u", event.status);
    if (event.payload.len) text_print(log, " %.*s", STR_FMT(event.payload));
    text_add_char(log, '|');
}

/// Decode in pieces of `piece` bytes until the end, a close or a fault.
static void decode(Str bytes, size_t piece, uint32_t message_max, Text *log) {
    FrameDecoder decoder;
    frame_decoder_init(&decoder, true, message_max);
    for (size_t at = 0; at < bytes.len; at += piece) {
        Str input = str_slice(bytes, at, at + piece);
        FrameEvent event;
        while ((event = frame_decode(&decoder, &input)).kind != FRAME_EVENT_NONE) {
            note(log, event);
            if (event.kind >= FRAME_EVENT_CLOSE) {
                frame_decoder_done(&decoder);
                return;
            }
        }
        assert(input.len == 0);
    }
    frame_decoder_done(&decoder);
}

void expect_up_to(uint32_t message_max, Wire *wire, const char *transcript) {
    for (int whole = 0; whole < 2; whole++) {
        Text log;
        text_init(&log, WIRE_MAX);
        Str bytes = text_str(&wire->bytes);
        decode(bytes, whole ? bytes.len + 1 : 1, message_max, &log);
        if (!str_eq(text_str(&log), str_from(transcript)))
            fprintf(stderr, "got \"%s\", not \"%s\"\n", log.ptr, transcript);
        assert(str_eq(text_str(&log), str_from(transcript)));
        text_done(&log);
    }
    wire_done(wire);
}

void expect(Wire *wire, const char *transcript) {
    expect_up_to(MESSAGE_MAX, wire, transcript);
}

/// One frame alone gives this transcript.
void expect_frame(int first, Str payload, const char *transcript) {
    Wire wire = wire_new();
    add(&wire, first, payload);
    expect(&wire, transcript);
}
