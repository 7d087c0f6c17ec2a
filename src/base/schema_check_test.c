// SPDX-License-Identifier: Apache-2.0
/// What a table may say, how many fields it may have, and absent against empty.
#include "base/field.h"
#include "base/scope.h"
#include "every_kind.h"
#include "test.h"
#include "wide.h"

#include <string.h>

#define ARENA(name)                     \
    SCOPED(arena_done) Arena name = {}; \
    arena_init(&name, 1 << 20)

typedef struct Pair {
    Str one;
    Id two;
    bool three;
    Duration four;
    uint64_t five;
} Pair;

static const Field one = FIELD(Pair, one, 0, "a text");

/// The table of these rows says what is wrong.
static void check_unsound(const Field *rows, size_t count, const char *expected) {
    Schema schema = {.name = S("pair"), .title = "Pair", .size = sizeof(Pair), .fields = rows};
    schema.count = count;
    Reason reason = {};
    CHECK_ERR(schema_check(&schema, &reason), ERR_INVALID);
    assert_string_equal(reason.text, expected);
}

TEST(options_that_a_kind_does_not_have_are_found) {
    static const Field rows[] = {
        FIELD(Pair, one, 0, "a text", .prefix = "pair"),
        FIELD(Pair, one, 0, "a text", .record = &Part_schema),
        FIELD(Pair, one, 0, "a text", .names = &Mood_names),
        FIELD(Pair, one, 0, "a text", .item_max = 3),
        FIELD(Pair, two, 0, "an id", .pattern = &Pattern_slug),
        FIELD(Pair, two, 0, "an id", .max = 9),
        FIELD(Pair, three, 0, "a flag", .min = 1),
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char expected[80];
        snprintf(expected,
                 sizeof(expected),
                 "Pair.%s has an option that its kind does not have",
                 rows[i].name.ptr);
        check_unsound(&rows[i], 1, expected);
    }
}

TEST(rows_that_contradict_themselves_or_each_other_are_found) {
    static const EnumNames too_far = {mood_texts, 3, 3};
    const Field no_texts = FIELD_ENUM(Thing, mood, Mood, 0, "a mood", .names = &too_far);
    Field outside = one;
    outside.offset = sizeof(Pair);
    Field shared = FIELD(Pair, three, 0, "a flag");
    shared.offset = one.offset + 8;
    check_unsound(&no_texts, 1, "Pair.mood has no texts");
    check_unsound(&outside, 1, "Pair.one is not a member of its record");
    check_unsound((Field[]){one, one}, 2, "Pair.one is there twice");
    check_unsound((Field[]){one, shared}, 2, "Pair.three shares its member with another field");
    check_unsound(&(Field)FIELD(Pair, four, 0, "", .fallback = "soon"),
                  1,
                  "Pair.four has a default that it does not allow");
    check_unsound(&(Field)FIELD(Pair, five, 0, "", .min = 4, .max = 3),
                  1,
                  "Pair.five has bounds that nothing is within");
    check_unsound(
        &(Field)FIELD(Pair, five, KEY, ""), 1, "Pair.five is a key that is neither Id nor Str");
    check_unsound(
        &(Field)FIELD(Pair, one, REV, ""), 1, "Pair.one is a revision that is no uint64_t");
    check_unsound(&one, 0, "Pair has too few or too many fields");
    check_unsound(&one, SCHEMA_FIELDS_MAX + 1, "Pair has too few or too many fields");
}

TEST(a_sound_table_is_sound_down_to_its_nested_records) {
    CHECK_OK(schema_check(&Thing_schema, NULL));
    CHECK_OK(schema_check(&Wide_schema, NULL));
    Field rows[] = {FIELD_RECORD(Thing, main, Part, 0, "the main part")};
    Field part_rows[] = {FIELD(Part, name, 0, "its name", .prefix = "part")};
    Schema part = Part_schema;
    part.fields = part_rows;
    part.count = 1;
    rows[0].record = &part;
    Schema thing = Thing_schema;
    thing.fields = rows;
    thing.count = 1;
    Reason reason = {};
    CHECK_ERR(schema_check(&thing, &reason), ERR_INVALID);
    assert_string_equal(reason.text, "Part.name has an option that its kind does not have");
}

TEST(a_record_of_many_fields_survives_json_pairs_and_rows) {
    ARENA(arena);
    SCOPED(text_done) Text out;
    text_init(&out, 1 << 20);
    const char *json = "{\"id\":\"wide_01h455vb4pex5vsknk084sn02q\"" WIDE_EACH(WIDE_JSON) "}";
    Wide wide;
    Wide back = {};
    CHECK_OK(schema_read(&Wide_schema, str_from(json), DECODE_INPUT, &arena, &wide, NULL));
    for (size_t i = 0; i < Wide_schema.count; i++) {
        Value value;
        CHECK_OK(field_to_value(&Wide_fields[i], &wide, &arena, &value));
        CHECK_OK(field_from_value(&Wide_fields[i], value, &arena, &back));
    }
    schema_encode(&Wide_schema, &back, ENCODE_STORED, &out);
    CHECK_STR(text_str(&out), str_from(json));
    Faults faults;
    faults_init(&faults, &arena);
    const StrPair pair = {S("n99"), S("7")};
    CHECK_OK(schema_decode_pairs(&Wide_schema, &pair, 1, &arena, &faults, &wide));
    CHECK(wide.n99 == 7 && wide.n98 == 0);
}

static Str thing_json(const Thing *thing, EncodeMode mode, Arena *arena) {
    SCOPED(text_done) Text out;
    text_init(&out, 1 << 20);
    schema_encode(&Thing_schema, thing, mode, &out);
    return str_dup(arena, text_str(&out));
}

static bool has(Str text, const char *part) {
    return strstr(text.ptr, part) != NULL;
}

TEST(an_empty_list_is_written_and_an_absent_one_is_not) {
    static const DecodeMode reads[] = {DECODE_INPUT, DECODE_PEER, DECODE_REPLY, DECODE_STORED};
    static const EncodeMode writes[] = {ENCODE_REQUEST, ENCODE_REPLY, ENCODE_STORED};
    ARENA(arena);
    for (size_t i = 0; i < 4 * 3; i++) {
        Thing thing;
        CHECK_OK(schema_read(&Thing_schema,
                             S("{\"name\":\"a\",\"words\":[],\"labels\":{},\"parts\":[],"
                               "\"main\":{\"name\":\"m\",\"tags\":[]}}"),
                             reads[i / 3],
                             &arena,
                             &thing,
                             NULL));
        Str json = thing_json(&thing, writes[i % 3], &arena);
        CHECK(has(json, "\"words\":[]") && has(json, "\"labels\":{}") && has(json, "\"parts\":[]"));
        CHECK(has(json, "\"tags\":[]"));
        CHECK_OK(schema_read(&Thing_schema,
                             S("{\"name\":\"a\",\"words\":null,\"main\":{\"name\":\"m\"}}"),
                             reads[i / 3],
                             &arena,
                             &thing,
                             NULL));
        json = thing_json(&thing, writes[i % 3], &arena);
        CHECK(!has(json, "words") && !has(json, "labels") && !has(json, "parts"));
        CHECK(!has(json, "tags"));
    }
}

TEST(in_a_change_null_makes_absent_and_an_empty_list_makes_empty) {
    ARENA(arena);
    Thing thing;
    CHECK_OK(schema_read(&Thing_schema,
                         S("{\"name\":\"a\",\"words\":[\"w\"],\"parts\":[{\"name\":\"p\"}],"
                           "\"labels\":{\"k\":\"v\"},\"main\":{\"name\":\"m\"}}"),
                         DECODE_INPUT,
                         &arena,
                         &thing,
                         NULL));
    CHECK_OK(schema_read(&Thing_schema,
                         S("{\"words\":[],\"parts\":null,\"labels\":{}}"),
                         DECODE_PATCH,
                         &arena,
                         &thing,
                         NULL));
    CHECK(thing.words.items && thing.words.count == 0 && !thing.parts.items);
    CHECK(thing.labels.count == 1); // of a map only what is named changes
}

TEST(a_row_keeps_empty_lists_empty_and_absent_ones_absent) {
    ARENA(arena);
    Thing thing = {
        .words = {(Str[1]){},  0},
          .parts = {(Part[1]){}, 0}
    };
    Thing back = {};
    for (size_t i = 0; i < Thing_schema.count; i++) {
        Value value;
        CHECK_OK(field_to_value(&Thing_fields[i], &thing, &arena, &value));
        CHECK_OK(field_from_value(&Thing_fields[i], value, &arena, &back));
    }
    CHECK(back.words.items && back.parts.items && !back.labels.items);
}

typedef struct Must {
    StrList words;
} Must;

TEST(a_list_that_is_required_is_always_written) {
    static const Field Must_fields[] = {FIELD(Must, words, REQUIRED, "words")};
    static const Schema Must_schema = SCHEMA(Must, "must", "a list");
    SCOPED(text_done) Text out;
    text_init(&out, 100);
    schema_encode(&Must_schema, &(Must){}, ENCODE_STORED, &out);
    CHECK_STR(text_str(&out), S("{\"words\":[]}"));
}

TEST_MAIN(CASE(options_that_a_kind_does_not_have_are_found),
          CASE(rows_that_contradict_themselves_or_each_other_are_found),
          CASE(a_sound_table_is_sound_down_to_its_nested_records),
          CASE(a_record_of_many_fields_survives_json_pairs_and_rows),
          CASE(an_empty_list_is_written_and_an_absent_one_is_not),
          CASE(in_a_change_null_makes_absent_and_an_empty_list_makes_empty),
          CASE(a_row_keeps_empty_lists_empty_and_absent_ones_absent),
          CASE(a_list_that_is_required_is_always_written))
