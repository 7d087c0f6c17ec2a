// SPDX-License-Identifier: Apache-2.0
#include "base/str.h"

#include "base/arena.h"
#include "base/text.h"
#include "test.h"

TEST(cut_yields_each_part_and_ends) {
    Str rest = S("a,,b");
    Str part;
    CHECK(str_cut(&rest, ',', &part));
    CHECK_STR(part, S("a"));
    CHECK(str_cut(&rest, ',', &part));
    CHECK_STR(part, S(""));
    CHECK(str_cut(&rest, ',', &part));
    CHECK_STR(part, S("b"));
    CHECK(!str_cut(&rest, ',', &part));
}

TEST(numbers_are_digits_within_64_bits) {
    uint64_t value = 7;
    CHECK_OK(str_u64(S("18446744073709551615"), &value));
    CHECK(value == UINT64_MAX);
    CHECK_ERR(str_u64(S("18446744073709551616"), &value), ERR_INVALID);
    CHECK_ERR(str_u64(S("-1"), &value), ERR_INVALID);
    CHECK_ERR(str_u64(S(""), &value), ERR_INVALID);
    CHECK(value == UINT64_MAX);
}

TEST(an_arena_refuses_beyond_its_limit_and_remembers) {
    Arena arena;
    arena_init(&arena, 100);
    CHECK(arena_alloc(&arena, 60, 8) != NULL);
    CHECK(arena_alloc(&arena, 60, 8) == NULL);
    CHECK_ERR(arena_check(&arena), ERR_LIMIT);
    arena_reset(&arena);
    CHECK_OK(arena_check(&arena));
    CHECK_STR(str_print(&arena, "%d-%s", 7, "x"), S("7-x"));
    arena_done(&arena);
}

TEST(text_drops_everything_after_its_limit) {
    Text text;
    text_init(&text, 5);
    text_add(&text, S("abc"));
    text_add(&text, S("def"));
    text_add(&text, S("g"));
    CHECK_STR(text_str(&text), S("abc"));
    CHECK_ERR(text_check(&text), ERR_LIMIT);
    text_done(&text);
}

TEST(numbers_are_written_in_all_their_digits) {
    Text text;
    text_init(&text, 100);
    text_add_u64(&text, 0);
    text_add_char(&text, ' ');
    text_add_u64(&text, UINT64_MAX);
    text_add_char(&text, ' ');
    text_add_i64(&text, INT64_MIN);
    text_add_char(&text, ' ');
    text_add_i64(&text, INT64_MAX);
    CHECK_STR(text_str(&text),
              S("0 18446744073709551615 -9223372036854775808 9223372036854775807"));
    text_done(&text);
}

TEST(json_strings_escape_what_must_be_and_mend_broken_utf8) {
    Text text;
    text_init(&text, 100);
    text_add_json(&text, S("a\"\\\n\x01\xc3\xa9\xff\xed\xa0\x80/"));
    CHECK_STR(
        text_str(&text),
        S("\"a\\\"\\\\\\n\\u0001\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd/\""));
    text_done(&text);
}

TEST(text_is_utf8_without_nul) {
    CHECK(str_is_text(S("")) && str_is_text((Str){}));
    CHECK(str_is_text(S("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80")));
    const Str bad[] = {S("a\0b"),
                       S("\xff"),
                       S("\xc3"),
                       S("\xc0\xaf"),
                       S("\xe0\x80\xaf"),
                       S("\xed\xa0\x80"),
                       S("\xf4\x90\x80\x80")};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK(!str_is_text(bad[i]));
}

TEST_MAIN(CASE(text_is_utf8_without_nul),
          CASE(cut_yields_each_part_and_ends),
          CASE(numbers_are_digits_within_64_bits),
          CASE(an_arena_refuses_beyond_its_limit_and_remembers),
          CASE(text_drops_everything_after_its_limit),
          CASE(numbers_are_written_in_all_their_digits),
          CASE(json_strings_escape_what_must_be_and_mend_broken_utf8))
