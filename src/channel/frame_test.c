// SPDX-License-Identifier: Apache-2.0
// The cases of the Autobahn test suite that apply, written out as ours. Each runs twice: the bytes
// one by one, and in one piece. What the decoder says becomes a transcript: "message hello|".
#include "channel/frame.h"

#include "base/arena.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

enum { FIN = 0x80, WIRE_MAX = 1 << 20, MESSAGE_MAX = 70'000 };

static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};

/// What a client sends; a test adds frames to it.
typedef struct Wire {
    Text bytes;
} Wire;

static Wire wire_new(void) {
    Wire wire;
    text_init(&wire.bytes, WIRE_MAX);
    return wire;
}

static void wire_done(Wire *wire) {
    text_done(&wire->bytes);
}

/// A masked frame with any first byte; lengths below 126 or in 16 bits.
static void add(Wire *wire, int first, Str payload) {
    text_add_char(&wire->bytes, (char)first);
    if (payload.len < 126) {
        text_add_char(&wire->bytes, (char)(0x80 | payload.len));
    } else {
        text_add_char(&wire->bytes, (char)(0x80 | 126));
        text_add_char(&wire->bytes, (char)(payload.len >> 8));
        text_add_char(&wire->bytes, (char)payload.len);
    }
    text_add(&wire->bytes, (Str){(const char *)mask, 4});
    for (size_t i = 0; i < payload.len; i++)
        text_add_char(&wire->bytes, (char)((uint8_t)payload.ptr[i] ^ mask[i % 4]));
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
        CHECK(input.len == 0);
    }
    frame_decoder_done(&decoder);
}

static void expect_up_to(uint32_t message_max, Wire *wire, const char *transcript) {
    for (int whole = 0; whole < 2; whole++) {
        Text log;
        text_init(&log, WIRE_MAX);
        Str bytes = text_str(&wire->bytes);
        decode(bytes, whole ? bytes.len + 1 : 1, message_max, &log);
        CHECK_STR(text_str(&log), str_from(transcript));
        text_done(&log);
    }
    wire_done(wire);
}

static void expect(Wire *wire, const char *transcript) {
    expect_up_to(MESSAGE_MAX, wire, transcript);
}

/// One frame alone gives this transcript.
static void expect_frame(int first, Str payload, const char *transcript) {
    Wire wire = wire_new();
    add(&wire, first, payload);
    expect(&wire, transcript);
}

// --- 1: messages of all sizes, from our own encoder, both directions ---

static void roundtrip(size_t len, bool from_client, size_t piece) {
    char *payload = malloc(len + 1);
    CHECK(payload);
    memset(payload, '*', len + 1);
    Text wire;
    text_init(&wire, WIRE_MAX);
    frame_encode(&wire, FRAME_TEXT, (Str){payload, len}, from_client ? mask : NULL);
    FrameDecoder decoder;
    frame_decoder_init(&decoder, from_client, MESSAGE_MAX);
    Str rest = text_str(&wire);
    FrameEvent event = {};
    for (size_t at = 0; at < rest.len; at += piece) {
        CHECK(event.kind == FRAME_EVENT_NONE);
        Str input = str_slice(rest, at, at + piece);
        event = frame_decode(&decoder, &input);
        CHECK(input.len == 0);
    }
    CHECK(event.kind == FRAME_EVENT_MESSAGE);
    CHECK(event.payload.len == len && memcmp(event.payload.ptr, payload, len) == 0);
    frame_forget(&decoder);
    CHECK(decoder.message == NULL);
    frame_decoder_done(&decoder);
    text_done(&wire);
    free(payload);
}

TEST(messages_of_every_size_class_come_through_both_ways) {
    static const size_t sizes[] = {0, 1, 125, 126, 127, 128, 65'535, 65'536, 70'000};
    static const size_t pieces[] = {1, 997, WIRE_MAX};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        for (size_t k = 0; k < sizeof(pieces) / sizeof(pieces[0]); k++) {
            roundtrip(sizes[i], true, pieces[k]);
            roundtrip(sizes[i], false, pieces[k]);
        }
}

TEST(the_example_frames_of_the_standard_are_encoded_as_they_stand_there) {
    Text out;
    text_init(&out, 100);
    frame_encode(&out, FRAME_TEXT, S("Hello"), NULL);
    CHECK_STR(text_str(&out), S("\x81\x05Hello"));
    text_clear(&out);
    frame_encode(&out, FRAME_TEXT, S("Hello"), mask);
    CHECK_STR(text_str(&out), S("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"));
    text_done(&out);
}

TEST(a_binary_message_is_unsupported) {
    expect_frame(FIN | 2, S(""), "fault 1003|");
    expect_frame(FIN | 2, S("data"), "fault 1003|");
    expect_frame(2, S("data"), "fault 1003|");
}

// --- 2: pings and pongs ---

TEST(pings_carry_up_to_125_bytes_of_anything) {
    expect_frame(FIN | 9, S(""), "ping|");
    expect_frame(FIN | 9, S("Hello"), "ping Hello|");
    expect_frame(FIN | 9, S("\xff\xfe\xfd"), "ping \xff\xfe\xfd|");
    char payload[126];
    memset(payload, 'p', sizeof(payload));
    char transcript[140];
    snprintf(transcript, sizeof(transcript), "ping %.125s|", payload);
    expect_frame(FIN | 9, (Str){payload, 125}, transcript);
    expect_frame(FIN | 9, (Str){payload, 126}, "fault 1002|");
}

TEST(unasked_pongs_are_only_reported) {
    Wire wire = wire_new();
    add(&wire, FIN | 10, S("unasked"));
    add(&wire, FIN | 9, S("ping"));
    add(&wire, FIN | 10, S(""));
    expect(&wire, "pong unasked|ping ping|pong|");
}

TEST(ten_pings_in_a_row_are_ten_events) {
    Wire wire = wire_new();
    for (int i = 0; i < 10; i++)
        add(&wire, FIN | 9, S("x"));
    expect(&wire, "ping x|ping x|ping x|ping x|ping x|ping x|ping x|ping x|ping x|ping x|");
}

// --- 3 and 4: reserved bits and opcodes, masks ---

TEST(reserved_bits_are_refused) {
    for (int bits = 1; bits < 8; bits++) {
        Wire wire = wire_new();
        add(&wire, FIN | 1, S("first"));
        add(&wire, FIN | bits << 4 | 1, S("x"));
        add(&wire, FIN | 9, S(""));
        expect(&wire, "message first|fault 1002|");
        expect_frame(FIN | bits << 4 | 9, S(""), "fault 1002|");
        expect_frame(FIN | bits << 4 | 8, S(""), "fault 1002|");
    }
}

TEST(reserved_opcodes_are_refused) {
    for (int opcode = 0; opcode < 16; opcode++) {
        if (opcode > 2 && opcode != 8 && opcode != 9 && opcode != 10)
            expect_frame(FIN | opcode, S("x"), "fault 1002|");
    }
}

TEST(a_client_must_mask_and_a_server_must_not) {
    Wire wire = wire_new();
    text_add(&wire.bytes, S("\x81\x02hi"));
    expect(&wire, "fault 1002|");
    FrameDecoder client;
    frame_decoder_init(&client, false, 10);
    Str input = S("\x81\x82\x00\x00\x00\x00hi");
    CHECK(frame_decode(&client, &input).status == FRAME_PROTOCOL_ERROR);
}

TEST(lengths_must_be_in_their_shortest_form) {
    static const Str heads[] = {
        S("\x81\xfe\x00\x00\x01\x02\x03\x04"),
        S("\x81\xfe\x00\x7d\x01\x02\x03\x04"),
        S("\x81\xff\x00\x00\x00\x00\x00\x00\xff\xff\x01\x02\x03\x04"),
        S("\x81\xff\x80\x00\x00\x00\x00\x00\x00\x01\x01\x02\x03\x04"),
    };
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        Wire wire = wire_new();
        text_add(&wire.bytes, heads[i]);
        expect(&wire, "fault 1002|");
    }
}

// --- 5: fragments ---

TEST(fragments_make_one_message) {
    Wire wire = wire_new();
    add(&wire, 1, S("frag"));
    add(&wire, 0, S(""));
    add(&wire, FIN, S("ment"));
    add(&wire, 1, S(""));
    add(&wire, FIN, S(""));
    add(&wire, FIN | 1, S("whole"));
    expect(&wire, "message fragment|message|message whole|");
}

TEST(control_frames_may_come_between_fragments) {
    Wire wire = wire_new();
    add(&wire, 1, S("frag"));
    add(&wire, FIN | 9, S("one"));
    add(&wire, 0, S("men"));
    add(&wire, FIN | 10, S("two"));
    add(&wire, FIN, S("t"));
    expect(&wire, "ping one|pong two|message fragment|");
}

TEST(control_frames_cannot_be_fragments) {
    expect_frame(9, S("x"), "fault 1002|");
    expect_frame(10, S("x"), "fault 1002|");
    expect_frame(8, S(""), "fault 1002|");
}

TEST(a_continuation_needs_something_to_continue) {
    expect_frame(FIN, S("x"), "fault 1002|");
    expect_frame(0, S("x"), "fault 1002|");
    Wire wire = wire_new();
    add(&wire, 1, S("a"));
    add(&wire, FIN, S("b"));
    add(&wire, FIN, S("c"));
    expect(&wire, "message ab|fault 1002|");
}

TEST(a_new_message_within_a_message_is_refused) {
    Wire wire = wire_new();
    add(&wire, 1, S("a"));
    add(&wire, FIN | 1, S("b"));
    expect(&wire, "fault 1002|");
    wire = wire_new();
    add(&wire, 1, S("a"));
    add(&wire, FIN | 2, S("b"));
    expect(&wire, "fault 1002|");
}

// --- 6: UTF-8 ---

TEST(text_that_is_utf8_comes_through) {
    static const Str good[] = {
        S("Hello-\xc2\xb5@\xc3\x9f\xc3\xb6\xc3\xa4\xc3\xbc\xc3\xa0\xc3\xa1-UTF-8!!"),
        S("\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"),
        S("\x7f"),
        S("\xc2\x80"),
        S("\xdf\xbf"),
        S("\xe0\xa0\x80"),
        S("\xef\xbf\xbf"),
        S("\xf0\x90\x80\x80"),
        S("\xed\x9f\xbf"),
        S("\xee\x80\x80"),
        S("\xef\xbf\xbd"),
        S("\xf4\x8f\xbf\xbf"),
        S("\xef\xbf\xbe"),
        S("\xf0\x9f\xbf\xbe"),
        S("\xf3\xbf\xbf\xbf"),
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        char transcript[100];
        snprintf(transcript, sizeof(transcript), "message %.*s|", STR_FMT(good[i]));
        expect_frame(FIN | 1, good[i], transcript);
        for (size_t cut = 0; cut <= good[i].len; cut++) { // a fragment may end within a character
            Wire wire = wire_new();
            add(&wire, 1, str_slice(good[i], 0, cut));
            add(&wire, FIN, str_slice(good[i], cut, good[i].len));
            expect(&wire, transcript);
        }
    }
}

TEST(text_that_is_not_utf8_is_refused) {
    static const Str bad[] = {
        S("\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80"
          "edited"),
        S("\x80"),
        S("\xbf"),
        S("\x80\xbf\x80"),
        S("\xc0 "),
        S("\xdf "),
        S("\xe0 "),
        S("\xf7 "),
        S("\xfb "),
        S("\xfd "),
        S("\xc0"),
        S("\xe0\x80"),
        S("\xf0\x80\x80"),
        S("\xdf"),
        S("\xef\xbf"),
        S("\xf7\xbf\xbf"),
        S("\xfe"),
        S("\xff"),
        S("\xc0\xaf"),
        S("\xc1\xbf"),
        S("\xe0\x80\xaf"),
        S("\xe0\x9f\xbf"),
        S("\xf0\x80\x80\xaf"),
        S("\xf0\x8f\xbf\xbf"),
        S("\xf8\x80\x80\x80\xaf"),
        S("\xed\xa0\x80"),
        S("\xed\xbf\xbf"),
        S("\xed\xad\xbf\xed\xbf\xbf"),
        S("\xf4\x90\x80\x80"),
        S("\xf5\x80\x80\x80"),
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        expect_frame(FIN | 1, bad[i], "fault 1007|");
        Wire wire = wire_new();
        add(&wire, 1, S("good so far"));
        add(&wire, FIN, bad[i]);
        expect(&wire, "fault 1007|");
    }
}

TEST(bad_text_is_refused_at_its_first_bad_byte) {
    Wire wire = wire_new();
    add(&wire, 1, S("\xce\xba\xe1\xbd\xb9\xcf\x83\xf4\x90")); // more would follow
    expect(&wire, "fault 1007|");
    wire = wire_new();
    add(&wire,
        FIN | 1,
        S("\xce\xba\xf4\x90\x80\x80 and the rest of a frame that is not all there"));
    wire.bytes.len -= 46;
    expect(&wire, "fault 1007|");
}

// --- 7: closing ---

TEST(good_close_codes_are_reported) {
    static const int good[] = {1000,
                               1001,
                               1002,
                               1003,
                               1007,
                               1008,
                               1009,
                               1010,
                               1011,
                               1012,
                               1013,
                               1014,
                               3000,
                               3999,
                               4000,
                               4999};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        char payload[] = {(char)(good[i] >> 8), (char)good[i], 'o', 'k'};
        char transcript[32];
        snprintf(transcript, sizeof(transcript), "close %d ok|", good[i]);
        expect_frame(FIN | 8, (Str){payload, 4}, transcript);
        snprintf(transcript, sizeof(transcript), "close %d|", good[i]);
        expect_frame(FIN | 8, (Str){payload, 2}, transcript);
    }
    expect_frame(FIN | 8, S(""), "close 1005|");
}

TEST(bad_close_codes_are_refused) {
    static const int bad[] = {0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65'535};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char payload[] = {(char)(bad[i] >> 8), (char)bad[i], 'n', 'o'};
        expect_frame(FIN | 8, (Str){payload, 4}, "fault 1002|");
    }
    expect_frame(FIN | 8, S("\x03"), "fault 1002|");
}

TEST(a_close_reason_is_utf8_of_at_most_123_bytes) {
    char payload[126] = {0x03, (char)0xe8};
    memset(payload + 2, '*', 124);
    char transcript[150];
    snprintf(transcript, sizeof(transcript), "close 1000 %.123s|", payload + 2);
    expect_frame(FIN | 8, (Str){payload, 125}, transcript);
    expect_frame(FIN | 8, (Str){payload, 126}, "fault 1002|");
    expect_frame(FIN | 8, S("\x03\xe8\xce\xba\xed\xa0\x80"), "fault 1007|");
    expect_frame(FIN | 8, S("\x03\xe8\xce"), "fault 1007|");
}

TEST(a_close_within_a_message_is_a_close) {
    Wire wire = wire_new();
    add(&wire, 1, S("half"));
    add(&wire, FIN | 8, S("\x03\xe8"));
    add(&wire, FIN, S("too late"));
    expect(&wire, "close 1000|");
}

TEST(an_encoded_close_is_cut_between_characters) {
    Text out;
    text_init(&out, 1000);
    char reason[200];
    memset(reason, 'r', sizeof(reason));
    memcpy(reason + 122, "\xc3\xa4", 2); // bytes 122 and 123: only one of them would fit
    frame_encode_close(&out, 1001, (Str){reason, sizeof(reason)}, mask);
    FrameDecoder decoder;
    frame_decoder_init(&decoder, true, 10);
    Str input = text_str(&out);
    FrameEvent event = frame_decode(&decoder, &input);
    CHECK(event.kind == FRAME_EVENT_CLOSE && event.status == 1001 && event.payload.len == 122);
    text_clear(&out);
    frame_encode_close(&out, FRAME_NO_STATUS, S("not said"), NULL);
    CHECK_STR(text_str(&out), ((Str){"\x88\x00", 2}));
    text_done(&out);
}

// --- 9 and 10: limits, fragments of large messages ---

TEST(messages_over_the_limit_are_refused_before_they_are_read) {
    Wire wire = wire_new();
    add(&wire, FIN | 1, S("12345678"));
    expect_up_to(8, &wire, "message 12345678|");
    wire = wire_new();
    add(&wire, FIN | 1, S("123456789"));
    wire.bytes.len -= 9;
    expect_up_to(8, &wire, "fault 1009|");
    wire = wire_new();
    add(&wire, 1, S("12345"));
    add(&wire, 0, S("678"));
    add(&wire, FIN, S("9"));
    expect_up_to(8, &wire, "fault 1009|");
    wire = wire_new();
    text_add(&wire.bytes, S("\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x01\x02\x03\x04"));
    expect_up_to(UINT32_MAX, &wire, "fault 1009|");
}

TEST(an_announced_length_allocates_nothing) {
    FrameDecoder decoder;
    frame_decoder_init(&decoder, true, MESSAGE_MAX);
    Str input = S("\x81\xfe\xff\xff\x01\x02\x03\x04"
                  "abc");
    CHECK(frame_decode(&decoder, &input).kind == FRAME_EVENT_NONE);
    CHECK(decoder.message_capacity <= 1024);
    frame_decoder_done(&decoder);
}

TEST(a_large_message_in_many_fragments_is_one_message) {
    Wire wire = wire_new();
    char chunk[1300];
    memset(chunk, '*', sizeof(chunk));
    Text transcript;
    text_init(&transcript, WIRE_MAX);
    text_add(&transcript, S("message "));
    for (int i = 0; i < 50; i++) {
        add(&wire, (i == 0 ? 1 : 0) | (i == 49 ? FIN : 0), (Str){chunk, sizeof(chunk)});
        text_add(&transcript, (Str){chunk, sizeof(chunk)});
    }
    text_add_char(&transcript, '|');
    expect(&wire, transcript.ptr);
    text_done(&transcript);
}

TEST(after_a_fault_there_is_only_the_fault) {
    FrameDecoder decoder;
    frame_decoder_init(&decoder, true, 10);
    Str input = S("\xff");
    CHECK(frame_decode(&decoder, &input).kind == FRAME_EVENT_NONE);
    input = S("\xff");
    CHECK(frame_decode(&decoder, &input).status == FRAME_PROTOCOL_ERROR);
    input = S("\x81\x80\x01\x02\x03\x04");
    CHECK(frame_decode(&decoder, &input).kind == FRAME_EVENT_FAULT);
}

TEST_MAIN(CASE(messages_of_every_size_class_come_through_both_ways),
          CASE(the_example_frames_of_the_standard_are_encoded_as_they_stand_there),
          CASE(a_binary_message_is_unsupported),
          CASE(pings_carry_up_to_125_bytes_of_anything),
          CASE(unasked_pongs_are_only_reported),
          CASE(ten_pings_in_a_row_are_ten_events),
          CASE(reserved_bits_are_refused),
          CASE(reserved_opcodes_are_refused),
          CASE(a_client_must_mask_and_a_server_must_not),
          CASE(lengths_must_be_in_their_shortest_form),
          CASE(fragments_make_one_message),
          CASE(control_frames_may_come_between_fragments),
          CASE(control_frames_cannot_be_fragments),
          CASE(a_continuation_needs_something_to_continue),
          CASE(a_new_message_within_a_message_is_refused),
          CASE(text_that_is_utf8_comes_through),
          CASE(text_that_is_not_utf8_is_refused),
          CASE(bad_text_is_refused_at_its_first_bad_byte),
          CASE(good_close_codes_are_reported),
          CASE(bad_close_codes_are_refused),
          CASE(a_close_reason_is_utf8_of_at_most_123_bytes),
          CASE(a_close_within_a_message_is_a_close),
          CASE(an_encoded_close_is_cut_between_characters),
          CASE(messages_over_the_limit_are_refused_before_they_are_read),
          CASE(an_announced_length_allocates_nothing),
          CASE(a_large_message_in_many_fragments_is_one_message),
          CASE(after_a_fault_there_is_only_the_fault))
