// SPDX-License-Identifier: Apache-2.0
#include "agent/identity.h"

#include "test.h"
#include "wire/agent.h"

static Arena arena;

static Challenge challenge_of(Str nonce) {
    return (Challenge){.nonce = nonce, .now = {1'790'000'000'000}};
}

TEST(the_proof_is_over_nonce_and_token_by_the_key) {
    Identity identity;
    identity_make(&identity);
    Challenge challenge = challenge_of(S("n-1"));
    Str proof;
    CHECK_OK(identity_enrol_proof(&identity, &challenge, S("muster1.a.b"), &arena, &proof));
    Str claims;
    CHECK_OK(jws_verify(identity.key.public, proof, &arena, &claims));
    EnrolProof read;
    CHECK_OK(schema_read(&EnrolProof_schema, claims, DECODE_INPUT, &arena, &read, NULL));
    CHECK_STR(read.aud, S("muster-enrol"));
    CHECK_STR(read.nonce, S("n-1"));
    CHECK_STR(read.token_sha256, sha256_hex(&arena, S("muster1.a.b")));
}

TEST(the_assertion_ends_by_the_servers_clock) {
    Identity identity;
    identity_make(&identity);
    Id device = id_new(S("device"), 1'790'000'000'000);
    Challenge challenge = challenge_of(S("n-2"));
    Str assertion;
    CHECK_OK(identity_assertion(&identity, &device, &challenge, &arena, &assertion));
    Str claims;
    CHECK_OK(jws_verify(identity.key.public, assertion, &arena, &claims));
    AssertionClaims read;
    CHECK_OK(schema_read(&AssertionClaims_schema, claims, DECODE_INPUT, &arena, &read, NULL));
    CHECK_STR(read.iss, id_str(&device));
    CHECK_STR(read.sub, id_str(&device));
    CHECK_STR(read.aud, S("muster-token"));
    CHECK_STR(read.jti, S("n-2"));
    CHECK(read.exp == 1'790'000'000 + 60);
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
        CASE(the_proof_is_over_nonce_and_token_by_the_key),
        CASE(the_assertion_ends_by_the_servers_clock),
        CASE(the_same_seed_is_the_same_identity),
        CASE(a_wiped_identity_has_no_secret_left),
    };
    arena_init(&arena, 1024 * 1024);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_done(&arena);
    return failed == 0 ? 0 : 1;
}
