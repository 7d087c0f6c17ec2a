// SPDX-License-Identifier: Apache-2.0
#include "base/schema.h"

#include "base/scope.h"
#include "every_kind.h"
#include "test.h"

#include <jansson.h>
#include <string.h>

#define ID "thing_01h455vb4pex5vsknk084sn02q"

typedef struct Fixture {
    Arena arena;
    Faults faults;
    Text out;
} Fixture;

static void fixture_done(Fixture *fixture) {
    arena_done(&fixture->arena);
    text_done(&fixture->out);
}

#define FIXTURE(name)                       \
    SCOPED(fixture_done) Fixture name = {}; \
    arena_init(&name.arena, 1 << 20);       \
    faults_init(&name.faults, &name.arena); \
    text_init(&name.out, 1 << 20)

typedef struct Settings {
    Str listen;
    uint64_t threads;
    int64_t shift;
    double ratio;
    bool secure;
    unsigned mood;
    Duration idle;
    StrList hosts;
    StrMap labels;
    uint64_t started;
} Settings;
static const Field Settings_fields[] = {
    FIELD(Settings, listen, REQUIRED, "address to listen at"),
    FIELD(Settings, threads, 0, "worker threads", .min = 1, .max = 64, .fallback = "8"),
    FIELD(Settings, shift, 0, "to the right"),
    FIELD(Settings, ratio, 0, "of parts"),
    FIELD(Settings, secure, 0, "use TLS", .fallback = "true"),
    FIELD(Settings, mood, 0, "how it feels", .names = &mood_names),
    FIELD(Settings, idle, 0, "when to close", .fallback = "1m"),
    FIELD(Settings, hosts, 0, "names", .pattern = &Pattern_dns_label, .max = 3),
    FIELD(Settings, labels, 0, "labels", .pattern = &Pattern_label, .max = 2, .item_max = 5),
    FIELD(Settings, started, READ_ONLY, "not for a file"),
};
static const Schema Settings_schema = SCHEMA(Settings, "settings", "what a program is told");

#define PAIRS(...) \
    (const StrPair[]){__VA_ARGS__}, sizeof((StrPair[]){__VA_ARGS__}) / sizeof(StrPair)
#define PAIR(key, value)                \
    {                                   \
        {"" key, sizeof(key) - 1}, {    \
            "" value, sizeof(value) - 1 \
        }                               \
    }

TEST(pairs_fill_scalars_lists_and_maps) {
    FIXTURE(f);
    Settings settings;
    CHECK_OK(schema_decode_pairs(&Settings_schema,
                                 PAIRS(PAIR("listen", "[::]:80"),
                                       PAIR("shift", "-4"),
                                       PAIR("ratio", "2.5e-1"),
                                       PAIR("secure", "false"),
                                       PAIR("mood", "lost"),
                                       PAIR("hosts", "a, b"),
                                       PAIR("labels.x.y", "1"),
                                       PAIR("labels.z", "")),
                                 &f.arena,
                                 &f.faults,
                                 &settings));
    CHECK_STR(settings.listen, S("[::]:80"));
    CHECK(settings.threads == 8 && settings.shift == -4 && settings.ratio == 0.25);
    CHECK(!settings.secure && settings.mood == MOOD_LOST && settings.idle.ms == 60'000);
    CHECK(settings.hosts.count == 2 && settings.labels.count == 2);
    CHECK_STR(settings.hosts.items[1], S("b"));
    CHECK_STR(str_map_find(settings.labels, S("x.y")), S("1"));
}

TEST(pairs_have_all_their_faults_reported) {
    FIXTURE(f);
    Settings settings;
    CHECK_ERR(schema_decode_pairs(&Settings_schema,
                                  PAIRS(PAIR("threads", "65"),
                                        PAIR("secure", "yes"),
                                        PAIR("secure", "true"),
                                        PAIR("shift", "+1"),
                                        PAIR("ratio", "nan"),
                                        PAIR("nope", "1"),
                                        PAIR("listen.x", "1"),
                                        PAIR("labels", "1"),
                                        PAIR("started", "1"),
                                        PAIR("labels.a", "123456"),
                                        PAIR("labels.b", "1"),
                                        PAIR("labels.b", "2"),
                                        PAIR("hosts", "a,B,c"),
                                        PAIR("mood", "\xff")),
                                  &f.arena,
                                  &f.faults,
                                  &settings),
              ERR_INVALID);
    const char *expected[] = {"/threads",
                              "/secure",
                              "/secure",
                              "/shift",
                              "/ratio",
                              "/nope",
                              "/listen.x",
                              "/labels",
                              "/started",
                              "/labels.a",
                              "/labels.b",
                              "/hosts",
                              "/mood",
                              "/listen"};
    assert_int_equal(f.faults.count, sizeof(expected) / sizeof(expected[0]));
    for (size_t i = 0; i < f.faults.count; i++)
        CHECK_STR(f.faults.items[i].pointer, str_from(expected[i]));
    CHECK_STR(f.faults.items[2].allowed, S("must be given once"));
    CHECK_STR(f.faults.items[13].allowed, S("must be given: a text of 1 to 255 bytes"));
}

TEST(a_table_aligns_by_characters_and_disarms_control_characters) {
    FIXTURE(f);
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
    schema_table(&Thing_schema, things, 2, &f.out);
    CHECK_STR(text_str(&f.out),
              S("ID                                NAME  NOTE  ENABLED  SIZE  MOOD  SEEN AT        "
                "       WORDS  LABELS\n" ID
                "  a     gr\xc3\xbc\xc3\x9f  false    7     calm  2026-01-31T12:00:00Z  -      -\n"
                "-                                 bc    ?[2J  true     0     lost  -              "
                "       x,y    k=v,l=w\n"));
}

TEST(a_card_shows_every_field_but_secrets) {
    FIXTURE(f);
    Part part = {.name = S("wheel"), .weight = 12};
    schema_card(&Part_schema, &part, &f.out);
    CHECK_STR(text_str(&f.out), S("name    wheel\nweight  12\ntags    -\n"));
    text_clear(&f.out);
    Thing thing = {.name = S("a"), .password = S("12345678"), .password_hash = S("h")};
    schema_card(&Thing_schema, &thing, &f.out);
    CHECK(!strstr(f.out.ptr, "password"));
}

static Str openapi(Fixture *fixture, const Schema *schema, SchemaView view) {
    text_clear(&fixture->out);
    schema_openapi(schema, view, &fixture->out);
    CHECK_OK(text_check(&fixture->out));
    return text_str(&fixture->out);
}

TEST(openapi_describes_what_creation_takes) {
    FIXTURE(f);
    CHECK_STR(openapi(&f, &Part_schema, VIEW_INPUT),
              S("{\"type\":\"object\",\"description\":\"a part of a thing\","
                "\"additionalProperties\":false,\"required\":[\"name\"],\"properties\":{"
                "\"name\":{\"description\":\"its name\",\"type\":\"string\",\"minLength\":1,"
                "\"maxLength\":20,\"pattern\":\"^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$\"},"
                "\"weight\":{\"description\":\"grams\",\"type\":\"integer\",\"minimum\":0,"
                "\"maximum\":1000,\"default\":10},"
                "\"tags\":{\"description\":\"words\",\"type\":\"array\",\"maxItems\":64,"
                "\"items\":{\"type\":\"string\",\"maxLength\":255}}}}"));
}

/// The member at `path` (names separated by '.') of the view's schema.
static json_t *part_of(json_t *tree, const char *path) {
    Str rest = str_from(path);
    Str name;
    while (str_cut(&rest, '.', &name)) {
        char key[32];
        snprintf(key, sizeof(key), "%.*s", STR_FMT(name));
        tree = json_object_get(tree, key);
    }
    return tree;
}

static void drop(json_t **tree) {
    json_decref(*tree);
}

TEST(openapi_views_differ_in_what_they_show) {
    FIXTURE(f);
    static const struct {
        SchemaView view;
        const char *shown[6];
        const char *hidden[6];
    } cases[] = {
        {VIEW_REPLY, {"id", "count", "home", "rev"}, {"password", "password_hash"}                  },
        {VIEW_INPUT, {"password", "home"},           {"id", "count", "rev", "password_hash"}        },
        {VIEW_PATCH, {"password"},                   {"id", "count", "rev", "password_hash", "home"}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        Str text = openapi(&f, &Thing_schema, cases[i].view);
        SCOPED(drop) json_t *tree = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
        json_t *properties = part_of(tree, "properties");
        CHECK(json_is_object(properties));
        for (size_t j = 0; cases[i].shown[j]; j++)
            CHECK(json_object_get(properties, cases[i].shown[j]) != NULL);
        for (size_t j = 0; cases[i].hidden[j]; j++)
            CHECK(json_object_get(properties, cases[i].hidden[j]) == NULL);
    }
}

TEST(in_a_change_nothing_is_required_and_null_clears) {
    FIXTURE(f);
    Str text = openapi(&f, &Thing_schema, VIEW_PATCH);
    SCOPED(drop) json_t *tree = json_loadb(text.ptr, text.len, 0, NULL);
    CHECK(json_array_size(part_of(tree, "required")) == 0);
    CHECK(json_is_array(part_of(tree, "properties.note.type")));
    CHECK(json_is_string(part_of(tree, "properties.name.type")));
    CHECK(json_is_string(part_of(tree, "properties.size.type")));
    CHECK(json_is_array(part_of(tree, "properties.spare.anyOf")));
    const char *ref = json_string_value(part_of(tree, "properties.main.$ref"));
    CHECK_STR(str_from(ref), S("#/components/schemas/PartInput"));
}

TEST_MAIN(CASE(pairs_fill_scalars_lists_and_maps),
          CASE(pairs_have_all_their_faults_reported),
          CASE(a_table_aligns_by_characters_and_disarms_control_characters),
          CASE(a_card_shows_every_field_but_secrets),
          CASE(openapi_describes_what_creation_takes),
          CASE(openapi_views_differ_in_what_they_show),
          CASE(in_a_change_nothing_is_required_and_null_clears))
