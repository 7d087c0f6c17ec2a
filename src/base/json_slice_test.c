// SPDX-License-Identifier: Apache-2.0
#include "base/json_slice.h"

#include "test.h"

TEST(a_member_is_the_bytes_that_it_was_written_in) {
    Str json =
        S(" { \"a\" : {\"x\":\"}\\\"]\"} , \"services\":[ {\"b\" : 1} ],\"n\":-1.5e3,\"t\":true}");
    CHECK_STR(json_slice_member(json, S("a")), S("{\"x\":\"}\\\"]\"}"));
    CHECK_STR(json_slice_member(json, S("services")), S("[ {\"b\" : 1} ]"));
    CHECK_STR(json_slice_member(json, S("n")), S("-1.5e3"));
    CHECK_STR(json_slice_member(json, S("t")), S("true"));
    CHECK(!json_slice_member(json, S("x")).ptr); // a member of a member is none
    CHECK(!json_slice_member(S("[1]"), S("a")).ptr);
    CHECK(!json_slice_member(S("{}"), S("a")).ptr);
}

TEST(members_come_one_by_one_as_they_are_written) {
    Str members = S(" { \"b\" : {\"x\":1} ,\t\"a\\\"\":\"}\", \"\":[1,2]} ");
    static const char *const wanted[] = {"b", "{\"x\":1}", "a\\\"", "\"}\"", "", "[1,2]"};
    Str name, value;
    for (size_t i = 0; i < 6; i += 2) {
        CHECK(json_slice_next_member(&members, &name, &value));
        CHECK_STR(name, str_from(wanted[i]));
        CHECK_STR(value, str_from(wanted[i + 1]));
    }
    CHECK(!json_slice_next_member(&members, &name, &value));
    Str none = S("{}");
    CHECK(!json_slice_next_member(&none, &name, &value));
}

TEST(items_come_one_by_one_with_their_blanks_inside) {
    Str items = S("[ {\"b\" : 1} ,\t\"x,]\", [1,[2]],null ]");
    static const char *const wanted[] = {"{\"b\" : 1}", "\"x,]\"", "[1,[2]]", "null"};
    Str item;
    for (size_t i = 0; i < 4; i++) {
        CHECK(json_slice_next(&items, &item));
        CHECK_STR(item, str_from(wanted[i]));
    }
    CHECK(!json_slice_next(&items, &item));
    Str none = S("[ ]");
    CHECK(!json_slice_next(&none, &item));
}

TEST(what_is_no_json_ends_within_its_bytes) {
    static const char *const texts[] = {"",
                                        "{",
                                        "{\"",
                                        "{\"a",
                                        "{\"a\"",
                                        "{\"a\":",
                                        "{\"a\":\"\\",
                                        "[",
                                        "[,",
                                        "[1",
                                        "[\"",
                                        "[{",
                                        "[}",
                                        "{]",
                                        "]"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        Str text = str_from(texts[i]);
        Str found = json_slice_member(text, S("a"));
        CHECK(!found.ptr
              || (found.ptr >= text.ptr && found.ptr + found.len <= text.ptr + text.len));
        Str item;
        for (int turns = 0; json_slice_next(&text, &item); turns++)
            CHECK(turns < 16);
    }
}

TEST_MAIN(CASE(a_member_is_the_bytes_that_it_was_written_in),
          CASE(members_come_one_by_one_as_they_are_written),
          CASE(items_come_one_by_one_with_their_blanks_inside),
          CASE(what_is_no_json_ends_within_its_bytes))
