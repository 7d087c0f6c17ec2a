// SPDX-License-Identifier: Apache-2.0
/// Channels and requests on one port: who makes room for whom.
#include "base/clock.h"
#include "channel/site_fixture.h"
#include "test.h"

#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LONG_ENOUGH_US = 1'100'000 }; ///< that an idle connection may be given up

/// Connections of a kind, which are kept.
typedef struct Held {
    Raw raws[8];
    size_t count;
} Held;

static void held_close(Held *held) {
    for (size_t i = 0; i < held->count; i++)
        raw_close(&held->raws[i]);
}

static bool is_there(const Raw *raw) {
    char left;
    ssize_t got = recv(raw->fd, &left, 1, MSG_PEEK | MSG_DONTWAIT);
    return got > 0 || (got < 0 && errno == EAGAIN);
}

TEST(one_port_has_requests_and_channels) {
    Site site;
    site_open(&site);
    Raw raw = raw_open_known(&site.owner);
    Raw web = asked(&site, GET("/later"));
    hear(&web, 200, "later");
    Text bytes;
    text_init(&bytes, 100);
    raw_add_message(&bytes, S("both"));
    CHECK(raw_send(&raw, text_str(&bytes)));
    raw_expect(&raw, S("both"));
    text_done(&bytes);
    raw_close(&raw);
    raw_close(&web);
    site_close(&site);
}

TEST(who_is_idle_for_longest_makes_room_and_a_known_peer_does_not) {
    Site site = {};
    GatewayOptions options = owner_options(&site.owner);
    options.connections_max = 4;
    site_open_with(&site, options);
    Raw known = raw_open_known(&site.owner);
    Raw mute = raw_connect(&site.owner);
    Raw half = asked(&site, "GET / HTT");
    Raw web = asked(&site, GET("/later"));
    hear(&web, 200, "later");
    Raw soon = raw_connect(&site.owner); // nobody has been idle for long
    raw_drain(&soon);
    raw_close(&soon);
    usleep(LONG_ENOUGH_US);
    CHECK(raw_send(&web, S(GET("/later")))); // is not idle any more
    hear(&web, 200, "later");
    Held new = {};
    for (; new.count < 2; new.count++) {
        new.raws[new.count] = asked(&site, GET("/later"));
        hear(&new.raws[new.count], 200, "later");
    }
    raw_drain(&mute);
    raw_drain(&half);
    CHECK(is_there(&known) && is_there(&web));
    CHECK(raw_send(&web, S(GET("/later"))));
    hear(&web, 200, "later");
    raw_close(&mute);
    raw_close(&half);
    raw_close(&known);
    raw_close(&web);
    held_close(&new);
    site_close(&site);
}

TEST(who_is_served_does_not_make_room) {
    Site site = {};
    GatewayOptions options = owner_options(&site.owner);
    options.connections_max = 1;
    site_open_with(&site, options);
    atomic_store(&site.is_held, true);
    Raw busy = asked(&site, GET("/held"));
    usleep(LONG_ENOUGH_US);
    Raw other = raw_connect(&site.owner);
    raw_drain(&other);
    raw_close(&other);
    atomic_store(&site.is_held, false);
    hear(&busy, 200, "held");
    raw_close(&busy);
    site_close(&site);
}

TEST(channels_leave_room_for_requests) {
    Site site = {};
    GatewayOptions options = owner_options(&site.owner);
    options.connections_max = 8;
    options.channels_max = 2;
    site_open_with(&site, options);
    Held known = {.count = 2};
    for (size_t i = 0; i < 2; i++)
        known.raws[i] = raw_open_known(&site.owner);
    Text bytes;
    text_init(&bytes, 100);
    raw_add_message(&bytes, S("good"));
    Raw third = raw_open(&site.owner);
    CHECK(raw_send(&third, text_str(&bytes)));
    CHECK_STR(raw_expect_close(&third, FRAME_TRY_LATER), S("the server is full"));
    raw_close(&third);
    Raw web = asked(&site, GET("/later"));
    hear(&web, 200, "later");
    CHECK(is_there(&known.raws[0]) && is_there(&known.raws[1]));
    text_done(&bytes);
    raw_close(&web);
    held_close(&known);
    site_close(&site);
}

TEST(a_known_peer_does_not_count_for_its_address) {
    Site site = {};
    GatewayOptions options = owner_options(&site.owner);
    options.connections_per_address_max = 1;
    site_open_with(&site, options);
    Held known = {};
    for (; known.count < 4; known.count++)
        known.raws[known.count] = raw_open_known(&site.owner);
    Raw web = asked(&site, GET("/later"));
    hear(&web, 200, "later");
    Raw more = raw_connect(&site.owner);
    raw_drain(&more);
    raw_close(&more);
    raw_close(&web);
    held_close(&known);
    site_close(&site);
}

TEST_MAIN(CASE(one_port_has_requests_and_channels),
          CASE(who_is_idle_for_longest_makes_room_and_a_known_peer_does_not),
          CASE(who_is_served_does_not_make_room),
          CASE(channels_leave_room_for_requests),
          CASE(a_known_peer_does_not_count_for_its_address))
