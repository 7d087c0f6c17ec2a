// SPDX-License-Identifier: Apache-2.0
#include "base/jws.h"

#include "base/arena.h"
#include "test.h"

#include <string.h>

TEST(a_token_verifies_only_with_its_key_and_unchanged) {
    JwsKey key, other;
    jws_key_make(&key);
    jws_key_make(&other);
    Arena arena;
    arena_init(&arena, 64 * 1024);
    Text token;
    text_init(&token, JWS_TOKEN_MAX);
    jws_sign(&key, S("{\"sub\":\"x\"}"), &token);
    CHECK_OK(text_check(&token));
    Str claims;
    CHECK_OK(jws_verify(key.public, text_str(&token), &arena, &claims));
    CHECK_STR(claims, S("{\"sub\":\"x\"}"));
    CHECK_ERR(jws_verify(other.public, text_str(&token), &arena, &claims), ERR_UNAUTHENTICATED);
    for (size_t i = 0; i < token.len; i++) { // no character may change, not even to another case
        char kept = token.ptr[i];
        token.ptr[i] = kept == 'A' ? 'B' : 'A';
        CHECK_ERR(jws_verify(key.public, text_str(&token), &arena, &claims), ERR_UNAUTHENTICATED);
        token.ptr[i] = kept;
    }
    text_done(&token);
    arena_done(&arena);
}

TEST(the_example_of_rfc_8037_has_another_header_and_is_refused) {
    Arena arena;
    arena_init(&arena, 64 * 1024);
    const uint8_t key[32] = {};
    Str claims;
    CHECK_ERR(jws_verify(key, S("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZQ.AA"), &arena, &claims),
              ERR_UNAUTHENTICATED);
    CHECK_ERR(jws_verify(key, S("eyJhbGciOiJub25lIn0.e30."), &arena, &claims), ERR_UNAUTHENTICATED);
    CHECK_ERR(jws_verify(key, S(""), &arena, &claims), ERR_UNAUTHENTICATED);
    CHECK_ERR(jws_peek(S("a.b.c.d"), &arena, &claims), ERR_UNAUTHENTICATED);
    arena_done(&arena);
}

TEST(hashes_and_base64_match_known_values) {
    Arena arena;
    arena_init(&arena, 4096);
    CHECK_STR(sha256_hex(&arena, S("abc")),
              S("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    CHECK_STR(base64_encode(&arena, (Bytes){(const uint8_t *)"fooba", 5}, BASE64), S("Zm9vYmE="));
    uint8_t bytes[5];
    CHECK_OK(base64_decode_exact(S("Zm9vYmE="), bytes, 5));
    CHECK(memcmp(bytes, "fooba", 5) == 0);
    CHECK_ERR(base64_decode_exact(S("Zm9vYmE"), bytes, 5), ERR_INVALID);
    CHECK_ERR(base64_decode_exact(S("Zm9vYg=="), bytes, 5), ERR_INVALID);
    CHECK(secret_make(&arena, 32).len == 43);
    arena_done(&arena);
}

TEST_MAIN(CASE(a_token_verifies_only_with_its_key_and_unchanged),
          CASE(the_example_of_rfc_8037_has_another_header_and_is_refused),
          CASE(hashes_and_base64_match_known_values))
