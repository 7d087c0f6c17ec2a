// SPDX-License-Identifier: Apache-2.0
#include "control/device/presences.h"

#include "test.h"

enum { DEVICES = 2000 };

static Presences *opened(void) {
    Presences *presences = NULL;
    CHECK_OK(presences_open(&presences));
    return presences;
}

static PresenceHere at(uint64_t channel) {
    return (PresenceHere){channel, 1000 + channel, {}};
}

TEST(a_device_that_comes_again_replaces_its_channel) {
    Presences *presences = opened();
    Id device = id_new(S("device"), 1);
    uint64_t replaced = 99;
    CHECK_OK(presences_set(presences, &device, at(7), &replaced));
    CHECK(replaced == 0);
    CHECK_OK(presences_set(presences, &device, at(8), &replaced));
    CHECK(replaced == 7);
    // The old one ends after the new one came.
    CHECK(presences_clear(presences, &device, 7).channel == 0);
    CHECK(presences_heard(presences, &device, 7, 5000).channel == 0);
    CHECK(presences_here(presences, &device).heard_ms == 1008);
    CHECK(presences_heard(presences, &device, 8, 2000).channel == 8);
    CHECK(presences_here(presences, &device).channel == 8);
    PresenceHere left = presences_clear(presences, &device, 8);
    CHECK(left.channel == 8 && left.heard_ms == 2000);
    CHECK(presences_here(presences, &device).channel == 0);
    presences_close(presences);
}

TEST(thousands_come_and_go_and_none_is_mistaken_for_another) {
    Presences *presences = opened();
    static Id devices[DEVICES];
    uint64_t replaced;
    for (size_t i = 0; i < DEVICES; i++) {
        devices[i] = id_new(S("device"), i);
        CHECK_OK(presences_set(presences, &devices[i], at(i + 1), &replaced));
    }
    for (size_t i = 0; i < DEVICES; i += 2)
        presences_clear(presences, &devices[i], i + 1);
    for (size_t i = 0; i < DEVICES; i++)
        CHECK(presences_here(presences, &devices[i]).channel == (i % 2 ? i + 1 : 0));
    presences_close(presences);
}

/// What the device is settled with; zero where it is not.
static uint64_t settled(Presences *presences, const Id *device) {
    return presences_here(presences, device).settled.generation;
}

TEST(a_device_is_settled_until_there_is_news_or_another_channel) {
    Presences *presences = opened();
    Id one = id_new(S("device"), 1), two = id_new(S("device"), 2);
    uint64_t replaced;
    CHECK_OK(presences_set(presences, &one, at(7), &replaced));
    CHECK_OK(presences_set(presences, &two, at(8), &replaced));
    CHECK(settled(presences, &one) == 0);
    presences_settle(presences, &one, 7, (Settled){presences_moment(presences), 5, 3});
    presences_settle(presences, &two, 9, (Settled){presences_moment(presences), 6, 3});
    CHECK(settled(presences, &one) == 5 && settled(presences, &two) == 0); // not its channel
    PresenceHere heard = presences_heard(presences, &one, 7, 2000);
    CHECK(heard.settled.generation == 5 && heard.settled.rev == 3);
    CHECK(presences_heard(presences, &one, 6, 2000).settled.generation == 0);
    const uint64_t before = presences_moment(presences);
    presences_news(presences);
    CHECK(settled(presences, &one) == 0);
    CHECK(presences_heard(presences, &one, 7, 3000).settled.moment == 0);
    // What was read before the news does not settle.
    presences_settle(presences, &one, 7, (Settled){before, 5, 3});
    CHECK(settled(presences, &one) == 0);
    presences_settle(presences, &one, 7, (Settled){presences_moment(presences), 5, 3});
    CHECK(settled(presences, &one) == 5);
    CHECK_OK(presences_set(presences, &one, at(10), &replaced));
    CHECK(replaced == 7 && settled(presences, &one) == 0);
    presences_close(presences);
}

TEST_MAIN(CASE(a_device_that_comes_again_replaces_its_channel),
          CASE(a_device_is_settled_until_there_is_news_or_another_channel),
          CASE(thousands_come_and_go_and_none_is_mistaken_for_another))
