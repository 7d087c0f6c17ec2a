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

TEST(any_host_name_becomes_a_slug_or_nothing) {
    Arena arena;
    arena_init(&arena, 4096);
    CHECK_STR(device_name_from(S("Cam 01.Factory_"), &arena), S("cam-01.factory"));
    CHECK_STR(device_name_from(S("--x"), &arena), S("x"));
    CHECK(!device_name_from(S("\xc3\xa9 !"), &arena).ptr);
    CHECK(!device_name_from((Str){}, &arena).ptr);
    Str longest = device_name_from(
        S("0123456789012345678901234567890123456789012345678901234567890123456789"), &arena);
    CHECK(longest.len == 63 && Pattern_slug.matches(longest));
    arena_done(&arena);
}

TEST(a_desired_version_always_grows) {
    CHECK(fleet_next_generation(0, 5) == 5);
    CHECK(fleet_next_generation(5, 5) == 6);
    CHECK(fleet_next_generation(9, 5) == 10); // the clock went back
}

TEST_MAIN(CASE(silence_makes_a_device_late_and_then_offline),
          CASE(any_host_name_becomes_a_slug_or_nothing),
          CASE(a_desired_version_always_grows))
