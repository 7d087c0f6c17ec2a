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
    return (PresenceHere){channel, 1000 + channel};
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
    presences_heard(presences, &device, (PresenceHere){7, 5000});
    CHECK(presences_here(presences, &device).heard_ms == 1008);
    presences_heard(presences, &device, (PresenceHere){8, 2000});
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

TEST_MAIN(CASE(a_device_that_comes_again_replaces_its_channel),
          CASE(thousands_come_and_go_and_none_is_mistaken_for_another))
