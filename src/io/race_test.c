// SPDX-License-Identifier: Apache-2.0
#include "io/race.h"

#include "test.h"

TEST(only_a_lost_race_is_run_again) {
    Race race = {};
    uint32_t pause_ms = 7;
    CHECK(!race_again(&race, SUCCESS, &pause_ms));
    CHECK(!race_again(&race, FAIL(ERR_EXISTS, "taken"), &pause_ms));
    CHECK(pause_ms == 7);
    CHECK(race_again(&race, FAIL(ERR_CONFLICT, "lost"), &pause_ms));
    CHECK(race.tries == 3);
}

TEST(a_race_that_is_always_lost_ends_after_pauses_of_about_a_second) {
    Race race = {};
    uint32_t runs = 1, pause_ms = 0, paused_ms = 0;
    while (race_again(&race, FAIL(ERR_CONFLICT, "lost"), &pause_ms)) {
        CHECK(pause_ms <= RACE_PAUSE_MAX_MS);
        paused_ms += pause_ms;
        runs++;
    }
    CHECK(runs == RACE_TRIES_MAX);
    CHECK(paused_ms >= 100);
    CHECK(paused_ms < RACE_TRIES_MAX * RACE_PAUSE_MAX_MS);
}

TEST_MAIN(CASE(only_a_lost_race_is_run_again),
          CASE(a_race_that_is_always_lost_ends_after_pauses_of_about_a_second))
