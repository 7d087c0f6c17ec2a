// SPDX-License-Identifier: Apache-2.0
/// WebSocket framing (RFC 6455 section 5), pure: bytes in, events out, no I/O.
///
/// One decoder for both ends. It takes bytes in pieces of any size, joins fragments, lets control
/// frames come in between, and refuses at the first byte that cannot be right: reserved bits and
/// opcodes, a mask that is missing or too much, lengths that are not in their shortest form, text
/// that is not UTF-8, close codes that may not be sent, messages over the limit, binary messages
/// (this protocol has none). Between messages a decoder holds no memory beyond its struct.
#pragma once

#include "base/text.h"

enum {
    FRAME_CONTROL_MAX = 125, ///< payload of a ping, pong or close
    FRAME_HEAD_MAX = 14,     ///< two bytes, eight of length, four of mask
};

typedef enum FrameOpcode {
    FRAME_CONTINUATION = 0,
    FRAME_TEXT = 1,
    FRAME_BINARY = 2,
    FRAME_CLOSE = 8,
    FRAME_PING = 9,
    FRAME_PONG = 10,
} FrameOpcode;

/// Close codes that we send (RFC 6455 section 7.4.1).
typedef enum FrameStatus {
    FRAME_NORMAL = 1000,
    FRAME_GOING_AWAY = 1001,
    FRAME_PROTOCOL_ERROR = 1002,
    FRAME_UNSUPPORTED = 1003,
    FRAME_NO_STATUS = 1005, ///< never on the wire: the close frame was empty
    FRAME_BAD_TEXT = 1007,
    FRAME_POLICY = 1008,
    FRAME_TOO_BIG = 1009,
    FRAME_INTERNAL = 1011,
    FRAME_TRY_LATER = 1013, ///< of IANA's registry
} FrameStatus;

typedef struct FrameEvent {
    enum {
        FRAME_EVENT_NONE, ///< everything was taken, more is needed
        FRAME_EVENT_MESSAGE,
        FRAME_EVENT_PING, ///< to be answered by a pong with the same payload
        FRAME_EVENT_PONG,
        FRAME_EVENT_CLOSE,
        FRAME_EVENT_FAULT, ///< to be answered by a close with `status`; nothing more is decoded
    } kind;
    Str payload;     ///< message, ping, pong or close reason; borrowed until the next call
    uint16_t status; ///< CLOSE: what the peer sent or FRAME_NO_STATUS; FAULT: what to answer
} FrameEvent;

/// How far the UTF-8 of a message is.
typedef struct FrameUtf8 {
    uint8_t need;      ///< continuation bytes that are missing
    uint8_t low, high; ///< bounds of the next one
} FrameUtf8;

typedef struct FrameDecoder {
    bool is_server;       ///< frames come masked
    bool in_payload;      ///< the head of a frame is complete
    bool in_message;      ///< a fragment was not the last
    bool is_delivered;    ///< `message` was given out
    uint16_t fault;       ///< 0: none yet
    uint8_t head_len;     ///< bytes in `head`
    uint8_t control_len;  ///< bytes in `control`
    uint32_t message_max; ///< bytes
    uint8_t head[FRAME_HEAD_MAX];
    uint8_t control[FRAME_CONTROL_MAX];
    FrameUtf8 utf8;
    uint64_t payload_len; ///< of this frame
    uint64_t payload_at;  ///< bytes of it that were taken
    char *message;        ///< malloc'ed; NULL between messages
    size_t message_len;
    size_t message_capacity;
} FrameDecoder;

/// A decoder at the start of a connection. `is_server`: we are the server, the peer is a client.
void frame_decoder_init(FrameDecoder *decoder, bool is_server, uint32_t message_max);
/// Free what a half-read message holds. The decoder may be used no more.
void frame_decoder_done(FrameDecoder *decoder);
/// From now on a message may have so many bytes. Only between messages, and never fewer than
/// before.
void frame_raise(FrameDecoder *decoder, uint32_t message_max);
/// The last message was handled: free it now instead of with the next call.
void frame_forget(FrameDecoder *decoder);
/// A message has begun, and its last byte has not come.
bool frame_is_begun(const FrameDecoder *decoder);
/// Take bytes from the front of `input` up to the next event.
FrameEvent frame_decode(FrameDecoder *decoder, Str *input);

/// Append a frame that is a whole message or a control frame. `mask`: four random bytes on a
/// client, NULL on a server.
void frame_encode(Text *out, FrameOpcode opcode, Str payload, const uint8_t mask[4]);
/// Append a close frame; `status` FRAME_NO_STATUS makes an empty one. A long reason is cut.
void frame_encode_close(Text *out, uint16_t status, Str reason, const uint8_t mask[4]);
