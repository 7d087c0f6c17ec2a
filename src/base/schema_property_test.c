// SPDX-License-Identifier: Apache-2.0
/// What holds for any record, any flag and any amount of memory.
#include "base/field.h"

#include "base/scope.h"
#include "every_kind.h"
#include "starve.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

enum { RECORDS = 2000, MEMORY_MAX = 1 << 20 };

#define RICH                                                                                     \
    "{\"name\":\"a-1\",\"note\":\"\\u00e9\\n\",\"home\":\"here\",\"enabled\":false,\"size\":7,"  \
    "\"parent\":\"thing_01h455vb4pex5vsknk084sn02q\",\"key\":\"AAEC\",\"extra\":{\"b\":[1,2.5]," \
    "\"a\":{}},\"words\":[\"x\",\"\"],\"labels\":{\"z\":\"1\",\"a\":\"2\"},"                     \
    "\"main\":{\"name\":\"m\",\"tags\":[\"t\"]},\"parts\":[{\"name\":\"p\",\"tags\":[\"t\"]}]}"
#define POOR                                                                           \
    "{\"name\":\"A B\",\"nope\":{},\"id\":\"x\",\"words\":[1,2],\"labels\":{\"/\":1}," \
    "\"extra\":[[]],\"parts\":[{},{\"x\":1}],\"key\":\"%\",\"ratio\":\"1\"}"

/// A repeatable source of choices (splitmix64).
typedef struct Choices {
    uint64_t state;
    Arena *arena;
} Choices;

static uint64_t choose(Choices *choices, uint64_t below) {
    uint64_t z = (choices->state += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return (z ^ (z >> 31)) % below;
}

static Str choose_text(Choices *choices, size_t max, bool one_line) {
    static const char *const pieces[] = {"a",
                                         "Z",
                                         " ",
                                         "\"",
                                         "\\",
                                         "/",
                                         "{",
                                         "\xc3\xa9",
                                         "\xe2\x82\xac",
                                         "\xf0\x9f\x98\x80",
                                         "~",
                                         ",",
                                         "\n",
                                         "\x01",
                                         "\x7f"};
    size_t kinds = sizeof(pieces) / sizeof(pieces[0]) - (one_line ? 3 : 0);
    SCOPED(text_done) Text text;
    text_init(&text, max);
    for (size_t i = choose(choices, max + 1); i > 0; i--)
        text_add(&text, str_from(pieces[choose(choices, kinds)]));
    return str_dup(choices->arena, text_str(&text));
}

static Str choose_slug(Choices *choices) {
    return str_print(choices->arena, "s%llu", (unsigned long long)choose(choices, 1'000'000));
}

static StrList choose_words(Choices *choices) {
    StrList list = {.count = choose(choices, 5)};
    if (list.count == 0 && choose(choices, 2)) return list; // absent, not empty
    list.items = ARENA_ARRAY(choices->arena, Str, list.count);
    for (size_t i = 0; i < list.count; i++)
        list.items[i] = choose_text(choices, 10, true);
    return list;
}

static StrMap choose_labels(Choices *choices) {
    StrMap map = {.count = choose(choices, 5)};
    if (map.count == 0 && choose(choices, 2)) return map; // absent, not empty
    map.items = ARENA_ARRAY(choices->arena, StrPair, map.count);
    for (size_t i = 0; i < map.count; i++)
        map.items[i] =
            (StrPair){str_print(choices->arena, "k%zu/x.y", i), choose_text(choices, 20, false)};
    return map;
}

static Part choose_part(Choices *choices) {
    return (Part){choose_slug(choices), choose(choices, 1001), choose_words(choices)};
}

static double choose_double(Choices *choices) {
    double value = (double)choose(choices, UINT64_C(1) << 53);
    for (uint64_t i = choose(choices, 30); i > 0; i--)
        value /= 977;
    return choose(choices, 4) ? value : (double)choose(choices, 1000);
}

/// A record that a stranger might send: READ_ONLY, HIDDEN and COMPUTED fields are absent.
static Thing choose_thing(Choices *choices) {
    Thing thing = {
        .name = choose_slug(choices),
        .enabled = choose(choices, 2),
        .size = 1 + choose(choices, 5000),
        .shift = (int64_t)choose(choices, 21) - 10,
        .ratio = choose_double(choices),
        .mood = (unsigned)choose(choices, MOOD_COUNT),
        .every = {1000 + choose(choices, 1'000'000'000)},
        .words = choose_words(choices),
        .labels = choose_labels(choices),
        .main = choose_part(choices),
        .parts = { ARENA_ARRAY(choices->arena, Part, 3), choose(choices, 4)},
    };
    for (size_t i = 0; i < thing.parts.count; i++)
        thing.parts.items[i] = choose_part(choices);
    if (choose(choices, 2)) thing.note = choose_text(choices, 40, false);
    if (choose(choices, 2)) thing.home = choose_text(choices, 60, false);
    if (choose(choices, 2)) thing.parent = id_new(S("thing"), choose(choices, UINT64_C(1) << 48));
    if (choose(choices, 2)) thing.seen_at.ms = 1 + choose(choices, UINT64_C(253402300799999));
    if (choose(choices, 2)) thing.spare = choose_part(choices);
    if (choose(choices, 2)) thing.extra.text = S("{\"z\":[1,0.5,null],\"a\":\"\\u0001\"}");
    Str key = choose_text(choices, 32, false);
    if (choose(choices, 2)) thing.key = (Bytes){(const uint8_t *)key.ptr, key.len};
    return thing;
}

static Str encode(Arena *arena, const Thing *thing, EncodeMode mode) {
    SCOPED(text_done) Text out;
    text_init(&out, MEMORY_MAX);
    schema_encode(&Thing_schema, thing, mode, &out);
    CHECK_OK(text_check(&out));
    return str_dup(arena, text_str(&out));
}

static Err decode(Arena *arena, Str json, DecodeMode mode, Thing *thing) {
    Faults faults;
    faults_init(&faults, arena);
    Err err = schema_decode(&Thing_schema, json, mode, arena, &faults, thing);
    if (err.code == ERR_INVALID && faults.count)
        print_message(
            "%.*s %.*s\n", STR_FMT(faults.items[0].pointer), STR_FMT(faults.items[0].allowed));
    return err;
}

/// Both have the same lists, of which some may be empty.
static bool is_same_absence(const Thing *a, const Thing *b) {
    return !a->words.items == !b->words.items && !a->labels.items == !b->labels.items
           && !a->main.tags.items == !b->main.tags.items && a->words.count == b->words.count;
}

TEST(any_record_survives_the_way_to_json_and_back) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, MEMORY_MAX);
    Choices choices = {.state = 1, .arena = &arena};
    for (int i = 0; i < RECORDS; i++) {
        Thing thing = choose_thing(&choices);
        Thing back;
        Str request = encode(&arena, &thing, ENCODE_REQUEST);
        CHECK_OK(decode(&arena, request, DECODE_INPUT, &back));
        CHECK_STR(encode(&arena, &back, ENCODE_REQUEST), request);
        CHECK_OK(decode(&arena, request, DECODE_PEER, &back));
        CHECK_STR(encode(&arena, &back, ENCODE_REQUEST), request);
        CHECK(is_same_absence(&back, &thing));
        CHECK_OK(decode(&arena, request, DECODE_REPLY, &back));
        CHECK_STR(encode(&arena, &back, ENCODE_REQUEST), request);
        thing.id = id_new(S("thing"), 1);
        thing.password_hash = S("hash");
        thing.rev = choose(&choices, 100);
        Str stored = encode(&arena, &thing, ENCODE_STORED);
        CHECK_OK(decode(&arena, stored, DECODE_STORED, &back));
        CHECK_STR(encode(&arena, &back, ENCODE_STORED), stored);
        CHECK(back.ratio == thing.ratio && back.every.ms == thing.every.ms);
        arena_reset(&arena);
    }
}

TEST(any_record_has_the_same_canonical_form_without_a_tree) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, MEMORY_MAX);
    Choices choices = {.state = 3, .arena = &arena};
    for (int i = 0; i < RECORDS; i++) {
        Thing thing = choose_thing(&choices);
        if (thing.labels.count && choose(&choices, 4) == 0) thing.labels.items[0].key = S("l\"\\");
        Str by_tree, made;
        CHECK_OK(json_canonical(&arena, encode(&arena, &thing, ENCODE_STORED), &by_tree));
        CHECK_OK(schema_encode_canonical(
            &Thing_schema, &thing, ENCODE_STORED, MEMORY_MAX, &arena, &made));
        CHECK_STR(made, by_tree);
        arena_reset(&arena);
    }
}

TEST(any_record_survives_the_way_to_a_row_and_back) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, MEMORY_MAX);
    Choices choices = {.state = 2, .arena = &arena};
    for (int i = 0; i < RECORDS; i++) {
        Thing thing = choose_thing(&choices);
        Thing back = {};
        for (size_t j = 0; j < Thing_schema.count; j++) {
            Value value;
            CHECK_OK(field_to_value(&Thing_fields[j], &thing, &arena, &value));
            CHECK_OK(field_from_value(&Thing_fields[j], value, &arena, &back));
        }
        CHECK_STR(encode(&arena, &back, ENCODE_STORED), encode(&arena, &thing, ENCODE_STORED));
        CHECK(is_same_absence(&back, &thing));
        arena_reset(&arena);
    }
}

/// A record of one number, to be tried with every flag.
typedef struct One {
    uint64_t x;
} One;

TEST(each_flag_means_the_same_in_every_mode) {
    enum { TAKEN, SKIPPED, REFUSED };
    static const struct {
        uint32_t flags;
        int decode[5];   // by DecodeMode
        bool written[3]; // by EncodeMode
    } rows[] = {
        {0,                                                      {TAKEN, TAKEN, TAKEN, TAKEN, TAKEN},         {true, true, true}  },
        {REQUIRED,                                               {TAKEN, TAKEN, TAKEN, TAKEN, TAKEN},         {true, true, true}  },
        {READ_ONLY,                                              {REFUSED, REFUSED, SKIPPED, TAKEN, TAKEN},   {true, false, true} },
        {WRITE_ONLY,                                             {TAKEN, TAKEN, TAKEN, SKIPPED, SKIPPED},     {false, true, false}},
        {HIDDEN,                                                 {REFUSED, REFUSED, SKIPPED, SKIPPED, TAKEN}, {false, false, true}},
        {COMPUTED,                                               {REFUSED, REFUSED, SKIPPED, TAKEN, SKIPPED}, {true, false, false}},
        {IMMUTABLE,                                              {TAKEN, REFUSED, TAKEN, TAKEN, TAKEN},       {true, true, true}  },
        {KEY | SCOPE | REV | UNIQUE | INDEXED | LISTED | GLOBAL,
         {TAKEN, TAKEN, TAKEN, TAKEN, TAKEN},
         {true, true, true}                                                                                                       },
    };
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, MEMORY_MAX);
    SCOPED(text_done) Text out;
    text_init(&out, 100);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const Field fields[] = {FIELD(One, x, rows[i].flags, "a number")};
        Schema schema = {.size = sizeof(One), .fields = fields, .count = 1};
        for (DecodeMode mode = DECODE_INPUT; mode <= DECODE_STORED; mode++) {
            One one = {};
            Faults faults;
            faults_init(&faults, &arena);
            Err err = schema_decode(&schema, S("{\"x\":7}"), mode, &arena, &faults, &one);
            assert_int_equal(err.code, rows[i].decode[mode] == REFUSED ? ERR_INVALID : OK);
            assert_int_equal(one.x, rows[i].decode[mode] == TAKEN ? 7 : 0);
        }
        for (EncodeMode mode = ENCODE_REPLY; mode <= ENCODE_STORED; mode++) {
            text_clear(&out);
            schema_encode(&schema, &(One){7}, mode, &out);
            CHECK_STR(text_str(&out), rows[i].written[mode] ? S("{\"x\":7}") : S("{}"));
        }
    }
}

/// Decode within `bytes` of memory. ERR_LIMIT, or what is right.
static Err decode_within(size_t bytes, const char *json, ErrCode expected) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, bytes);
    Faults faults;
    faults_init(&faults, &arena);
    Thing thing;
    Err err = schema_decode(&Thing_schema, str_from(json), DECODE_INPUT, &arena, &faults, &thing);
    CHECK(err.code == ERR_LIMIT || err.code == expected);
    return err;
}

TEST(decoding_survives_every_amount_of_memory) {
    size_t enough = 0;
    while (decode_within(enough, RICH, OK).code != OK)
        enough++;
    CHECK(enough > 100);
    size_t enough_for_faults = 0;
    while (decode_within(enough_for_faults, POOR, ERR_INVALID).code != ERR_INVALID)
        enough_for_faults++;
    CHECK(enough_for_faults > 100);
}

TEST(encoding_and_rows_survive_every_amount_of_memory) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, MEMORY_MAX);
    Thing thing;
    CHECK_OK(decode(&arena, S(RICH), DECODE_INPUT, &thing));
    Str whole = encode(&arena, &thing, ENCODE_STORED);
    for (size_t max = 0; max <= whole.len; max++) {
        SCOPED(text_done) Text out;
        text_init(&out, max);
        schema_encode(&Thing_schema, &thing, ENCODE_STORED, &out);
        CHECK((text_check(&out).code == OK) == (max == whole.len));
        SCOPED(arena_done) Arena small;
        arena_init(&small, max);
        Thing back = {};
        for (size_t i = 0; i < Thing_schema.count; i++) {
            Value value;
            Err err = field_to_value(&Thing_fields[i], &thing, &small, &value);
            if (err.code == OK) err = field_from_value(&Thing_fields[i], value, &small, &back);
            CHECK(err.code == OK || err.code == ERR_LIMIT);
        }
        Str canonical;
        CHECK(json_canonical(&small, whole, &canonical).code != ERR_INVALID);
        Err err =
            schema_encode_canonical(&Thing_schema, &thing, ENCODE_REPLY, max, &small, &canonical);
        CHECK(err.code == OK || err.code == ERR_LIMIT);
    }
}

TEST(pairs_survive_every_amount_of_memory) {
    const StrPair pairs[] = {
        {S("name"),     S("a")   },
        {S("words"),    S("x, y")},
        {S("labels.a"), S("1")   },
        {S("labels.b"), S("2")   },
        {S("key"),      S("AAEC")},
        {S("nope"),     S("1")   }
    };
    ErrCode code = ERR_LIMIT;
    for (size_t bytes = 0; code == ERR_LIMIT; bytes++) {
        SCOPED(arena_done) Arena arena;
        arena_init(&arena, bytes);
        Faults faults;
        faults_init(&faults, &arena);
        Thing thing;
        code = schema_decode_pairs(&Thing_schema, pairs, 6, &arena, &faults, &thing).code;
        CHECK(code == ERR_LIMIT || (code == ERR_INVALID && faults.count == 2));
    }
}

TEST(decoding_survives_every_failed_malloc_and_never_blames_the_input) {
    ErrCode code = ERR_MEMORY;
    long nth = 0;
    for (; code != OK; nth++) {
        SCOPED(arena_done) Arena arena;
        arena_init(&arena, MEMORY_MAX);
        Faults faults;
        faults_init(&faults, &arena);
        Thing thing;
        starve(nth, false);
        code = schema_decode(&Thing_schema, S(RICH), DECODE_INPUT, &arena, &faults, &thing).code;
        starve_end();
        CHECK(code == OK || code == ERR_MEMORY);
    }
    CHECK(nth > 20);
}

TEST_MAIN(CASE(any_record_survives_the_way_to_json_and_back),
          CASE(any_record_has_the_same_canonical_form_without_a_tree),
          CASE(any_record_survives_the_way_to_a_row_and_back),
          CASE(each_flag_means_the_same_in_every_mode),
          CASE(decoding_survives_every_amount_of_memory),
          CASE(encoding_and_rows_survive_every_amount_of_memory),
          CASE(pairs_survive_every_amount_of_memory),
          CASE(decoding_survives_every_failed_malloc_and_never_blames_the_input))
