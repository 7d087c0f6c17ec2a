// SPDX-License-Identifier: Apache-2.0
// The cases of the Autobahn test suite that apply, written out as ours: UTF-8, close handling,
// limits.
#include "http1/frame_fixture.h"

#include "test.h"

#include <stdlib.h>
#include <string.h>

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
    frame_encode_close(&out, 1001, (Str){reason, sizeof(reason)}, frame_mask);
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

TEST_MAIN(CASE(text_that_is_utf8_comes_through),
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
