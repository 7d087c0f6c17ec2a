// SPDX-License-Identifier: Apache-2.0
#include "agent/identity.h"

#include "test.h"

static Arena arena;

TEST(a_proof_has_its_claims_and_is_by_the_key) {
    Identity identity;
    identity_make(&identity);
    uint8_t binding[BINDING_LEN] = {1, 2, 3};
    Proof claims = {
        .aud = id_new(S("installation"), 1),
        .use = PROOF_HELLO,
        .nonce = S("n-1"),
        .sub = id_new(S("device"), 1),
        .binding = {binding, sizeof(binding)},
        .about = S("key"),
    };
    Str proof;
    CHECK_OK(identity_prove(&identity, &claims, &arena, &proof));
    Str json;
    CHECK_OK(jws_verify(identity.key.public, proof, &arena, &json));
    Proof read;
    CHECK_OK(schema_read(&Proof_schema, json, DECODE_INPUT, &arena, &read, NULL));
    CHECK(id_eq(&read.aud, &claims.aud) && id_eq(&read.sub, &claims.sub));
    CHECK(read.use == PROOF_HELLO && read.binding.len == BINDING_LEN && read.binding.ptr[2] == 3);
    CHECK_STR(read.nonce, S("n-1"));
    CHECK_STR(read.about, S("key"));
    Identity other;
    identity_make(&other);
    CHECK_ERR(jws_verify(other.key.public, proof, &arena, &json), ERR_UNAUTHENTICATED);
}

TEST(what_a_proof_does_not_carry_is_not_in_it) {
    Identity identity;
    identity_make(&identity);
    Proof claims = {
        .aud = id_new(S("installation"), 1), .use = PROOF_ENROL, .nonce = S("n"), .about = S("a")};
    Str proof;
    CHECK_OK(identity_prove(&identity, &claims, &arena, &proof));
    Str json;
    CHECK_OK(jws_peek(proof, &arena, &json));
    Proof read;
    CHECK_OK(schema_read(&Proof_schema, json, DECODE_INPUT, &arena, &read, NULL));
    CHECK(id_is_absent(&read.sub) && !read.binding.ptr);
}

TEST(the_same_seed_is_the_same_identity) {
    Identity first;
    identity_make(&first);
    Identity second;
    identity_from_seed(first.seed, &second);
    CHECK_STR(identity_public_key(&second, &arena), identity_public_key(&first, &arena));
    Identity other;
    identity_make(&other);
    CHECK(!str_eq(identity_public_key(&other, &arena), identity_public_key(&first, &arena)));
}

TEST(a_wiped_identity_has_no_secret_left) {
    Identity identity;
    identity_make(&identity);
    identity_wipe(&identity);
    for (size_t i = 0; i < sizeof(identity); i++)
        CHECK(((uint8_t *)&identity)[i] == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_proof_has_its_claims_and_is_by_the_key),
        CASE(what_a_proof_does_not_carry_is_not_in_it),
        CASE(the_same_seed_is_the_same_identity),
        CASE(a_wiped_identity_has_no_secret_left),
    };
    arena_init(&arena, 1024 * 1024);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_done(&arena);
    return failed == 0 ? 0 : 1;
}
