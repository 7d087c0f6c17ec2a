// SPDX-License-Identifier: Apache-2.0
#include "control/operator/operator.h"

#include "test.h"

TEST(only_the_password_itself_matches_its_hash) {
    Arena arena;
    arena_init(&arena, 4096);
    Str hash;
    CHECK_OK(password_hash(S("correct horse"), &arena, &hash));
    CHECK(str_starts(hash, S("$argon2id$v=19$m=19456,t=2,p=1$")));
    CHECK(password_matches(hash, S("correct horse")));
    CHECK(!password_matches(hash, S("correct horsf")));
    CHECK(!password_matches(S("nonsense"), S("correct horse")));
    CHECK(!password_matches((Str){}, S("")));
    arena_done(&arena);
}

TEST(guessing_is_bounded_by_address_and_in_parallel) {
    LoginGate *gate = NULL;
    uint64_t retry_s = 0;
    CHECK_OK(login_gate_open(2, 3, 60'000, &gate));
    CHECK_OK(login_gate_enter(gate, S("a"), 1000, &retry_s));
    CHECK_OK(login_gate_enter(gate, S("b"), 1000, &retry_s));
    CHECK_ERR(login_gate_enter(gate, S("c"), 1000, &retry_s), ERR_BUSY);
    CHECK(retry_s == 1);
    login_gate_leave(gate, S("b"), 1000, false);
    login_gate_leave(gate, S("a"), 1000, true);
    for (int i = 0; i < 2; i++) {
        CHECK_OK(login_gate_enter(gate, S("a"), 1000, &retry_s));
        login_gate_leave(gate, S("a"), 1000, true);
    }
    CHECK_ERR(login_gate_enter(gate, S("a"), 2000, &retry_s), ERR_BUSY);
    CHECK(retry_s == 59);
    CHECK_OK(login_gate_enter(gate, S("b"), 2000, &retry_s)); // another address may
    login_gate_leave(gate, S("b"), 2000, false);
    CHECK_OK(login_gate_enter(gate, S("a"), 61'000, &retry_s)); // the window is over
    login_gate_leave(gate, S("a"), 61'000, false);
    login_gate_close(gate);
}

TEST_MAIN(CASE(only_the_password_itself_matches_its_hash),
          CASE(guessing_is_bounded_by_address_and_in_parallel))
