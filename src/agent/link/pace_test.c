// SPDX-License-Identifier: Apache-2.0
#include "agent/link/pace.h"

#include "test.h"

static const TieEnd failed = {.kind = TIE_FAILED};

static TieEnd refused(RefusalClass class) {
    return (TieEnd){.kind = TIE_REFUSED, .class = class};
}

static uint64_t longest(Pace *pace, const TieEnd *end) {
    uint64_t most = 0;
    for (int i = 0; i < 60; i++) {
        uint64_t ms = pace_next(pace, end);
        if (ms > most) most = ms;
    }
    return most;
}

TEST(the_servers_are_tried_in_their_order_and_a_round_ends_with_back_off) {
    Pace pace;
    pace_init(&pace, 3, 1);
    CHECK(pace.at == 0);
    CHECK(pace_next(&pace, &failed) <= 500 && pace.at == 1);
    CHECK(pace_next(&pace, &failed) <= 500 && pace.at == 2);
    CHECK(pace_next(&pace, &failed) >= 500 && pace.at == 0);
    pace_next(&pace, &failed);
    pace_next(&pace, &failed);
    CHECK(pace_next(&pace, &failed) >= 1000 && pace.at == 0);
}

TEST(after_the_loss_of_an_open_tie_the_first_server_comes_first) {
    Pace pace;
    pace_init(&pace, 3, 1);
    pace_next(&pace, &failed);
    pace_open(&pace);
    TieEnd lost = {.kind = TIE_FAILED, .was_open = true};
    uint64_t ms = pace_next(&pace, &lost);
    CHECK(pace.at == 0 && ms >= 500 && ms <= 1000);
}

TEST(each_class_of_refusal_has_its_longest_wait) {
    Pace pace;
    pace_init(&pace, 1, 7);
    TieEnd end = refused(REFUSAL_RETRY);
    uint64_t most = longest(&pace, &end);
    CHECK(most > 60'000 && most <= 120'000);
    pace_open(&pace);
    end = refused(REFUSAL_CHANGE);
    most = longest(&pace, &end);
    CHECK(most > 1'800'000 && most <= 3'600'000);
    end = refused(REFUSAL_NEVER);
    CHECK(pace_next(&pace, &end) >= 4 * 3'600'000);
    CHECK(longest(&pace, &end) <= 8 * 3'600'000);
}

TEST(a_server_that_asks_for_more_time_gets_it) {
    Pace pace;
    pace_init(&pace, 1, 7);
    TieEnd end = refused(REFUSAL_RETRY);
    end.retry_after_s = 300;
    CHECK(pace_next(&pace, &end) >= 300'000);
    end.retry_after_s = INT64_MAX; // it means never, or nothing
    uint64_t longest_ms = pace_next(&pace, &end);
    CHECK(longest_ms >= 86'400'000 && longest_ms < 2 * 86'400'000);
}

TEST(a_busy_server_makes_way_for_the_next) {
    Pace pace;
    pace_init(&pace, 2, 7);
    TieEnd end = refused(REFUSAL_RETRY);
    CHECK(pace_next(&pace, &end) >= 500 && pace.at == 1);
    pace_next(&pace, &end);
    CHECK(pace.at == 0);
}

TEST(whoever_is_sent_away_comes_back_within_1_to_5_seconds) {
    Pace pace;
    pace_init(&pace, 1, 7);
    TieEnd away = {.kind = TIE_AWAY, .was_open = true};
    for (int i = 0; i < 100; i++) {
        uint64_t ms = pace_next(&pace, &away);
        CHECK(ms >= 1000 && ms <= 5000);
    }
    CHECK(longest(&pace, &away) > 4000);
}

TEST(whoever_was_replaced_comes_back_after_5_to_15_minutes) {
    Pace pace;
    pace_init(&pace, 1, 7);
    TieEnd replaced = {.kind = TIE_REPLACED, .was_open = true};
    for (int i = 0; i < 100; i++) {
        uint64_t ms = pace_next(&pace, &replaced);
        CHECK(ms >= 300'000 && ms <= 900'000);
    }
}

TEST_MAIN(CASE(the_servers_are_tried_in_their_order_and_a_round_ends_with_back_off),
          CASE(after_the_loss_of_an_open_tie_the_first_server_comes_first),
          CASE(each_class_of_refusal_has_its_longest_wait),
          CASE(a_server_that_asks_for_more_time_gets_it),
          CASE(a_busy_server_makes_way_for_the_next),
          CASE(whoever_is_sent_away_comes_back_within_1_to_5_seconds),
          CASE(whoever_was_replaced_comes_back_after_5_to_15_minutes))
