// SPDX-License-Identifier: Apache-2.0
/// Each limit of a gateway for peers that are known, reached on purpose; those for strangers are in
/// gateway_stranger_test.c.
#include "base/clock.h"
#include "channel/gateway_fixture.h"
#include "test.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

enum { SHORT_MS = 200 };

TEST(who_does_not_ask_in_time_is_hung_up_on) {
    Owner owner = {};
    GatewayOptions options = owner_options(&owner);
    options.handshake_ms = SHORT_MS;
    owner_open_with(&owner, &options, 64);
    uint64_t start = clock_monotonic_ms();
    Raw raw = raw_connect(&owner);
    CHECK(raw_send(&raw, S("GET /channel")));
    raw_drain(&raw);
    uint64_t took = clock_monotonic_ms() - start;
    CHECK(took >= SHORT_MS / 2 && took < WAIT_MS);
    raw_close(&raw);
    CHECK(gateway_stats(owner.gateway).refused == 1);
    owner_close(&owner);
}

TEST(a_silent_peer_is_pinged_and_then_given_up) {
    Owner owner = {};
    GatewayOptions options = owner_options(&owner);
    options.silence_ms = SHORT_MS;
    owner_open_with(&owner, &options, 64);
    Raw raw = raw_open_known(&owner);
    CHECK(raw_frame(&raw).kind == FRAME_EVENT_PING);
    raw_drain(&raw);
    raw_close(&raw);
    owner_close(&owner);
}

TEST(half_a_message_ends_the_channel_though_the_peer_goes_on_with_pings) {
    static const char half[] = {0x01, (char)0x81, 0, 0, 0, 0, 'x'}; // text, not the last fragment
    Owner owner = {};
    GatewayOptions options = owner_options(&owner);
    options.silence_ms = 2 * SHORT_MS;
    owner_open_with(&owner, &options, 64);
    Raw raw = raw_open_known(&owner);
    CHECK(raw_send(&raw, (Str){half, sizeof(half)}));
    Text ping;
    text_init(&ping, 100);
    frame_encode(&ping, FRAME_PING, S(""), (const uint8_t[4]){});
    uint64_t start_ms = clock_monotonic_ms();
    FrameEvent event;
    do {
        CHECK(raw_send(&raw, text_str(&ping)));
        event = raw_frame(&raw);
    } while (event.kind == FRAME_EVENT_PONG);
    CHECK(event.kind == FRAME_EVENT_CLOSE && event.status == FRAME_POLICY);
    CHECK_STR(event.payload, S("the message does not come to its end"));
    CHECK(clock_monotonic_ms() - start_ms > 8 * SHORT_MS - 100);
    text_done(&ping);
    raw_close(&raw);
    owner_close(&owner);
}

TEST(a_peer_that_answers_pings_stays) {
    Owner owner = {};
    GatewayOptions options = owner_options(&owner);
    options.silence_ms = 4 * SHORT_MS; // an answer has a sixth of it
    owner_open_with(&owner, &options, 64);
    struct event_base *loop = event_base_new();
    Peer peer;
    peer_open(&peer, loop, &owner, "good", NULL);
    wait_for(loop, &peer.known, 1);
    const struct timeval quiet = {.tv_sec = 2};
    event_base_loopexit(loop, &quiet);
    event_base_dispatch(loop);
    CHECK(peer.closed == 0 && gateway_stats(owner.gateway).open == 1);
    channel_client_close(peer.client);
    event_base_free(loop);
    owner_close(&owner);
}

TEST(connections_over_the_limit_are_closed_and_room_is_made_again) {
    Owner owner = {};
    GatewayOptions options = owner_options(&owner);
    options.connections_max = 2;
    owner_open_with(&owner, &options, 64);
    Raw first = raw_open_known(&owner), second = raw_open_known(&owner);
    Raw third = raw_connect(&owner);
    raw_drain(&third);
    CHECK(gateway_stats(owner.gateway).refused == 1);
    raw_close(&first);
    struct event_base *loop = event_base_new();
    wait_for_thread(loop, &owner.closed, 1);
    Peer peer = {}; // the place is free a moment after `closed`: come again until it is
    do {
        channel_client_close(peer.client);
        peer_open(&peer, loop, &owner, "good", NULL);
        while (!peer.known && !peer.closed)
            event_base_loop(loop, EVLOOP_ONCE);
    } while (!peer.known);
    channel_client_close(peer.client);
    event_base_free(loop);
    raw_close(&second);
    raw_close(&third);
    owner_close(&owner);
}

TEST(a_message_over_the_limit_ends_the_channel_with_1009) {
    Owner owner = {};
    GatewayOptions options = owner_options(&owner);
    options.first_max_bytes = options.message_max_bytes = 16;
    owner_open_with(&owner, &options, 64);
    Raw raw = raw_open_known(&owner);
    Text bytes;
    text_init(&bytes, 100);
    raw_add_message(&bytes, S("sixteen bytes it"));
    raw_add_message(&bytes, S("seventeen bytes!!"));
    CHECK(raw_send(&raw, text_str(&bytes)));
    raw_expect(&raw, S("sixteen bytes it"));
    raw_expect_close(&raw, FRAME_TOO_BIG);
    text_done(&bytes);
    raw_close(&raw);
    owner_close(&owner);
}

TEST(messages_over_the_rate_wait_but_are_not_lost) {
    enum { BURST = 600, MESSAGES = 606 }; // ten a second: the last six take half a second
    Owner owner = {};
    GatewayOptions options = owner_options(&owner);
    options.messages_per_minute_max = BURST;
    owner_open_with(&owner, &options, 64);
    Raw raw = raw_open_known(&owner);
    Text bytes;
    text_init(&bytes, 1 << 16);
    for (int i = 0; i < MESSAGES; i++)
        raw_add_message(&bytes, S("one of many"));
    uint64_t start = clock_monotonic_ms();
    CHECK(raw_send(&raw, text_str(&bytes)));
    for (int i = 0; i < MESSAGES; i++)
        raw_expect(&raw, S("one of many"));
    CHECK(clock_monotonic_ms() - start >= 300);
    text_done(&bytes);
    raw_close(&raw);
    owner_close(&owner);
}

TEST(a_full_pool_delays_messages_also_of_newcomers) {
    enum { PEERS = 4 }; // two threads stall, one job waits in the queue, one in its connection
    Owner owner = {};
    GatewayOptions options = owner_options(&owner);
    owner_open_with(&owner, &options, 1);
    struct event_base *loop = event_base_new();
    Peer peers[PEERS], late[PEERS];
    for (int i = 0; i < PEERS; i++) {
        peer_open(&peers[i], loop, &owner, "good", NULL);
        wait_for_thread(loop, &owner.known, (unsigned)i + 1);
        wait_for(loop, &peers[i].known, 1);
    }
    atomic_store(&owner.is_stalled, true);
    for (int i = 0; i < PEERS; i++) {
        CHECK_OK(channel_client_send(peers[i].client, S("stall")));
        if (i < 2) wait_for_thread(loop, &owner.messages, PEERS + (unsigned)i + 1);
    }
    for (int i = 0; i < PEERS; i++)
        peer_open(&late[i], loop, &owner, "good", NULL);
    const struct timeval quiet = {.tv_usec = SHORT_MS * 1000};
    event_base_loopexit(loop, &quiet);
    event_base_dispatch(loop);
    for (int i = 0; i < PEERS; i++)
        CHECK(!late[i].known && !late[i].closed);
    atomic_store(&owner.is_stalled, false);
    for (int i = 0; i < PEERS; i++) {
        wait_for(loop, &peers[i].messages, 1);
        wait_for(loop, &late[i].known, 1);
        channel_client_close(peers[i].client);
        channel_client_close(late[i].client);
    }
    event_base_free(loop);
    owner_close(&owner);
}

TEST(a_stranger_waits_for_the_pool_no_longer_than_its_time) {
    Owner owner = {};
    GatewayOptions options = owner_options(&owner);
    options.handshake_ms = SHORT_MS;
    owner_open_with(&owner, &options, 1);
    struct event_base *loop = event_base_new();
    Peer peers[3], late;
    for (int i = 0; i < 3; i++) {
        peer_open(&peers[i], loop, &owner, "good", NULL);
        wait_for(loop, &peers[i].known, 1);
    }
    atomic_store(&owner.is_stalled, true);
    for (unsigned i = 0; i < 3; i++) {
        CHECK_OK(channel_client_send(peers[i].client, S("stall")));
        if (i < 2) wait_for_thread(loop, &owner.messages, 3 + i + 1);
    }
    peer_open(&late, loop, &owner, "good", NULL);
    wait_for(loop, &late.closed, 1);
    CHECK(late.why.code == ERR_BUSY && late.status == FRAME_TRY_LATER && !late.known);
    atomic_store(&owner.is_stalled, false);
    for (int i = 0; i < 3; i++) {
        wait_for(loop, &peers[i].messages, 1);
        channel_client_close(peers[i].client);
    }
    channel_client_close(late.client);
    event_base_free(loop);
    owner_close(&owner);
}

TEST(a_peer_that_does_not_read_is_given_up) {
    enum { PUSHES = 2000 };
    Owner owner = {};
    GatewayOptions options = owner_options(&owner);
    owner_open_with(&owner, &options, 64);
    Raw raw = raw_open_known(&owner);
    struct event_base *loop = event_base_new();
    wait_for_thread(loop, &owner.known, 1);
    static char large[MESSAGE_MAX];
    memset(large, 'x', sizeof(large));
    for (int i = 0; i < PUSHES && atomic_load(&owner.closed) == 0; i++)
        gateway_send(owner.gateway, atomic_load(&owner.last), (Str){large, sizeof(large)});
    wait_for_thread(loop, &owner.closed, 1);
    event_base_free(loop);
    raw_close(&raw);
    owner_close(&owner);
}

static void *unstall(void *arg) {
    Owner *owner = arg;
    while (gateway_stats(owner->gateway).open > 0)
        sched_yield();
    atomic_store(&owner->is_stalled, false);
    return NULL;
}

TEST(closing_waits_for_the_job_that_is_under_way) {
    Owner owner = {};
    GatewayOptions options = owner_options(&owner);
    owner_open_with(&owner, &options, 64);
    struct event_base *loop = event_base_new();
    Peer peer;
    peer_open(&peer, loop, &owner, "good", NULL);
    wait_for(loop, &peer.known, 1);
    atomic_store(&owner.is_stalled, true);
    CHECK_OK(channel_client_send(peer.client, S("stall")));
    wait_for_thread(loop, &owner.messages, 2);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, unstall, &owner) == 0);
    owner_close(&owner); // says goodbye at once, returns after the job
    CHECK(!atomic_load(&owner.is_stalled) && atomic_load(&owner.closed) == 1);
    pthread_join(thread, NULL);
    wait_for(loop, &peer.closed, 1);
    CHECK(peer.messages == 0);
    channel_client_close(peer.client);
    event_base_free(loop);
}

TEST(a_taken_port_is_refused) {
    Owner owner = {};
    GatewayOptions options = owner_options(&owner);
    owner_open_with(&owner, &options, 64);
    options.port = gateway_port(owner.gateway);
    Gateway *other = NULL;
    Reason reason = {};
    Err err = gateway_open(&options, owner.workers, &other, &reason);
    CHECK(err.code == ERR_SYSTEM && err.sys == EADDRINUSE);
    char taken[64];
    snprintf(taken, sizeof(taken), "127.0.0.1 port %u", options.port);
    CHECK_STR(str_from(reason.text), str_from(taken));
    options.address = "nowhere";
    CHECK_ERR(gateway_open(&options, owner.workers, &other, &reason), ERR_INVALID);
    CHECK_STR(str_from(reason.text), S("nowhere"));
    CHECK(!other);
    owner_close(&owner);
}

TEST_MAIN(CASE(who_does_not_ask_in_time_is_hung_up_on),
          CASE(a_silent_peer_is_pinged_and_then_given_up),
          CASE(half_a_message_ends_the_channel_though_the_peer_goes_on_with_pings),
          CASE(a_peer_that_answers_pings_stays),
          CASE(connections_over_the_limit_are_closed_and_room_is_made_again),
          CASE(a_message_over_the_limit_ends_the_channel_with_1009),
          CASE(messages_over_the_rate_wait_but_are_not_lost),
          CASE(a_full_pool_delays_messages_also_of_newcomers),
          CASE(a_stranger_waits_for_the_pool_no_longer_than_its_time),
          CASE(a_peer_that_does_not_read_is_given_up),
          CASE(closing_waits_for_the_job_that_is_under_way),
          CASE(a_taken_port_is_refused))
