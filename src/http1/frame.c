// SPDX-License-Identifier: Apache-2.0
#include "http1/frame.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    FINAL_BIT = 0x80,
    RESERVED_BITS = 0x70,
    OPCODE_BITS = 0x0f,
    MASK_BIT = 0x80,
    LENGTH_BITS = 0x7f,
    LENGTH_16 = 126, // the length follows in 16 bits
    LENGTH_64 = 127, // in 64 bits
    MASK_LEN = 4,
    MESSAGE_CAPACITY_MIN = 512,
    REASON_MAX = FRAME_CONTROL_MAX - 2,
};

void frame_decoder_init(FrameDecoder *decoder, bool is_server, uint32_t message_max) {
    *decoder = (FrameDecoder){.is_server = is_server, .message_max = message_max};
}

void frame_raise(FrameDecoder *decoder, uint32_t message_max) {
    assert(message_max >= decoder->message_max);
    decoder->message_max = message_max;
}

void frame_forget(FrameDecoder *decoder) {
    free(decoder->message);
    decoder->message = NULL;
    decoder->message_len = decoder->message_capacity = 0;
    decoder->is_delivered = false;
}

void frame_decoder_done(FrameDecoder *decoder) {
    frame_forget(decoder);
}

/// What may follow the first byte of a sequence (RFC 3629 section 4). False: it cannot be one.
static bool frame_utf8_start(FrameUtf8 *utf8, uint8_t byte) {
    if (byte < 0x80) return true;
    if (byte < 0xc2 || byte > 0xf4) return false;
    *utf8 = (FrameUtf8){.need = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1, .low = 0x80, .high = 0xbf};
    if (byte == 0xe0) utf8->low = 0xa0;  // else overlong
    if (byte == 0xf0) utf8->low = 0x90;  // else overlong
    if (byte == 0xed) utf8->high = 0x9f; // else a surrogate
    if (byte == 0xf4) utf8->high = 0x8f; // else beyond U+10FFFF
    return true;
}

/// Go on with `text`, which may end within a sequence.
static bool frame_utf8_step(FrameUtf8 *utf8, Str text) {
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = (uint8_t)text.ptr[i];
        if (utf8->need == 0) {
            if (!frame_utf8_start(utf8, byte)) return false;
            continue;
        }
        if (byte < utf8->low || byte > utf8->high) return false;
        *utf8 = (FrameUtf8){.need = (uint8_t)(utf8->need - 1), .low = 0x80, .high = 0xbf};
    }
    return true;
}

static bool frame_is_control(uint8_t opcode) {
    return opcode >= FRAME_CLOSE;
}

static uint8_t frame_opcode_of(const FrameDecoder *decoder) {
    return decoder->head[0] & OPCODE_BITS;
}

static bool frame_is_final(const FrameDecoder *decoder) {
    return (decoder->head[0] & FINAL_BIT) != 0;
}

/// Bytes of a length that is not in the second byte itself.
static size_t frame_length_size(const FrameDecoder *decoder) {
    uint8_t length = decoder->head[1] & LENGTH_BITS;
    return length == LENGTH_64 ? 8 : length == LENGTH_16 ? 2 : 0;
}

/// The status to refuse the first two bytes of a frame with; 0 if they are fine.
static uint16_t frame_start_check(const FrameDecoder *decoder) {
    uint8_t opcode = frame_opcode_of(decoder);
    bool is_masked = (decoder->head[1] & MASK_BIT) != 0;
    if (decoder->head[0] & RESERVED_BITS || is_masked != decoder->is_server)
        return FRAME_PROTOCOL_ERROR;
    if (frame_is_control(opcode)) {
        bool is_short = frame_length_size(decoder) == 0;
        return opcode <= FRAME_PONG && frame_is_final(decoder) && is_short ? 0
                                                                           : FRAME_PROTOCOL_ERROR;
    }
    if (opcode > FRAME_BINARY || (opcode == FRAME_CONTINUATION) != decoder->in_message)
        return FRAME_PROTOCOL_ERROR;
    return opcode == FRAME_BINARY ? FRAME_UNSUPPORTED : 0;
}

bool frame_is_begun(const FrameDecoder *decoder) {
    return decoder->in_message
           || (decoder->head_len > 0 && !frame_is_control(frame_opcode_of(decoder)));
}

/// Set payload_len from a complete head; the status to refuse it with, or 0.
static uint16_t frame_length_check(FrameDecoder *decoder) {
    size_t size = frame_length_size(decoder);
    uint64_t length = size ? 0 : decoder->head[1] & LENGTH_BITS;
    for (size_t i = 0; i < size; i++)
        length = length << 8 | decoder->head[2 + i];
    uint64_t least = size == 8 ? UINT16_MAX + 1 : size == 2 ? LENGTH_16 : 0;
    if (length < least || length >> 63) return FRAME_PROTOCOL_ERROR;
    decoder->payload_len = length;
    decoder->payload_at = 0;
    if (frame_is_control(frame_opcode_of(decoder))) return 0;
    return length > decoder->message_max - decoder->message_len ? FRAME_TOO_BIG : 0;
}

/// Collect the head of a frame. NONE with in_payload set: it is complete.
static uint16_t frame_head_take(FrameDecoder *decoder, Str *input) {
    for (; input->len > 0; input->ptr++, input->len--) {
        decoder->head[decoder->head_len++] = (uint8_t)*input->ptr;
        if (decoder->head_len < 2) continue;
        uint16_t fault = decoder->head_len == 2 ? frame_start_check(decoder) : 0;
        if (fault) return fault;
        size_t mask = decoder->is_server ? MASK_LEN : 0;
        if (decoder->head_len < 2 + frame_length_size(decoder) + mask) continue;
        input->ptr++, input->len--;
        decoder->in_payload = true;
        decoder->control_len = 0;
        return frame_length_check(decoder);
    }
    return 0;
}

/// Room for `more` bytes of the message. Grows with what came, not with what was announced.
static bool frame_message_reserve(FrameDecoder *decoder, size_t more) {
    size_t need = decoder->message_len + more;
    if (need <= decoder->message_capacity) return true;
    size_t capacity = decoder->message_capacity ? decoder->message_capacity : MESSAGE_CAPACITY_MIN;
    while (capacity < need)
        capacity *= 2;
    char *grown = realloc(decoder->message, capacity);
    if (!grown) return false;
    decoder->message = grown;
    decoder->message_capacity = capacity;
    return true;
}

/// Copy `part` of this frame's payload to `to`, without its mask.
static void frame_unmask(const FrameDecoder *decoder, Str part, char *to) {
    if (part.len == 0) return;
    if (!decoder->is_server) {
        memcpy(to, part.ptr, part.len);
        return;
    }
    const uint8_t *mask = decoder->head + decoder->head_len - MASK_LEN;
    for (size_t i = 0; i < part.len; i++)
        to[i] = (char)((uint8_t)part.ptr[i] ^ mask[(decoder->payload_at + i) % MASK_LEN]);
}

/// Append `part` of this frame's payload to the message; the status to refuse it with, or 0.
static uint16_t frame_message_take(FrameDecoder *decoder, Str part) {
    if (part.len == 0) return 0;
    if (!frame_message_reserve(decoder, part.len)) return FRAME_INTERNAL;
    char *to = decoder->message + decoder->message_len;
    frame_unmask(decoder, part, to);
    decoder->message_len += part.len;
    return frame_utf8_step(&decoder->utf8, (Str){to, part.len}) ? 0 : FRAME_BAD_TEXT;
}

/// Take what `input` has of this frame's payload; the status to refuse it with, or 0.
static uint16_t frame_payload_take(FrameDecoder *decoder, Str *input) {
    uint64_t left = decoder->payload_len - decoder->payload_at;
    Str part = str_slice(*input, 0, left < input->len ? (size_t)left : input->len);
    uint16_t fault = 0;
    if (frame_is_control(frame_opcode_of(decoder))) {
        frame_unmask(decoder, part, (char *)decoder->control + decoder->control_len);
        decoder->control_len = (uint8_t)(decoder->control_len + part.len);
    } else {
        fault = frame_message_take(decoder, part);
    }
    decoder->payload_at += part.len;
    *input = str_slice(*input, part.len, input->len);
    return fault;
}

static FrameEvent frame_fault_event(FrameDecoder *decoder, uint16_t status) {
    frame_forget(decoder);
    decoder->fault = status;
    return (FrameEvent){.kind = FRAME_EVENT_FAULT, .status = status};
}

/// May a peer send this close code? RFC 6455 section 7.4 and IANA's registry.
static bool frame_status_is_good(uint16_t status) {
    if (status >= 3000) return status <= 4999;
    return (status >= 1000 && status <= 1003) || (status >= 1007 && status <= 1014);
}

static FrameEvent frame_close_event(FrameDecoder *decoder) {
    Str payload = {(const char *)decoder->control, decoder->control_len};
    if (payload.len == 0) return (FrameEvent){FRAME_EVENT_CLOSE, S(""), FRAME_NO_STATUS};
    if (payload.len == 1) return frame_fault_event(decoder, FRAME_PROTOCOL_ERROR);
    uint16_t status = (uint16_t)(decoder->control[0] << 8 | decoder->control[1]);
    if (!frame_status_is_good(status)) return frame_fault_event(decoder, FRAME_PROTOCOL_ERROR);
    FrameUtf8 utf8 = {};
    Str reason = str_slice(payload, 2, payload.len);
    if (!frame_utf8_step(&utf8, reason) || utf8.need)
        return frame_fault_event(decoder, FRAME_BAD_TEXT);
    return (FrameEvent){FRAME_EVENT_CLOSE, reason, status};
}

/// A frame is complete: the event that it is, or NONE for a fragment that others follow.
static FrameEvent frame_end(FrameDecoder *decoder) {
    uint8_t opcode = frame_opcode_of(decoder);
    bool is_last = frame_is_final(decoder);
    decoder->in_payload = false;
    decoder->head_len = 0;
    Str control = {(const char *)decoder->control, decoder->control_len};
    if (opcode == FRAME_CLOSE) return frame_close_event(decoder);
    if (opcode == FRAME_PING) return (FrameEvent){FRAME_EVENT_PING, control, 0};
    if (opcode == FRAME_PONG) return (FrameEvent){FRAME_EVENT_PONG, control, 0};
    decoder->in_message = !is_last;
    if (!is_last) return (FrameEvent){};
    if (decoder->utf8.need) return frame_fault_event(decoder, FRAME_BAD_TEXT);
    decoder->is_delivered = true;
    Str message = decoder->message ? (Str){decoder->message, decoder->message_len} : S("");
    return (FrameEvent){FRAME_EVENT_MESSAGE, message, 0};
}

FrameEvent frame_decode(FrameDecoder *decoder, Str *input) {
    if (decoder->is_delivered) frame_forget(decoder);
    if (decoder->fault) return frame_fault_event(decoder, decoder->fault);
    for (;;) {
        uint16_t fault = decoder->in_payload ? 0 : frame_head_take(decoder, input);
        if (!fault && decoder->in_payload) fault = frame_payload_take(decoder, input);
        if (fault) return frame_fault_event(decoder, fault);
        if (!decoder->in_payload || decoder->payload_at < decoder->payload_len)
            return (FrameEvent){};
        FrameEvent event = frame_end(decoder);
        if (event.kind != FRAME_EVENT_NONE) return event;
    }
}

static void frame_encode_length(Text *out, uint64_t length, uint8_t mask_bit) {
    size_t size = length > UINT16_MAX ? 8 : length >= LENGTH_16 ? 2 : 0;
    uint64_t first = size == 8 ? LENGTH_64 : size == 2 ? LENGTH_16 : length;
    text_add_char(out, (char)(first | mask_bit));
    for (size_t i = size; i-- > 0;)
        text_add_char(out, (char)(length >> (8 * i)));
}

void frame_encode(Text *out, FrameOpcode opcode, Str payload, const uint8_t mask[4]) {
    assert(!frame_is_control((uint8_t)opcode) || payload.len <= FRAME_CONTROL_MAX);
    text_add_char(out, (char)(FINAL_BIT | opcode));
    frame_encode_length(out, payload.len, mask ? MASK_BIT : 0);
    if (mask) text_add(out, (Str){(const char *)mask, MASK_LEN});
    size_t start = out->len;
    text_add(out, payload);
    if (!mask || out->failed) return;
    for (size_t i = 0; i < payload.len; i++)
        out->ptr[start + i] = (char)((uint8_t)out->ptr[start + i] ^ mask[i % MASK_LEN]);
}

void frame_encode_close(Text *out, uint16_t status, Str reason, const uint8_t mask[4]) {
    char payload[FRAME_CONTROL_MAX] = {(char)(status >> 8), (char)status};
    if (status == FRAME_NO_STATUS) {
        frame_encode(out, FRAME_CLOSE, S(""), mask);
        return;
    }
    size_t len = reason.len < REASON_MAX ? reason.len : REASON_MAX;
    while (len > 0 && len < reason.len && ((uint8_t)reason.ptr[len] & 0xc0) == 0x80)
        len--; // not within a character
    if (len > 0) memcpy(payload + 2, reason.ptr, len);
    frame_encode(out, FRAME_CLOSE, (Str){payload, 2 + len}, mask);
}
