// SPDX-License-Identifier: Apache-2.0
#include "base/seal.h"

#include "test.h"

#include <sodium.h>

static Str sealed_of(const SealKey *key, const char *purpose, Str plain, Arena *arena) {
    Str sealed = {};
    CHECK_OK(seal_make(key, str_from(purpose), plain, arena, &sealed));
    return sealed;
}

TEST(what_is_sealed_opens_again_and_shows_nothing_meanwhile) {
    Arena arena;
    arena_init(&arena, 1 << 20);
    SealKey key;
    seal_key_make(&key);
    static const size_t lengths[] = {0, 1, 32, 5000};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        char *text = ARENA_ARRAY(&arena, char, lengths[i] + 1);
        memset(text, 'k', lengths[i]);
        Str plain = {text, lengths[i]}, opened = {};
        Str sealed = sealed_of(&key, "token.key", plain, &arena);
        Str again = sealed_of(&key, "token.key", plain, &arena);
        CHECK(seal_is(sealed) && seal_is_by(sealed, &key) && !str_eq(sealed, again));
        CHECK(!memmem(sealed.ptr, sealed.len, "kkkkkkkk", 8));
        CHECK_OK(seal_open(&key, S("token.key"), sealed, &arena, &opened, NULL));
        CHECK_STR(opened, plain);
        CHECK(opened.ptr[opened.len] == '\0');
    }
    arena_done(&arena);
}

TEST(every_cut_and_every_changed_bit_is_noticed) {
    Arena arena;
    arena_init(&arena, 16 << 20);
    SealKey key;
    seal_key_make(&key);
    Str sealed = sealed_of(&key, "ca.key", S("secret"), &arena), opened = S("untouched");
    for (size_t len = 0; len < sealed.len; len++) {
        Err err = seal_open(&key, S("ca.key"), (Str){sealed.ptr, len}, &arena, &opened, NULL);
        CHECK_ERR(err, ERR_INVALID);
    }
    for (size_t bit = 0; bit < sealed.len * 8; bit++) {
        char *copy = ARENA_ARRAY(&arena, char, sealed.len);
        memcpy(copy, sealed.ptr, sealed.len);
        copy[bit / 8] = (char)(copy[bit / 8] ^ (1 << (bit % 8)));
        Err err = seal_open(&key, S("ca.key"), (Str){copy, sealed.len}, &arena, &opened, NULL);
        CHECK(err.code == ERR_INVALID || err.code == ERR_STATE);
    }
    CHECK_STR(opened, S("untouched"));
    arena_done(&arena);
}

TEST(a_seal_is_for_one_purpose_and_by_one_key) {
    Arena arena;
    arena_init(&arena, 1 << 20);
    SealKey key, other;
    seal_key_make(&key);
    seal_key_make(&other);
    Str sealed = sealed_of(&key, "ca.key", S("secret"), &arena), opened;
    CHECK_ERR(seal_open(&key, S("token.key"), sealed, &arena, &opened, NULL), ERR_INVALID);
    Reason reason = {};
    CHECK(!seal_is_by(sealed, &other));
    CHECK_ERR(seal_open(&other, S("ca.key"), sealed, &arena, &opened, &reason), ERR_STATE);
    CHECK_SAID(reason, key.id);
    CHECK_SAID(reason, other.id);
    arena_done(&arena);
}

TEST(a_key_is_a_line_of_text) {
    Arena arena;
    arena_init(&arena, 1 << 20);
    SealKey key, read;
    seal_key_make(&key);
    Str text = seal_key_text(&key, &arena);
    CHECK(text.len == 2 * SEAL_KEY_LEN + 1);
    CHECK_OK(seal_key_parse(text, &read));
    CHECK(memcmp(&read, &key, sizeof(key)) == 0);
    CHECK_OK(seal_key_parse(str_print(&arena, "  %.*s\n\n", STR_FMT(text)), &read));
    CHECK_ERR(seal_key_parse(str_slice(text, 1, text.len), &read), ERR_INVALID);
    CHECK_ERR(seal_key_parse(str_print(&arena, "%.*s0", STR_FMT(text)), &read), ERR_INVALID);
    CHECK_OK(seal_key_parse(str_print(&arena, "%064d", 0), &read));
    CHECK_ERR(seal_key_parse(str_print(&arena, "g%063d", 0), &read), ERR_INVALID);
    CHECK_ERR(seal_key_parse((Str){}, &read), ERR_INVALID);
    arena_done(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(what_is_sealed_opens_again_and_shows_nothing_meanwhile),
        CASE(every_cut_and_every_changed_bit_is_noticed),
        CASE(a_seal_is_for_one_purpose_and_by_one_key),
        CASE(a_key_is_a_line_of_text),
    };
    return sodium_init() >= 0 && cmocka_run_group_tests(tests, NULL, NULL) == 0 ? 0 : 1;
}
