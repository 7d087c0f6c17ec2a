// SPDX-License-Identifier: Apache-2.0
/// For the tests of frames: bytes as a client sends them, and what the decoder makes of them as a
/// transcript: "message hello|". Each transcript is checked twice: byte by byte, and in one piece.
#pragma once

#include "http1/frame.h"

enum { FIN = 0x80, WIRE_MAX = 1 << 20, MESSAGE_MAX = 70'000 };

extern const uint8_t frame_mask[4];

/// What a client sends; a test adds frames to it.
typedef struct Wire {
    Text bytes;
} Wire;

/// Nothing yet.
Wire wire_new(void);
/// Free it; expect does so too.
void wire_done(Wire *wire);
/// Add a masked frame with any first byte; lengths below 126 or in 16 bits.
void add(Wire *wire, int first, Str payload);
/// The bytes give this transcript under this limit of a message. Frees the wire.
void expect_up_to(uint32_t message_max, Wire *wire, const char *transcript);
/// The same under MESSAGE_MAX.
void expect(Wire *wire, const char *transcript);
/// One frame alone gives this transcript.
void expect_frame(int first, Str payload, const char *transcript);
