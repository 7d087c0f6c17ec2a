// SPDX-License-Identifier: Apache-2.0
#include "control/device/challenge.h"

#include "test.h"

enum { LIFE_MS = 60'000, NOW_MS = 1'000'000 };

static Challenges *opened(void) {
    Challenges *challenges = NULL;
    CHECK_OK(challenges_open(LIFE_MS, &challenges));
    return challenges;
}

TEST(a_nonce_is_good_once_but_for_the_call_that_spent_it) {
    Challenges *challenges = opened();
    Arena arena;
    arena_init(&arena, 4096);
    Str nonce;
    CHECK_OK(challenge_make(challenges, NOW_MS, &arena, &nonce));
    CHECK_OK(challenge_spend(challenges, nonce, S("call-1"), NOW_MS + 1));
    CHECK_OK(challenge_spend(challenges, nonce, S("call-1"), NOW_MS + 2)); // the call runs again
    CHECK_ERR(challenge_spend(challenges, nonce, S("call-2"), NOW_MS + 3), ERR_UNAUTHENTICATED);
    arena_done(&arena);
    challenges_close(challenges);
}

TEST(a_nonce_ends_and_cannot_be_made_up) {
    Challenges *challenges = opened();
    Challenges *other = opened();
    Arena arena;
    arena_init(&arena, 4096);
    Str nonce, foreign;
    CHECK_OK(challenge_make(challenges, NOW_MS, &arena, &nonce));
    CHECK_OK(challenge_make(other, NOW_MS, &arena, &foreign));
    CHECK_ERR(challenge_spend(challenges, nonce, S("c"), NOW_MS + LIFE_MS + 1),
              ERR_UNAUTHENTICATED);
    CHECK_ERR(challenge_spend(challenges, nonce, S("c"), NOW_MS - 1), ERR_UNAUTHENTICATED);
    CHECK_ERR(challenge_spend(challenges, foreign, S("c"), NOW_MS), ERR_UNAUTHENTICATED);
    CHECK_ERR(challenge_spend(challenges, S(""), S("c"), NOW_MS), ERR_UNAUTHENTICATED);
    CHECK_ERR(challenge_spend(challenges, str_slice(nonce, 1, nonce.len), S("c"), NOW_MS),
              ERR_UNAUTHENTICATED);
    CHECK_OK(challenge_spend(challenges, nonce, S("c"), NOW_MS));
    arena_done(&arena);
    challenges_close(other);
    challenges_close(challenges);
}

TEST_MAIN(CASE(a_nonce_is_good_once_but_for_the_call_that_spent_it),
          CASE(a_nonce_ends_and_cannot_be_made_up))
