// SPDX-License-Identifier: Apache-2.0
#include "control/device/device.h"

#include "control/fleet/fleet.h"
#include "test.h"

enum { HEARTBEAT_MS = 30'000 };

TEST(silence_makes_a_device_late_and_then_offline) {
    const Time seen = {1'000'000};
    CHECK(device_presence(false, (Time){}, HEARTBEAT_MS, 5) == PRESENCE_NEVER);
    CHECK(device_presence(true, (Time){}, HEARTBEAT_MS, 5) == PRESENCE_ONLINE);
    CHECK(device_presence(false, seen, HEARTBEAT_MS, seen.ms + 45'000) == PRESENCE_ONLINE);
    CHECK(device_presence(false, seen, HEARTBEAT_MS, seen.ms + 45'001) == PRESENCE_LATE);
    CHECK(device_presence(false, seen, HEARTBEAT_MS, seen.ms + 90'000) == PRESENCE_LATE);
    CHECK(device_presence(false, seen, HEARTBEAT_MS, seen.ms + 90'001) == PRESENCE_OFFLINE);
    CHECK(device_presence(false, seen, HEARTBEAT_MS, seen.ms - 1) == PRESENCE_ONLINE);
}

TEST(a_generation_always_grows) {
    CHECK(fleet_next_generation(0, 5) == 5);
    CHECK(fleet_next_generation(5, 5) == 6);
    CHECK(fleet_next_generation(9, 5) == 10); // the clock went back
}

TEST_MAIN(CASE(silence_makes_a_device_late_and_then_offline), CASE(a_generation_always_grows))
