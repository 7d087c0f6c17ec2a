// SPDX-License-Identifier: Apache-2.0
#include "base/schema.h"

#include "base/scope.h"
#include "test.h"

#include <locale.h>

static void check_canonical(const char *json, const char *expected) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 1 << 16);
    Str once = {};
    Str twice = {};
    CHECK_OK(json_canonical(&arena, str_from(json), &once));
    CHECK_STR(once, str_from(expected));
    CHECK_OK(json_canonical(&arena, once, &twice));
    CHECK_STR(twice, once);
}

TEST(canonical_json_sorts_keys_and_has_no_blanks) {
    check_canonical(" { \"b\" : [ 1 , true , null ] , \"a\" : { \"z\" : \"\" , \"A\" : 0 } } ",
                    "{\"a\":{\"A\":0,\"z\":\"\"},\"b\":[1,true,null]}");
    check_canonical("[]", "[]");
    check_canonical("{}", "{}");
    check_canonical("\"x\"", "\"x\"");
}

TEST(canonical_json_uses_the_shortest_escapes) {
    check_canonical("\"\\u0041\\/\\u00e9\\ud83d\\ude00\\u001F\\u000a\\u0022\"",
                    "\"A/\xc3\xa9\xf0\x9f\x98\x80\\u001f\\n\\\"\"");
}

TEST(equal_numbers_have_equal_text) {
    check_canonical("[1.0,1e0,10e-1,-0,-0.0,0.1e1]", "[1,1,1,0,0,1]");
    check_canonical(
        "[0.1,1e-7,2.5e300,0.30000000000000004,5e-324,1e15]",
        "[0.1,1e-07,2.5e+300,0.30000000000000004,4.94065645841247e-324,1000000000000000]");
    check_canonical("[9007199254740993,-9223372036854775808,1e22]",
                    "[9007199254740993,-9223372036854775808,1e+22]");
}

TEST(what_is_not_json_is_refused) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 1 << 16);
    Str json = S("kept");
    const char *bad[] = {
        "", " ", "{", "[1,]", "{\"a\":1,\"a\":2}", "nul", "1 2", "'a'", "1e999", "[NaN]"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK_ERR(json_canonical(&arena, str_from(bad[i]), &json), ERR_INVALID);
    CHECK_STR(json, S("kept"));
}

TEST(a_nul_is_refused_wherever_it_stands) {
    static const Str texts[] = {
        {"[1\0]",       4 },
        {"[{},null\0]", 10},
        {"{\"a\":1\0}", 8 },
        {"\0[]",        3 },
        {"[]\0",        3 },
        {"[\"\0\"]",    5 }
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        SCOPED(arena_done) Arena arena;
        arena_init(&arena, 1 << 16);
        Str canonical;
        CHECK_ERR(json_canonical(&arena, texts[i], &canonical), ERR_INVALID);
    }
}

TEST(depth_is_bounded_and_brackets_in_texts_do_not_count) {
    check_canonical("[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]", "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]");
    check_canonical("[\"\\\"[[[[[[[[[[[[[[[[[[[[[\\\\\"]", "[\"\\\"[[[[[[[[[[[[[[[[[[[[[\\\\\"]");
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 1 << 16);
    Str json = {};
    CHECK_ERR(json_canonical(&arena, S("[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]"), &json), ERR_LIMIT);
}

TEST(numbers_do_not_depend_on_the_locale) {
    static const char *const locales[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "ps_AF.UTF-8"};
    for (size_t i = 0; i < sizeof(locales) / sizeof(locales[0]); i++) {
        if (!setlocale(LC_NUMERIC, locales[i])) continue; // not on this machine
        check_canonical("[0.5,1e-7]", "[0.5,1e-07]");
    }
    setlocale(LC_NUMERIC, "C");
}

TEST_MAIN(CASE(canonical_json_sorts_keys_and_has_no_blanks),
          CASE(canonical_json_uses_the_shortest_escapes),
          CASE(equal_numbers_have_equal_text),
          CASE(what_is_not_json_is_refused),
          CASE(a_nul_is_refused_wherever_it_stands),
          CASE(depth_is_bounded_and_brackets_in_texts_do_not_count),
          CASE(numbers_do_not_depend_on_the_locale))
