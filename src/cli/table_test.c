// SPDX-License-Identifier: Apache-2.0
#include "cli/table.h"

#include "base/scope.h"
#include "every_kind.h"
#include "test.h"
#include "wide.h"

#include <string.h>

#define ID "thing_01h455vb4pex5vsknk084sn02q"

TEST(a_table_aligns_by_characters_and_disarms_control_characters) {
    SCOPED(text_done) Text out;
    text_init(&out, 1 << 20);
    Str words[] = {S("x"), S("y")};
    StrPair labels[] = {
        {S("k"), S("v")},
        {S("l"), S("w")}
    };
    Thing things[] = {
        {.name = S("a"),  .note = S("gr\xc3\xbc\xc3\x9f"), .seen_at = {1769860800250}, .size = 7},
        { .name = S("bc"),
         .note = S("\x1b[2J"),
         .enabled = true,
         .mood = MOOD_LOST,
         .words = {words, 2},
         .labels = {labels, 2}},
    };
    CHECK_OK(id_parse(S(ID), S("thing"), &things[0].id));
    table_show(&Thing_schema, things, 2, &out);
    CHECK_STR(text_str(&out),
              S("ID                                NAME  NOTE  ENABLED  SIZE  MOOD  SEEN AT        "
                "       WORDS  LABELS\n" ID
                "  a     gr\xc3\xbc\xc3\x9f  false    7     calm  2026-01-31T12:00:00Z  -      -\n"
                "-                                 bc    ?[2J  true     0     lost  -              "
                "       x,y    k=v,l=w\n"));
}

TEST(a_card_shows_every_field_but_secrets) {
    SCOPED(text_done) Text out;
    text_init(&out, 1 << 20);
    Part part = {.name = S("wheel"), .weight = 12};
    table_card(&Part_schema, &part, &out);
    CHECK_STR(text_str(&out), S("name    wheel\nweight  12\ntags    -\n"));
    text_clear(&out);
    Thing thing = {.name = S("a"), .password = S("12345678"), .password_hash = S("h")};
    table_card(&Thing_schema, &thing, &out);
    CHECK(!strstr(out.ptr, "password"));
}

TEST(a_table_has_a_column_for_each_of_many_fields) {
    SCOPED(text_done) Text out;
    text_init(&out, 1 << 20);
    Wide wide = {WIDE_EACH(WIDE_SET).id = {}};
    table_show(&Wide_schema, &wide, 1, &out);
    CHECK_OK(text_check(&out));
    CHECK(strstr(out.ptr, "  N58  N59  ") && str_ends(text_str(&out), S("  98   99\n")));
}

TEST_MAIN(CASE(a_table_aligns_by_characters_and_disarms_control_characters),
          CASE(a_card_shows_every_field_but_secrets),
          CASE(a_table_has_a_column_for_each_of_many_fields))
