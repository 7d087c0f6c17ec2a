// SPDX-License-Identifier: Apache-2.0
#include "base/schema.h"

#include "base/scope.h"
#include "every_kind.h"
#include "test.h"

typedef struct Fixture {
    Arena arena;
    Faults faults;
} Fixture;

static void fixture_done(Fixture *fixture) {
    arena_done(&fixture->arena);
}

#define FIXTURE(name)                       \
    SCOPED(fixture_done) Fixture name = {}; \
    arena_init(&name.arena, 1 << 20);       \
    faults_init(&name.faults, &name.arena)

typedef struct Settings {
    Str listen;
    uint64_t threads;
    int64_t shift;
    double ratio;
    bool secure;
    Mood mood;
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
    FIELD_ENUM(Settings, mood, Mood, 0, "how it feels"),
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

TEST_MAIN(CASE(pairs_fill_scalars_lists_and_maps), CASE(pairs_have_all_their_faults_reported))
