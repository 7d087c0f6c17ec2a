// SPDX-License-Identifier: Apache-2.0
/// What a gateway allows those who have not shown who they are: one message, short and soon.
#include "base/clock.h"
#include "channel/gateway_fixture.h"
#include "http1/request.h"
#include "test.h"

#include <string.h>
#include <unistd.h>

enum { SHORT_MS = 200, DRIP_US = 5'000 };

static const uint8_t mask[4] = {1, 2, 3, 4};

static void open_short(Owner *owner) {
    GatewayOptions options = owner_options(owner);
    options.handshake_ms = SHORT_MS;
    owner_open_with(owner, &options, 64);
}

/// The stranger was sent away, in about the time that it had.
static void check_end(Owner *owner, Raw *raw, uint64_t start_ms, uint16_t status) {
    raw_expect_close(raw, status);
    uint64_t took_ms = clock_monotonic_ms() - start_ms;
    CHECK(took_ms >= SHORT_MS / 2 && took_ms < WAIT_MS);
    raw_close(raw);
    CHECK(gateway_stats(owner->gateway).refused == 1);
    owner_close(owner);
}

TEST(who_says_nothing_after_the_upgrade_is_sent_away) {
    Owner owner = {};
    open_short(&owner);
    uint64_t start_ms = clock_monotonic_ms();
    Raw raw = raw_open(&owner);
    check_end(&owner, &raw, start_ms, FRAME_POLICY);
}

/// Send it again and again, byte by byte, until the gateway has ended the channel.
static void drip(const Owner *owner, const Raw *raw, Str bytes) {
    uint64_t deadline_ms = clock_monotonic_ms() + WAIT_MS;
    for (size_t i = 0; gateway_stats(owner->gateway).refused == 0; i++) {
        CHECK(raw_send(raw, str_slice(bytes, i % bytes.len, i % bytes.len + 1)));
        CHECK(clock_monotonic_ms() < deadline_ms);
        usleep(DRIP_US);
    }
}

TEST(a_first_message_that_comes_too_slowly_is_too_late) {
    Owner owner = {};
    Text bytes;
    open_short(&owner);
    uint64_t start_ms = clock_monotonic_ms();
    Raw raw = raw_open(&owner);
    text_init(&bytes, MESSAGE_MAX);
    static char slow[10'000];
    memset(slow, 'x', sizeof(slow));
    raw_add_message(&bytes, (Str){slow, sizeof(slow)});
    drip(&owner, &raw, text_str(&bytes));
    text_done(&bytes);
    CHECK(atomic_load(&owner.messages) == 0);
    check_end(&owner, &raw, start_ms, FRAME_POLICY);
}

TEST(pings_and_pongs_give_a_stranger_no_more_time) {
    Owner owner = {};
    Text bytes;
    open_short(&owner);
    uint64_t start_ms = clock_monotonic_ms();
    Raw raw = raw_open(&owner);
    text_init(&bytes, 100);
    frame_encode(&bytes, FRAME_PING, S(""), mask);
    frame_encode(&bytes, FRAME_PONG, S(""), mask);
    drip(&owner, &raw, text_str(&bytes));
    text_done(&bytes);
    check_end(&owner, &raw, start_ms, FRAME_POLICY);
}

TEST(a_stranger_with_too_many_frames_is_sent_away) {
    enum { BURST = 5 };
    Owner owner = {};
    Text bytes;
    GatewayOptions options = owner_options(&owner);
    options.messages_per_minute_max = BURST;
    owner_open_with(&owner, &options, 64);
    Raw raw = raw_open(&owner);
    text_init(&bytes, 1000);
    for (int i = 0; i <= BURST; i++)
        frame_encode(&bytes, FRAME_PING, S(""), mask);
    CHECK(raw_send(&raw, text_str(&bytes)));
    CHECK_STR(raw_expect_close(&raw, FRAME_POLICY), S("too many frames"));
    text_done(&bytes);
    raw_close(&raw);
    owner_close(&owner);
}

/// Send messages of these lengths at once; the first begins with "good".
static void send_lengths(const Raw *raw, const size_t *lengths, size_t count) {
    static char large[MESSAGE_MAX];
    Text bytes;
    text_init(&bytes, 4 * MESSAGE_MAX);
    memset(large, 'x', sizeof(large));
    memcpy(large, "good", 4);
    for (size_t i = 0; i < count; i++)
        raw_add_message(&bytes, (Str){large, lengths[i]});
    CHECK(raw_send(raw, text_str(&bytes)));
    text_done(&bytes);
}

TEST(only_the_first_message_must_be_short) {
    Owner owner = {};
    GatewayOptions options = owner_options(&owner);
    owner_open_with(&owner, &options, 64);
    Raw raw = raw_open(&owner);
    send_lengths(&raw, (size_t[]){FIRST_MAX, MESSAGE_MAX, FIRST_MAX + 1}, 3);
    raw_expect(&raw, S("welcome"));
    CHECK(raw_frame(&raw).payload.len == MESSAGE_MAX);
    CHECK(raw_frame(&raw).payload.len == FIRST_MAX + 1);
    raw_close(&raw);
    raw = raw_open(&owner);
    send_lengths(&raw, (size_t[]){FIRST_MAX + 1}, 1);
    raw_expect_close(&raw, FRAME_TOO_BIG);
    raw_close(&raw);
    CHECK(atomic_load(&owner.known) == 1);
    owner_close(&owner);
}

TEST(a_stranger_has_one_message_and_no_second) {
    Owner owner = {};
    Text bytes;
    GatewayOptions options = owner_options(&owner);
    owner_open_with(&owner, &options, 64);
    text_init(&bytes, 100);
    raw_add_message(&bytes, S("nobody"));
    raw_add_message(&bytes, S("good"));
    Raw raw = raw_open(&owner);
    CHECK(raw_send(&raw, text_str(&bytes)));
    raw_expect_close(&raw, FRAME_POLICY);
    raw_close(&raw);
    owner_close(&owner);
    CHECK(atomic_load(&owner.messages) == 1 && atomic_load(&owner.known) == 0);
    text_done(&bytes);
}

/// What a client sends that does not wait: the request, the first message and one more, cut at
/// `cut` into two writes.
static void send_at_once(const Owner *owner, size_t cut) {
    static char first[FIRST_MAX]; // with the request more than a head may have
    Text bytes;
    text_init(&bytes, 2 * FIRST_MAX);
    memset(first, 'x', sizeof(first));
    memcpy(first, "good", 4);
    raw_add_request(&bytes);
    raw_add_message(&bytes, (Str){first, sizeof(first)});
    raw_add_message(&bytes, S("and more"));
    Raw raw = raw_connect(owner);
    Str all = text_str(&bytes);
    CHECK(raw_send(&raw, str_slice(all, 0, cut)));
    if (cut < all.len) {
        usleep(DRIP_US);
        CHECK(raw_send(&raw, str_slice(all, cut, all.len)));
    }
    text_clear(&bytes);
    raw_head(&raw, &bytes);
    CHECK(str_starts(text_str(&bytes), S("HTTP/1.1 101 ")));
    raw_expect(&raw, GREETING);
    raw_expect(&raw, S("welcome"));
    raw_expect(&raw, S("and more"));
    text_done(&bytes);
    raw_close(&raw);
}

TEST(the_first_message_may_come_right_behind_the_request) {
    Owner owner = {};
    Text request;
    GatewayOptions options = owner_options(&owner);
    owner_open_with(&owner, &options, 64);
    text_init(&request, 1000);
    raw_add_request(&request);
    send_at_once(&owner, SIZE_MAX);
    for (size_t around = 0; around < 8; around++)
        send_at_once(&owner, request.len - 4 + around);
    text_done(&request);
    owner_close(&owner);
}

TEST(headers_over_the_limit_are_refused_whatever_follows) {
    Owner owner = {};
    Text bytes;
    GatewayOptions options = owner_options(&owner);
    owner_open_with(&owner, &options, 64);
    text_init(&bytes, 2 * FIRST_MAX);
    raw_add_request(&bytes);
    bytes.len -= 2; // the empty line comes later
    text_add(&bytes, S("filler: "));
    while (bytes.len < REQUEST_HEAD_MAX + 100)
        text_add_char(&bytes, 'x');
    text_add(&bytes, S("\r\n\r\n"));
    raw_add_message(&bytes, S("good"));
    Raw raw = raw_connect(&owner);
    CHECK(raw_send(&raw, text_str(&bytes)));
    text_clear(&bytes);
    raw_head(&raw, &bytes);
    CHECK(str_starts(text_str(&bytes), S("HTTP/1.1 431 ")));
    raw_drain(&raw);
    raw_close(&raw);
    text_done(&bytes);
    owner_close(&owner);
}

TEST(an_owner_may_greet_nobody_but_not_without_end) {
    Owner owner = {};
    GatewayOptions options = owner_options(&owner);
    owner_open_with(&owner, &options, 64);
    atomic_store(&owner.greeting_repeat, 0);
    Raw raw = raw_open_known(&owner);
    raw_close(&raw);
    atomic_store(&owner.greeting_repeat, MESSAGE_MAX);
    raw = raw_open(&owner);
    raw_expect_close(&raw, FRAME_INTERNAL);
    raw_close(&raw);
    owner_close(&owner);
}

TEST(a_stranger_whose_job_takes_too_long_may_come_again) {
    Owner owner = {};
    Text bytes;
    open_short(&owner);
    uint64_t start_ms = clock_monotonic_ms();
    Raw raw = raw_open(&owner);
    text_init(&bytes, 100);
    raw_add_message(&bytes, S("stall"));
    atomic_store(&owner.is_stalled, true);
    CHECK(raw_send(&raw, text_str(&bytes)));
    raw_expect_close(&raw, FRAME_TRY_LATER);
    CHECK(clock_monotonic_ms() - start_ms >= SHORT_MS / 2);
    raw_close(&raw);
    text_done(&bytes);
    atomic_store(&owner.is_stalled, false);
    owner_close(&owner); // the owner hears the end of what it made known too late
    CHECK(atomic_load(&owner.known) == 1 && atomic_load(&owner.closed) == 1);
}

TEST_MAIN(CASE(who_says_nothing_after_the_upgrade_is_sent_away),
          CASE(a_first_message_that_comes_too_slowly_is_too_late),
          CASE(pings_and_pongs_give_a_stranger_no_more_time),
          CASE(a_stranger_with_too_many_frames_is_sent_away),
          CASE(only_the_first_message_must_be_short),
          CASE(a_stranger_has_one_message_and_no_second),
          CASE(the_first_message_may_come_right_behind_the_request),
          CASE(headers_over_the_limit_are_refused_whatever_follows),
          CASE(an_owner_may_greet_nobody_but_not_without_end),
          CASE(a_stranger_whose_job_takes_too_long_may_come_again))
