// SPDX-License-Identifier: Apache-2.0
#include "agent/link/keyring.h"

#include "base/arena.h"
#include "test.h"

#include <string.h>

static Arena arena;

static bool same(const Identity *a, const Identity *b) {
    return memcmp(a->seed, b->seed, sizeof(a->seed)) == 0;
}

typedef struct Fixture {
    Identity old;
    Identity new;
    Keyring ring;
} Fixture;

static Fixture ring_of_two(void) {
    Fixture fixture;
    identity_make(&fixture.old);
    identity_make(&fixture.new);
    keyring_init(&fixture.ring, &fixture.old, &fixture.new);
    return fixture;
}

static bool refused(Keyring *ring, const Refusal *refusal) {
    KeyringSaid said = keyring_say(ring);
    return keyring_refused(ring, &said, refusal);
}

static KeyringNews accepted(Keyring *ring, Str key) {
    KeyringSaid said = keyring_say(ring);
    return keyring_accepted(ring, &said, key);
}

static const Refusal invalid = {.code = S("proof_invalid"), .class = REFUSAL_CHANGE};
static const Refusal retired = {.code = S("device_retired"), .class = REFUSAL_NEVER};
static const Refusal busy = {.code = S("busy"), .class = REFUSAL_RETRY};

TEST(without_a_next_key_nothing_is_offered_and_nothing_changes) {
    Identity key;
    identity_make(&key);
    Keyring ring;
    keyring_init(&ring, &key, NULL);
    CHECK(same(keyring_by(&ring), &key) && !keyring_offered(&ring));
    CHECK(!refused(&ring, &invalid));
    CHECK(accepted(&ring, (Str){}) == KEYRING_SAME);
    CHECK(same(keyring_by(&ring), &key));
}

TEST(the_next_key_is_the_present_one_as_soon_as_the_server_says_so) {
    Fixture f = ring_of_two();
    CHECK(same(keyring_by(&f.ring), &f.old) && same(keyring_offered(&f.ring), &f.new));
    CHECK(accepted(&f.ring, (Str){}) == KEYRING_SAME);
    CHECK(accepted(&f.ring, identity_public_key(&f.old, &arena)) == KEYRING_SAME);
    CHECK(same(keyring_by(&f.ring), &f.old) && same(keyring_offered(&f.ring), &f.new));
    CHECK(accepted(&f.ring, identity_public_key(&f.new, &arena)) == KEYRING_SWITCHED);
    CHECK(same(keyring_by(&f.ring), &f.new) && !keyring_offered(&f.ring));
}

TEST(when_the_answer_was_lost_the_new_key_says_hello) {
    const Refusal *refusals[] = {&invalid, &retired};
    for (size_t i = 0; i < 2; i++) {
        Fixture f = ring_of_two();
        CHECK(refused(&f.ring, refusals[i]));
        CHECK(same(keyring_by(&f.ring), &f.new) && !keyring_offered(&f.ring));
        CHECK(accepted(&f.ring, (Str){}) == KEYRING_SWITCHED);
        CHECK(same(keyring_by(&f.ring), &f.new) && !f.ring.has_next);
    }
}

TEST(a_next_key_that_nobody_wants_does_not_shut_the_device_out) {
    Fixture f = ring_of_two();
    CHECK(refused(&f.ring, &invalid));
    CHECK(refused(&f.ring, &invalid));
    CHECK(same(keyring_by(&f.ring), &f.old) && !keyring_offered(&f.ring));
    CHECK(accepted(&f.ring, (Str){}) == KEYRING_FORGOTTEN);
    CHECK(same(keyring_by(&f.ring), &f.old) && !f.ring.has_next);
}

TEST(when_each_way_is_refused_it_waits_and_begins_again) {
    Fixture f = ring_of_two();
    CHECK(refused(&f.ring, &retired));
    CHECK(refused(&f.ring, &retired));
    CHECK(!refused(&f.ring, &retired));
    CHECK(same(keyring_by(&f.ring), &f.old) && same(keyring_offered(&f.ring), &f.new));
}

TEST(a_refusal_that_is_not_about_the_key_leaves_the_keys_alone) {
    Fixture f = ring_of_two();
    CHECK(!refused(&f.ring, &busy));
    CHECK(same(keyring_by(&f.ring), &f.old) && same(keyring_offered(&f.ring), &f.new));
}

TEST(what_is_refused_elsewhere_does_not_change_what_an_answer_is_about) {
    Fixture f = ring_of_two();
    CHECK(refused(&f.ring, &invalid) && refused(&f.ring, &invalid));
    KeyringSaid here = keyring_say(&f.ring); // by the present key alone
    CHECK(!refused(&f.ring, &invalid) && refused(&f.ring, &invalid));
    CHECK(same(keyring_by(&f.ring), &f.new)); // what the next hello would be said with
    CHECK(keyring_accepted(&f.ring, &here, (Str){}) == KEYRING_SAME);
    CHECK(f.ring.has_next && same(&f.ring.present, &f.old));
}

TEST(two_connections_that_are_refused_alike_pass_over_no_way) {
    Fixture f = ring_of_two();
    KeyringSaid here = keyring_say(&f.ring), there = here;
    CHECK(keyring_refused(&f.ring, &here, &invalid));
    CHECK(keyring_refused(&f.ring, &there, &invalid));
    CHECK(f.ring.step == KEYRING_NEXT);
}

TEST(a_key_that_is_offered_later_is_not_meant_by_an_answer_to_an_earlier_hello) {
    Fixture f = ring_of_two();
    CHECK(refused(&f.ring, &invalid));
    KeyringSaid here = keyring_say(&f.ring);
    CHECK(keyring_accepted(&f.ring, &here, (Str){}) == KEYRING_SWITCHED);
    Identity newer;
    identity_make(&newer);
    keyring_offer(&f.ring, &newer);
    CHECK(keyring_accepted(&f.ring, &here, (Str){}) == KEYRING_SAME);
    CHECK(same(keyring_by(&f.ring), &f.new) && same(keyring_offered(&f.ring), &newer));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(without_a_next_key_nothing_is_offered_and_nothing_changes),
        CASE(the_next_key_is_the_present_one_as_soon_as_the_server_says_so),
        CASE(when_the_answer_was_lost_the_new_key_says_hello),
        CASE(a_next_key_that_nobody_wants_does_not_shut_the_device_out),
        CASE(when_each_way_is_refused_it_waits_and_begins_again),
        CASE(what_is_refused_elsewhere_does_not_change_what_an_answer_is_about),
        CASE(two_connections_that_are_refused_alike_pass_over_no_way),
        CASE(a_key_that_is_offered_later_is_not_meant_by_an_answer_to_an_earlier_hello),
        CASE(a_refusal_that_is_not_about_the_key_leaves_the_keys_alone),
    };
    arena_init(&arena, 1024 * 1024);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_done(&arena);
    return failed == 0 ? 0 : 1;
}
