// SPDX-License-Identifier: Apache-2.0
#include "agent/link/backoff.h"

#include "test.h"

TEST(each_wait_is_in_the_upper_half_of_a_doubling_span) {
    Backoff backoff = {.first_ms = 1000, .max_ms = 60'000, .random = 7};
    for (uint64_t span = 1000; span < 60'000; span *= 2) {
        uint64_t wait = backoff_next(&backoff, 0);
        CHECK(wait >= span / 2 && wait <= span);
    }
}

TEST(waits_are_capped_for_ever) {
    Backoff backoff = {.first_ms = 1000, .max_ms = 45'000, .random = 1};
    for (int i = 0; i < 200; i++)
        CHECK(backoff_next(&backoff, 0) <= 45'000);
    backoff.tries = UINT32_MAX;
    CHECK(backoff_next(&backoff, 0) <= 45'000);
    CHECK(backoff.tries == UINT32_MAX);
}

TEST(what_the_server_asks_for_is_the_least) {
    Backoff backoff = {.first_ms = 1000, .max_ms = 60'000, .random = 3};
    for (int i = 0; i < 100; i++)
        CHECK(backoff_next(&backoff, 120'000) >= 120'000);
    CHECK(backoff_next(&backoff, 120'000) <= 180'000);
}

TEST(success_begins_anew) {
    Backoff backoff = {.first_ms = 1000, .max_ms = 60'000, .random = 3};
    for (int i = 0; i < 10; i++)
        CHECK(backoff_next(&backoff, 0) > 0);
    backoff_reset(&backoff);
    CHECK(backoff_next(&backoff, 0) <= 1000);
}

TEST(two_devices_do_not_wait_alike) {
    Backoff a = {.first_ms = 1000, .max_ms = 60'000, .random = 1};
    Backoff b = {.first_ms = 1000, .max_ms = 60'000, .random = 2};
    int same = 0;
    for (int i = 0; i < 20; i++)
        same += backoff_next(&a, 0) == backoff_next(&b, 0);
    CHECK(same < 3);
}

TEST(jitter_covers_its_span_and_no_more) {
    Backoff backoff = {.first_ms = 1, .max_ms = 1, .random = 5};
    uint64_t seen = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t jitter = backoff_jitter(&backoff, 3);
        CHECK(jitter <= 3);
        seen |= 1ULL << jitter;
    }
    CHECK(seen == 0xf);
}

TEST_MAIN(CASE(each_wait_is_in_the_upper_half_of_a_doubling_span),
          CASE(waits_are_capped_for_ever),
          CASE(what_the_server_asks_for_is_the_least),
          CASE(success_begins_anew),
          CASE(two_devices_do_not_wait_alike),
          CASE(jitter_covers_its_span_and_no_more))
