// SPDX-License-Identifier: Apache-2.0
// The cases of the Autobahn test suite that apply, written out as ours: sizes, control frames,
// reserved bits, opcodes, fragments.
#include "http1/frame_fixture.h"

#include "test.h"

#include <stdlib.h>
#include <string.h>

// --- 1: messages of all sizes, from our own encoder, both directions ---

static void roundtrip(size_t len, bool from_client, size_t piece) {
    char *payload = malloc(len + 1);
    CHECK(payload);
    memset(payload, '*', len + 1);
    Text wire;
    text_init(&wire, WIRE_MAX);
    frame_encode(&wire, FRAME_TEXT, (Str){payload, len}, from_client ? frame_mask : NULL);
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
    frame_encode(&out, FRAME_TEXT, S("Hello"), frame_mask);
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
          CASE(a_new_message_within_a_message_is_refused))
