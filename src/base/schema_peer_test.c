// SPDX-License-Identifier: Apache-2.0
/// What programs of other ages write to each other, and what is told of a record that is refused.
#include "base/scope.h"
#include "every_kind.h"
#include "test.h"

#define ID "thing_01h455vb4pex5vsknk084sn02q"
#define LEAST "\"name\":\"a\",\"main\":{\"name\":\"m\"}"

/// Twenty fields that nobody here knows, of every type of JSON, also nested.
#define TWENTY                                                                                     \
    "\"u1\":1,\"u2\":-2.5e3,\"u3\":\"text\",\"u4\":true,\"u5\":false,\"u6\":null,\"u7\":[],"       \
    "\"u8\":{},\"u9\":[1,\"a\",null,[{}]],\"u10\":{\"name\":7,\"u\":{\"u\":[{\"x\":1}]}},"         \
    "\"u11\":\"\",\"u12\":0,\"u13\":[[],[]],\"u14\":{\"\":1},\"u15\":\"\\u00e9\","                 \
    "\"u16\":9007199254740993,\"u17\":[true],\"u18\":{\"a\":{\"a\":{}}},\"u19\":\"x\",\"u20\":1e-" \
    "9"

typedef enum Tint { TINT_NONE, TINT_RED, TINT_OTHER } Tint;
static const char *const tint_texts[] = {"none", "red", "other"};
static const EnumNames Tint_names = ENUM_NAMES(tint_texts, .unknown = TINT_OTHER);

typedef struct Lamp {
    Str name;
    Tint tint;
} Lamp;
static const Field Lamp_fields[] = {
    FIELD(Lamp, name, REQUIRED, "its name"),
    FIELD_ENUM(Lamp, tint, Tint, 0, "its colour"),
};
static const Schema Lamp_schema = SCHEMA(Lamp, "lamp", "a lamp");

typedef struct Room {
    Mood mood;
    struct {
        Lamp *items;
        size_t count;
    } lamps;
} Room;
static const Field Room_fields[] = {
    FIELD_ENUM(Room, mood, Mood, 0, "how it feels"),
    FIELD_LIST(Room, lamps, Lamp, 0, "what lights it"),
};
static const Schema Room_schema = SCHEMA(Room, "room", "a room");

/// Numbers without bounds of their own.
typedef struct Meter {
    uint64_t turns;
    int64_t shift;
} Meter;
static const Field Meter_fields[] = {
    FIELD(Meter, turns, 0, "so many"),
    FIELD(Meter, shift, 0, "either way"),
};
static const Schema Meter_schema = SCHEMA(Meter, "meter", "what counts");

static Err read(Arena *arena, DecodeMode mode, const char *json, Thing *thing, Reason *reason) {
    return schema_read(&Thing_schema, str_from(json), mode, arena, thing, reason);
}

#define ARENA(name)                     \
    SCOPED(arena_done) Arena name = {}; \
    arena_init(&name, 1 << 20)

TEST(a_peer_may_send_fields_that_we_do_not_know) {
    ARENA(arena);
    Thing thing;
    const char *json = "{" TWENTY ",\"name\":\"a\",\"main\":{" TWENTY
                       ",\"name\":\"m\"},\"parts\":[{\"name\":\"p\"," TWENTY "}]}";
    CHECK_OK(read(&arena, DECODE_PEER, json, &thing, NULL));
    CHECK_STR(thing.name, S("a"));
    CHECK_STR(thing.main.name, S("m"));
    CHECK(thing.parts.count == 1);
    CHECK_STR(thing.parts.items[0].name, S("p"));
    CHECK_ERR(read(&arena, DECODE_INPUT, json, &thing, NULL), ERR_INVALID);
}

TEST(a_peer_is_held_to_bounds_patterns_counts_and_what_is_required) {
    static const struct {
        const char *json;
        const char *reason;
    } cases[] = {
        {"{\"name\":\"a\"}",                                         "/main must be given: an object"          },
        {"{" LEAST ",\"size\":5001}",                                "/size must be an integer from 1 to 5000" },
        {"{" LEAST ",\"note\":7}",                                   "/note must be a text of at most 40 bytes"},
        {"{" LEAST ",\"mood\":7}",                                   "/mood must be one of calm, busy, lost"   },
        {"{" LEAST ",\"words\":[\"\",\"\",\"\",\"\",\"\"]}",
         "/words must be a list of at most 4 texts"                                                            },
        {"{" LEAST ",\"labels\":{\"a\":\"123456789012345678901\"}}",
         "/labels/a must be a text of at most 20 bytes"                                                        },
        {"{" LEAST ",\"parts\":[{\"name\":\"p\"},{}]}",
         "/parts/1/name must be given: lower-case letters, digits, '-', '.' and '_', first and "
         "last a letter or "
         "digit; 1 to 20 bytes"                                                                                },
        {"[]",                                                       "must be an object"                       },
    };
    ARENA(arena);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        Thing thing;
        Reason reason = {};
        CHECK_ERR(read(&arena, DECODE_PEER, cases[i].json, &thing, &reason), ERR_INVALID);
        assert_string_equal(reason.text, cases[i].reason);
    }
}

#define INT53 "9007199254740991"

TEST(a_number_is_exact_in_every_reader_of_json_whoever_says_it) {
    static const DecodeMode strict[] = {DECODE_PEER, DECODE_INPUT, DECODE_PATCH};
    static const struct {
        const char *json;
        const char *reason;
    } refused[] = {
        {"{\"turns\":9007199254740992}",    "/turns must be an integer from 0 to " INT53         },
        {"{\"turns\":9223372036854775807}", "/turns must be an integer from 0 to " INT53         },
        {"{\"turns\":-1}",                  "/turns must be an integer from 0 to " INT53         },
        {"{\"shift\":9007199254740992}",    "/shift must be an integer from -" INT53 " to " INT53},
        {"{\"shift\":-9007199254740992}",   "/shift must be an integer from -" INT53 " to " INT53},
    };
    const Str most = S("{\"turns\":" INT53 ",\"shift\":-" INT53 "}");
    ARENA(arena);
    for (size_t i = 0; i < 3; i++) {
        Meter meter = {};
        CHECK_OK(schema_read(&Meter_schema, most, strict[i], &arena, &meter, NULL));
        CHECK(meter.turns == 9'007'199'254'740'991 && meter.shift == -9'007'199'254'740'991);
        for (size_t j = 0; j < sizeof(refused) / sizeof(refused[0]); j++) {
            Str json = str_from(refused[j].json);
            Reason reason = {};
            CHECK_ERR(schema_read(&Meter_schema, json, strict[i], &arena, &meter, &reason),
                      ERR_INVALID);
            assert_string_equal(reason.text, refused[j].reason);
        }
    }
}

TEST(a_peer_sets_nothing_that_is_ours_and_null_is_absent) {
    ARENA(arena);
    Thing thing;
    CHECK_OK(read(&arena,
                  DECODE_PEER,
                  "{" LEAST ",\"id\":\"" ID "\",\"rev\":\"x\",\"count\":3,\"password_hash\":\"h\","
                  "\"home\":\"here\",\"note\":null,\"size\":null}",
                  &thing,
                  NULL));
    CHECK(id_is_absent(&thing.id) && thing.rev == 0 && thing.count == 0);
    CHECK(!thing.password_hash.ptr && !thing.note.ptr && thing.size == 5);
    CHECK_STR(thing.home, S("here"));
}

TEST(an_unknown_text_of_a_newer_enum_is_unknown_where_the_writer_may_be_newer) {
    const Str json = S("{\"mood\":\"puzzled\",\"lamps\":[{\"name\":\"a\",\"tint\":\"red\"},"
                       "{\"name\":\"b\",\"tint\":\"mauve\"},{\"name\":\"c\"}]}");
    const DecodeMode lenient[] = {DECODE_PEER, DECODE_REPLY};
    ARENA(arena);
    for (size_t i = 0; i < 2; i++) {
        Room room = {};
        CHECK_OK(schema_read(&Room_schema, json, lenient[i], &arena, &room, NULL));
        CHECK(room.mood == MOOD_CALM && room.lamps.count == 3);
        CHECK(room.lamps.items[0].tint == TINT_RED && room.lamps.items[1].tint == TINT_OTHER);
        CHECK_STR(room.lamps.items[1].name, S("b"));
        CHECK(room.lamps.items[2].tint == TINT_NONE);
    }
    const DecodeMode strict[] = {DECODE_INPUT, DECODE_PATCH, DECODE_STORED};
    for (size_t i = 0; i < 3; i++) {
        Room room = {};
        Reason reason = {};
        CHECK_ERR(schema_read(&Room_schema, json, strict[i], &arena, &room, &reason), ERR_INVALID);
        assert_string_equal(reason.text, "/mood must be one of calm, busy, lost");
    }
}

TEST(what_is_read_without_a_list_of_faults_needs_no_reason) {
    ARENA(arena);
    Thing thing;
    CHECK_OK(read(&arena, DECODE_INPUT, "{" LEAST "}", &thing, NULL));
    CHECK_ERR(read(&arena, DECODE_INPUT, "{", &thing, NULL), ERR_INVALID);
    Reason reason = {};
    arena.max_bytes = arena.used_bytes;
    CHECK_ERR(read(&arena, DECODE_STORED, "{\"note\":\"x\"}", &thing, &reason), ERR_LIMIT);
}

TEST(a_reason_is_a_line_of_text_whatever_it_quotes) {
    static const char *const cases[] = {
        "{\"tags\":[\"\\ud8\xd0\x9b\xa3\x8a\x9b\x9a\xcf\xcf\"]}",
        "\xc2\x87!\xd8"
        "b",
    };
    ARENA(arena);
    for (size_t i = 0; i < 2; i++) {
        Thing thing;
        Reason reason = {};
        CHECK_ERR(read(&arena, DECODE_INPUT, cases[i], &thing, &reason), ERR_INVALID);
        Str text = str_from(reason.text);
        CHECK(text.len > 0 && str_is_text(text) && Pattern_line.matches(text));
    }
}

TEST_MAIN(CASE(a_peer_may_send_fields_that_we_do_not_know),
          CASE(a_peer_is_held_to_bounds_patterns_counts_and_what_is_required),
          CASE(a_number_is_exact_in_every_reader_of_json_whoever_says_it),
          CASE(a_peer_sets_nothing_that_is_ours_and_null_is_absent),
          CASE(an_unknown_text_of_a_newer_enum_is_unknown_where_the_writer_may_be_newer),
          CASE(what_is_read_without_a_list_of_faults_needs_no_reason),
          CASE(a_reason_is_a_line_of_text_whatever_it_quotes))
