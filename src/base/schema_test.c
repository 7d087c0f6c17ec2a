// SPDX-License-Identifier: Apache-2.0
#include "base/field.h"

#include "base/scope.h"
#include "every_kind.h"
#include "test.h"

#include <string.h>

#define ID "thing_01h455vb4pex5vsknk084sn02q"
#define MAIN "\"main\":{\"name\":\"m\"}"
#define LEAST "\"name\":\"a\"," MAIN

typedef struct Fixture {
    Arena arena;
    Faults faults;
    Text out;
    Thing thing;
} Fixture;

static void fixture_done(Fixture *fixture) {
    arena_done(&fixture->arena);
    text_done(&fixture->out);
}

/// One decoding of a Thing and what came of it.
#define FIXTURE(name)                       \
    SCOPED(fixture_done) Fixture name = {}; \
    arena_init(&name.arena, 1 << 20);       \
    faults_init(&name.faults, &name.arena); \
    text_init(&name.out, 1 << 20)

static Err decode(Fixture *fixture, DecodeMode mode, const char *json) {
    faults_init(&fixture->faults, &fixture->arena);
    return schema_decode(
        &Thing_schema, str_from(json), mode, &fixture->arena, &fixture->faults, &fixture->thing);
}

static Str encode(Fixture *fixture, EncodeMode mode) {
    text_clear(&fixture->out);
    schema_encode(&Thing_schema, &fixture->thing, mode, &fixture->out);
    CHECK_OK(text_check(&fixture->out));
    return text_str(&fixture->out);
}

/// The JSON is refused for exactly one reason, at `pointer`.
static void
check_fault(DecodeMode mode, const char *json, const char *pointer, const char *allowed) {
    FIXTURE(f);
    if (mode == DECODE_PATCH) CHECK_OK(decode(&f, DECODE_INPUT, "{" LEAST "}"));
    CHECK_ERR(decode(&f, mode, json), ERR_INVALID);
    CHECK_STR(f.faults.items[0].pointer, str_from(pointer));
    CHECK_STR(f.faults.items[0].allowed, str_from(allowed));
    assert_int_equal(f.faults.count, 1);
}

TEST(everything_decodes_and_encodes_to_the_same) {
    FIXTURE(f);
    const char *json =
        "{\"name\":\"a-1\",\"note\":\"\",\"home\":\"here\",\"enabled\":false,\"size\":7,"
        "\"shift\":-3,\"ratio\":0.1,\"mood\":\"lost\",\"parent\":\"" ID "\","
        "\"seen_at\":\"2026-01-31T12:00:00.250Z\",\"every\":\"1m30s\",\"key\":\"AAEC\","
        "\"extra\":{\"b\":[1,2.5,null,true],\"a\":\"\\u0001\"},\"words\":[\"x\",\"\"],"
        "\"labels\":{\"z\":\"1\",\"a\":\"2\"},\"main\":{\"name\":\"m\",\"weight\":10},"
        "\"parts\":[{\"name\":\"p\",\"weight\":1,\"tags\":[\"t\"]}]}";
    CHECK_OK(decode(&f, DECODE_INPUT, json));
    CHECK_STR(f.thing.name, S("a-1"));
    CHECK(f.thing.note.ptr && f.thing.note.len == 0);
    CHECK(f.thing.mood == MOOD_LOST && f.thing.shift == -3 && f.thing.key.ptr[2] == 2);
    CHECK(f.thing.parts.count == 1 && f.thing.main.weight == 10);
    CHECK_STR(encode(&f, ENCODE_REQUEST), str_from(json));
}

TEST(defaults_are_filled_in_at_creation_only) {
    FIXTURE(f);
    CHECK_OK(decode(&f, DECODE_INPUT, "{" LEAST "}"));
    CHECK(f.thing.enabled && f.thing.size == 5 && f.thing.mood == MOOD_BUSY);
    CHECK(f.thing.every.ms == 30'000 && f.thing.main.weight == 10 && f.thing.spare.weight == 0);
    CHECK_OK(decode(&f, DECODE_STORED, "{}"));
    CHECK(!f.thing.enabled && f.thing.size == 0);
}

TEST(every_bad_field_is_reported_at_once) {
    FIXTURE(f);
    CHECK_ERR(
        decode(&f,
               DECODE_INPUT,
               "{\"name\":\"A B\",\"size\":0,\"mood\":\"sad\",\"words\":[\"ok\",3],"
               "\"labels\":{\"a/~b\":7,\"1\":\"x\"},\"parts\":[{\"name\":\"p\"},{\"weight\":-1}]}"),
        ERR_INVALID);
    const char *expected[] = {"/name",
                              "/size",
                              "/mood",
                              "/words/1",
                              "/labels/a~1~0b",
                              "/labels/a~1~0b",
                              "/labels/1",
                              "/main",
                              "/parts/1/name",
                              "/parts/1/weight"};
    assert_int_equal(f.faults.count, sizeof(expected) / sizeof(expected[0]));
    for (size_t i = 0; i < f.faults.count; i++)
        CHECK_STR(f.faults.items[i].pointer, str_from(expected[i]));
    CHECK_STR(f.faults.items[1].allowed, S("must be an integer from 1 to 5000"));
    CHECK_STR(f.faults.items[2].allowed, S("must be one of calm, busy, lost"));
}

TEST(a_fault_says_what_is_allowed) {
    check_fault(DECODE_INPUT, "{\"name\":\"a\"}", "/main", "must be given: an object");
    check_fault(
        DECODE_INPUT, "{" LEAST ",\"size\":1.0}", "/size", "must be an integer from 1 to 5000");
    check_fault(
        DECODE_INPUT, "{" LEAST ",\"shift\":11}", "/shift", "must be an integer from -10 to 10");
    check_fault(DECODE_INPUT,
                "{" LEAST ",\"parent\":\"fleet_01h455vb4pex5vsknk084sn02q\"}",
                "/parent",
                "must be the id of a thing, like " ID);
    check_fault(DECODE_INPUT,
                "{" LEAST ",\"every\":\"10ms\"}",
                "/every",
                "must be a duration, like 30s, 1h30m or 7d, of at least 1s");
    check_fault(
        DECODE_INPUT, "{" LEAST ",\"key\":\"AA\"}", "/key", "must be base64 of at most 32 bytes");
    check_fault(DECODE_INPUT,
                "{" LEAST ",\"words\":[\"a\",\"a\",\"a\",\"a\",\"a\"]}",
                "/words",
                "must be a list of at most 4 texts");
    check_fault(DECODE_INPUT, "[]", "", "must be an object");
    check_fault(DECODE_INPUT,
                "{" LEAST ",\"seen_at\":\"1970-01-01T00:00:00Z\"}",
                "/seen_at",
                "must be a time in RFC 3339, like 2026-01-31T12:00:00Z");
    check_fault(
        DECODE_INPUT,
        "{" LEAST ",\"labels\":{\"\":\"x\"}}",
        "/labels/",
        "must be named by letters, digits, '-', '_', '.' and '/', first a letter; 1 to 255 bytes");
}

TEST(what_a_stranger_may_not_set_is_refused) {
    const char *read_only = "must not be given: it is read-only";
    const char *unknown = "must not be given: there is no such field";
    check_fault(DECODE_INPUT, "{" LEAST ",\"id\":\"" ID "\"}", "/id", read_only);
    check_fault(DECODE_INPUT, "{" LEAST ",\"count\":1}", "/count", read_only);
    check_fault(DECODE_INPUT, "{" LEAST ",\"password_hash\":\"x\"}", "/password_hash", unknown);
    check_fault(DECODE_INPUT, "{" LEAST ",\"nope\":1}", "/nope", unknown);
    check_fault(
        DECODE_INPUT, "{\"name\":\"a\",\"main\":{\"name\":\"b\",\"x\":1}}", "/main/x", unknown);
    check_fault(
        DECODE_PATCH, "{\"home\":\"x\"}", "/home", "must not be given: it cannot be changed");
    check_fault(DECODE_PATCH, "{\"rev\":4}", "/rev", read_only);
}

TEST(a_change_keeps_what_is_absent_and_clears_what_is_null) {
    FIXTURE(f);
    CHECK_OK(decode(&f,
                    DECODE_INPUT,
                    "{" LEAST
                    ",\"note\":\"n\",\"size\":9,\"words\":[\"w\"],\"spare\":{\"name\":\"s\","
                    "\"tags\":[\"t\"]}}"));
    CHECK_OK(decode(&f, DECODE_PATCH, "{\"note\":null,\"words\":null,\"spare\":{\"name\":\"z\"}}"));
    CHECK(!f.thing.note.ptr && f.thing.words.count == 0 && f.thing.size == 9);
    CHECK_STR(f.thing.name, S("a"));
    CHECK_STR(f.thing.spare.name, S("z"));
    CHECK(f.thing.spare.tags.count == 0 && f.thing.spare.weight == 10);
    check_fault(DECODE_PATCH, "{\"main\":null}", "/main", "must be an object");
    check_fault(DECODE_PATCH, "{\"enabled\":null}", "/enabled", "must be true or false");
}

TEST(a_change_of_a_map_sets_and_removes_the_keys_that_it_names) {
    FIXTURE(f);
    CHECK_OK(decode(&f, DECODE_INPUT, "{" LEAST ",\"labels\":{\"a\":\"1\",\"b\":\"2\"}}"));
    CHECK_OK(decode(&f, DECODE_PATCH, "{\"labels\":{\"c\":\"1\",\"b\":\"3\"}}"));
    CHECK(f.thing.labels.count == 3);
    CHECK_STR(str_map_find(f.thing.labels, S("a")), S("1"));
    CHECK_STR(str_map_find(f.thing.labels, S("b")), S("3"));
    CHECK_STR(str_map_find(f.thing.labels, S("c")), S("1"));
    CHECK_OK(decode(&f, DECODE_PATCH, "{\"labels\":{\"a\":null,\"never\":null}}"));
    CHECK(f.thing.labels.count == 2 && !str_map_find(f.thing.labels, S("a")).ptr);
    CHECK_OK(decode(&f, DECODE_PATCH, "{\"labels\":{}}"));
    CHECK(f.thing.labels.count == 2);
    CHECK_OK(decode(&f, DECODE_PATCH, "{\"labels\":null}"));
    CHECK(!f.thing.labels.items);
    check_fault(DECODE_INPUT,
                "{" LEAST ",\"labels\":{\"a\":null}}",
                "/labels/a",
                "must be a text of at most 20 bytes");
}

TEST(a_map_that_would_have_too_much_after_a_change_is_refused) {
    FIXTURE(f);
    const char *few = "{" LEAST ",\"labels\":{\"a\":\"1\",\"b\":\"2\"}}";
    CHECK_OK(decode(&f, DECODE_INPUT, few));
    CHECK_OK(decode(&f, DECODE_PATCH, "{\"labels\":{\"c\":\"\",\"d\":\"\"}}"));
    CHECK_ERR(decode(&f, DECODE_PATCH, "{\"labels\":{\"e\":\"\"}}"), ERR_INVALID);
    CHECK(f.thing.labels.count == 4);
    CHECK_OK(decode(&f, DECODE_PATCH, "{\"labels\":{\"e\":\"\",\"a\":null}}"));
    CHECK(f.thing.labels.count == 4);
}

TEST(null_is_absent_at_creation) {
    FIXTURE(f);
    CHECK_OK(decode(&f, DECODE_INPUT, "{" LEAST ",\"note\":null,\"size\":null,\"words\":null}"));
    CHECK(!f.thing.note.ptr && f.thing.size == 5);
    check_fault(
        DECODE_INPUT, "{\"name\":\"a\",\"main\":null}", "/main", "must be given: an object");
}

TEST(a_reply_may_be_newer_and_shows_no_secret) {
    FIXTURE(f);
    CHECK_OK(decode(&f,
                    DECODE_REPLY,
                    "{\"id\":\"" ID "\",\"new\":[{}],\"password\":\"secret-1\","
                    "\"password_hash\":\"h\",\"count\":2,\"rev\":3}"));
    CHECK(f.thing.count == 2 && f.thing.rev == 3);
    CHECK(!f.thing.password.ptr && !f.thing.password_hash.ptr);
    f.thing.password = S("secret-2");
    f.thing.password_hash = S("h");
    CHECK(!strstr(encode(&f, ENCODE_REPLY).ptr, "secret-2"));
    CHECK(!strstr(encode(&f, ENCODE_REPLY).ptr, "hash"));
    CHECK(strstr(encode(&f, ENCODE_REQUEST).ptr, "secret-2"));
    CHECK(strstr(encode(&f, ENCODE_STORED).ptr, "hash"));
    CHECK(!strstr(encode(&f, ENCODE_STORED).ptr, "count"));
}

TEST(text_that_is_not_json_is_refused_with_its_place) {
    check_fault(DECODE_INPUT,
                "{\n \"name\": }",
                "",
                "must be JSON; line 2, column 10: unexpected token near '}'");
    FIXTURE(f);
    const char *bad[] = {"",
                         "{",
                         "{" LEAST "} x",
                         "{" LEAST ",\"name\":\"b\"}",
                         "{\"name\":\"\\u0000\"}",
                         "{\"name\":\"\xff\"}",
                         "{\"name\":\"\xed\xa0\x80\"}",
                         "{\"name\":\"\\ud800\"}",
                         "{\"size\":1e999}",
                         "{\"size\":99999999999999999999}",
                         "{\"size\":01}",
                         "{\"extra\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK_ERR(decode(&f, DECODE_INPUT, bad[i]), ERR_INVALID);
        CHECK_STR(f.faults.items[0].pointer, S(""));
    }
}

TEST(faults_beyond_the_limit_are_counted) {
    FIXTURE(f);
    text_add(&f.out, S("{"));
    for (int i = 0; i < 40; i++)
        text_print(&f.out, "%s\"x%d\":1", i ? "," : "", i);
    text_add(&f.out, S("}"));
    CHECK_ERR(decode(&f, DECODE_INPUT, f.out.ptr), ERR_INVALID);
    assert_int_equal(f.faults.count, FAULTS_MAX);
    assert_int_equal(f.faults.dropped, 40 + 2 - FAULTS_MAX);
}

TEST(lists_of_records_are_bounded) {
    FIXTURE(f);
    void *items;
    size_t count;
    Str json = S("[{\"name\":\"a\"},{\"name\":\"b\"}]");
    CHECK_OK(schema_decode_list(
        &Part_schema, json, DECODE_INPUT, 2, &f.arena, &f.faults, &items, &count));
    CHECK(count == 2);
    CHECK_STR(((Part *)items)[1].name, S("b"));
    schema_encode_list(&Part_schema, items, count, ENCODE_REPLY, &f.out);
    CHECK_STR(text_str(&f.out),
              S("[{\"name\":\"a\",\"weight\":10},{\"name\":\"b\",\"weight\":10}]"));
    CHECK_ERR(schema_decode_list(
                  &Part_schema, json, DECODE_INPUT, 1, &f.arena, &f.faults, &items, &count),
              ERR_INVALID);
}

TEST(a_row_gives_the_record_back) {
    FIXTURE(f);
    CHECK_OK(decode(&f,
                    DECODE_INPUT,
                    "{" LEAST ",\"note\":\"\",\"shift\":-1,\"ratio\":1e-7,\"key\":\"AAEC\","
                    "\"seen_at\":\"2026-01-31T12:00:00Z\",\"extra\":[1],\"words\":[\"a\"],"
                    "\"labels\":{\"k\":\"v\"},\"parts\":[{\"name\":\"p\"}],\"parent\":\"" ID
                    "\"}"));
    Thing back = {};
    for (size_t i = 0; i < Thing_schema.count; i++) {
        const Field *field = &Thing_schema.fields[i];
        Value value;
        CHECK_OK(field_to_value(field, &f.thing, &f.arena, &value));
        CHECK_OK(field_from_value(field, value, &f.arena, &back));
    }
    Str before = str_dup(&f.arena, encode(&f, ENCODE_STORED));
    f.thing = back;
    CHECK_STR(encode(&f, ENCODE_STORED), before);
    CHECK(back.note.ptr != NULL);
}

TEST(a_damaged_row_is_refused) {
    FIXTURE(f);
    static const struct {
        const char *field;
        Value value;
    } bad[] = {
        {"enabled", {.kind = VALUE_I64, .i64 = 2}           },
        {"enabled", {.kind = VALUE_NULL}                    },
        {"size",    {.kind = VALUE_I64, .i64 = -1}          },
        {"mood",    {.kind = VALUE_TEXT, .text = {"sad", 3}}},
        {"id",      {.kind = VALUE_TEXT, .text = {"x", 1}}  },
        {"seen_at", {.kind = VALUE_I64, .i64 = INT64_MAX}   },
        {"name",    {.kind = VALUE_I64}                     },
        {"words",   {.kind = VALUE_TEXT, .text = {"[1]", 3}}},
        {"parts",   {.kind = VALUE_TEXT, .text = {"[{}", 3}}},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK_ERR(field_from_value(schema_field(&Thing_schema, str_from(bad[i].field)),
                                   bad[i].value,
                                   &f.arena,
                                   &f.thing),
                  ERR_INVALID);
}

TEST(minus_zero_is_zero) {
    FIXTURE(f);
    CHECK_OK(decode(&f, DECODE_INPUT, "{" LEAST ",\"ratio\":-0.0}"));
    const double zero = 0.0;
    CHECK(memcmp(&f.thing.ratio, &zero, sizeof(zero)) == 0);
}

TEST(fields_are_found_by_name_and_flag) {
    CHECK(schema_field(&Thing_schema, S("mood")) == &Thing_fields[10]);
    CHECK(schema_field(&Thing_schema, S("moo")) == NULL);
    CHECK(schema_flagged(&Thing_schema, REV) == &Thing_fields[22]);
    CHECK(schema_flagged(&Thing_schema, SCOPE) == NULL);
    CHECK(!field_is_stored(schema_field(&Thing_schema, S("password"))));
    CHECK(field_is_stored(schema_field(&Thing_schema, S("password_hash"))));
}

/// A record whose parts are kept in another form.
typedef struct Kit {
    Str name;
    PartList parts;
    Part spare;
} Kit;
static const Field Kit_fields[] = {
    FIELD(Kit, name, REQUIRED, "its name"),
    FIELD_LIST(Kit, parts, Part, REQUIRED | UNSTORED, "kept elsewhere"),
    FIELD_RECORD(Kit, spare, Part, REQUIRED | UNSTORED, "likewise"),
};
static const Schema Kit_schema = SCHEMA(Kit, "kit", "a kit");

TEST(what_is_not_stored_is_needed_at_creation_and_shown_only_where_it_is) {
    FIXTURE(f);
    Kit kit;
    const Str whole = S("{\"name\":\"a\",\"parts\":[{\"name\":\"p\"}],\"spare\":{\"name\":\"s\"}}");
    CHECK_ERR(schema_read(&Kit_schema, S("{\"name\":\"a\"}"), DECODE_INPUT, &f.arena, &kit, NULL),
              ERR_INVALID);
    CHECK_OK(schema_read(&Kit_schema, whole, DECODE_INPUT, &f.arena, &kit, NULL));
    schema_encode(&Kit_schema, &kit, ENCODE_STORED, &f.out);
    CHECK_STR(text_str(&f.out), S("{\"name\":\"a\"}"));
    CHECK_OK(schema_read(&Kit_schema, whole, DECODE_STORED, &f.arena, &kit, NULL));
    CHECK(kit.parts.count == 0 && !kit.spare.name.ptr);
    text_clear(&f.out);
    schema_encode(&Kit_schema, &kit, ENCODE_REPLY, &f.out);
    CHECK_STR(text_str(&f.out), S("{\"name\":\"a\"}"));
    CHECK_OK(schema_read(&Kit_schema, whole, DECODE_REPLY, &f.arena, &kit, NULL));
    CHECK(kit.parts.count == 1);
    text_clear(&f.out);
    schema_encode(&Kit_schema, &kit, ENCODE_REPLY, &f.out);
    CHECK(strstr(f.out.ptr, "\"parts\":[{") && strstr(f.out.ptr, "\"spare\":{"));
    CHECK(!field_is_stored(&Kit_fields[1]) && field_is_stored(&Kit_fields[0]));
}

TEST_MAIN(CASE(everything_decodes_and_encodes_to_the_same),
          CASE(defaults_are_filled_in_at_creation_only),
          CASE(every_bad_field_is_reported_at_once),
          CASE(a_fault_says_what_is_allowed),
          CASE(what_a_stranger_may_not_set_is_refused),
          CASE(a_change_keeps_what_is_absent_and_clears_what_is_null),
          CASE(a_change_of_a_map_sets_and_removes_the_keys_that_it_names),
          CASE(a_map_that_would_have_too_much_after_a_change_is_refused),
          CASE(null_is_absent_at_creation),
          CASE(a_reply_may_be_newer_and_shows_no_secret),
          CASE(text_that_is_not_json_is_refused_with_its_place),
          CASE(faults_beyond_the_limit_are_counted),
          CASE(lists_of_records_are_bounded),
          CASE(a_row_gives_the_record_back),
          CASE(a_damaged_row_is_refused),
          CASE(minus_zero_is_zero),
          CASE(fields_are_found_by_name_and_flag),
          CASE(what_is_not_stored_is_needed_at_creation_and_shown_only_where_it_is))
