// SPDX-License-Identifier: Apache-2.0
#include "io/race.h"

#include "base/clock.h"
#include "test.h"

TEST(only_a_lost_race_is_run_again) {
    Race race = {};
    CHECK(!race_again(&race, SUCCESS));
    CHECK(!race_again(&race, FAIL(ERR_EXISTS, "taken")));
    CHECK(race_again(&race, FAIL(ERR_CONFLICT, "lost")));
    CHECK(race.tries == 3);
}

TEST(a_race_that_is_always_lost_ends_within_a_few_seconds) {
    uint64_t start_ms = clock_monotonic_ms();
    Race race = {};
    uint32_t runs = 0;
    do {
        runs++;
    } while (race_again(&race, FAIL(ERR_CONFLICT, "lost")));
    CHECK(runs == RACE_TRIES_MAX);
    uint64_t took_ms = clock_monotonic_ms() - start_ms;
    CHECK(took_ms >= 100); // there were pauses
    CHECK(took_ms < (uint64_t)RACE_TRIES_MAX * RACE_PAUSE_MAX_MS * 2);
}

TEST_MAIN(CASE(only_a_lost_race_is_run_again),
          CASE(a_race_that_is_always_lost_ends_within_a_few_seconds))
