// SPDX-License-Identifier: Apache-2.0
#include "base/selector.h"

#include "base/scope.h"
#include "test.h"
#include "thing_keys.h"

#define PARENT "thing_01h455vb4pex5vsknk084sn02q"
#define OTHER "thing_01h455vb4pex5vsknk084sn02r"
enum { NOW_MS = 100'000'000, ARENA_MAX = 1 << 20 };

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/// A thing with every value, and one with none but what is always there.
static void things_make(Thing *ret_full, Thing *ret_bare, StrPair pairs[4]) {
    pairs[0] = (StrPair){S("site"), S("hall-3")};
    pairs[1] = (StrPair){S("rack"), S("7.5")};
    pairs[2] = (StrPair){S("lease"), S("90m")};
    pairs[3] = (StrPair){S("name"), S("a label")};
    *ret_bare = (Thing){};
    *ret_full = (Thing){
        .name = S("till-7"),
        .home = S("north"),
        .enabled = true,
        .size = 4096,
        .shift = -3,
        .ratio = 0.5,
        .mood = MOOD_LOST,
        .seen_at = {NOW_MS - 600'000}, // 10m
        .every = {30'000          },
        .labels = {pairs,            4},
        .main = {.name = S("lid")               },
    };
    CHECK_OK(id_parse(S(PARENT), S("thing"), &ret_full->parent));
}

static bool meets(Str text, const Thing *thing) {
    Arena arena;
    arena_init(&arena, ARENA_MAX);
    Selector selector;
    Reason reason = {};
    Err err = selector_parse(text, &Thing_keys, &arena, &selector, &reason);
    if (err.code != OK) fail_msg("%s: %s", text.ptr, reason.text);
    bool result = selector_matches(&selector, thing, NOW_MS);
    arena_done(&arena);
    return result;
}

static const struct {
    const char *text;
    bool full;
    bool bare; ///< where the value is absent, or zero
} truth[] = {
  // an absent value is not equal, not less, not more, not there
    {"site=hall-3",              true,  false},
    {"site=hall-4",              false, false},
    {"site!=hall-3",             false, true },
    {"site!=hall-4",             true,  true },
    {"site in (hall-3,hall-4)",  true,  false},
    {"site in (hall-4,hall-5)",  false, false},
    {"site notin (hall-3,x)",    false, true },
    {"site notin (hall-4,x)",    true,  true },
    {"site",                     true,  false},
    {"!site",                    false, true },
    {"site=",                    false, false},
    {"site!=",                   true,  true },
    {"rack<8",                   true,  false},
    {"rack<7.5",                 false, false},
    {"rack<=7.5",                true,  false},
    {"rack>7.50",                false, false},
    {"rack>=7.50",               true,  false},
    {"rack>-8",                  true,  false},
 // labels are texts: equal by their bytes, ordered as what the value is
    {"rack=7.50",                false, false},
    {"rack<8m",                  false, false},
    {"rack>=8m",                 false, false},
    {"lease<2h",                 true,  false},
    {"lease>=90m",               true,  false},
    {"lease>1",                  false, false},
    {"site>1",                   false, false},
    {"site<=1",                  false, false},
 // keys of the table come before labels
    {"name=till-7",              true,  false},
    {"name=\"a label\"",         false, false},
    {"labels.name=\"a label\"",  true,  false},
    {"labels.site=hall-3",       true,  false},
    {"part=lid",                 true,  false},
    {"!part",                    false, true },
 // numbers are compared as numbers
    {"size=4096",                true,  false},
    {"size=04096.0",             true,  false},
    {"size in (1,4096)",         true,  false},
    {"size!=4096",               false, true },
    {"size<4096",                false, true },
    {"size>4095.5",              true,  false},
    {"shift<-2",                 true,  false},
    {"shift>=-3",                true,  true },
    {"ratio=0.50",               true,  false},
    {"ratio<0.51",               true,  true },
    {"size",                     true,  true },
    {"every=30s",                true,  false},
    {"every<=500ms",             false, true },
    {"mood=lost",                true,  false},
    {"mood notin (lost,busy)",   false, true },
    {"enabled=true",             true,  false},
    {"enabled!=true",            false, true },
    {"enabled=false",            false, true },
 // ages
    {"seen<10m",                 false, false},
    {"seen<=10m",                true,  false},
    {"seen>9m59s999ms",          true,  false},
    {"seen>=10m1ms",             false, false},
    {"seen",                     true,  false},
    {"!seen",                    false, true },
 // a key with two rows: by id, or by name
    {"in=" PARENT,               true,  false},
    {"in=" OTHER,                false, false},
    {"in!=" OTHER,               true,  true },
    {"in=north",                 true,  false},
    {"in=south",                 false, false},
    {"in in (south," PARENT ")", true,  false},
    {"in notin (north,x)",       false, true },
    {"in",                       true,  false},
    {"!in",                      false, true },
 // all terms must hold
    {"site=hall-3,rack>1",       true,  false},
    {"site=hall-3,rack>9",       false, false},
    {"site!=x,!x",               true,  true },
    {"",                         true,  true },
};

TEST(each_kind_and_operator_holds_as_the_truth_table_says) {
    Thing full, bare;
    StrPair pairs[4];
    things_make(&full, &bare, pairs);
    for (size_t i = 0; i < COUNT(truth); i++) {
        if (meets(str_from(truth[i].text), &full) != truth[i].full)
            fail_msg("%s of the full thing", truth[i].text);
        if (meets(str_from(truth[i].text), &bare) != truth[i].bare)
            fail_msg("%s of the bare thing", truth[i].text);
    }
}

TEST(what_was_seen_in_the_future_has_no_age_yet) {
    Thing thing = {.seen_at = {NOW_MS + 5'000}};
    CHECK(meets(S("seen<1ms"), &thing));
    CHECK(!meets(S("seen>0s"), &thing));
}

TEST(before_computed_members_are_filled_only_the_others_decide) {
    static const struct {
        const char *text;
        bool may;
    } rows[] = {
        {"seen<1s",           true },
        {"in=south",          true },
        {"in=" OTHER,         false},
        {"in",                true },
        {"site=hall-3,!seen", true },
        {"site=hall-4,seen",  false},
        {"seen,name=x",       false},
        {"name=till-7",       true },
        {"",                  true },
    };
    Thing full, bare;
    StrPair pairs[4];
    things_make(&full, &bare, pairs);
    Arena arena;
    arena_init(&arena, ARENA_MAX);
    for (size_t i = 0; i < COUNT(rows); i++) {
        Selector selector;
        CHECK_OK(selector_parse(str_from(rows[i].text), &Thing_keys, &arena, &selector, NULL));
        if (selector_may_match(&selector, &full, NOW_MS) != rows[i].may)
            fail_msg("%s", rows[i].text);
    }
    arena_done(&arena);
}

static const struct {
    const char *text;
    const char *field; ///< NULL: nothing narrows
    const char *value;
} narrowings[] = {
    {"",                     NULL,     NULL  },
    {"site=a,seen<1m",       NULL,     NULL  },
    {"name=a",               "name",   "a"   },
    {"site,name=a",          "name",   "a"   },
    {"name!=a",              NULL,     NULL  },
    {"name in (a,b)",        NULL,     NULL  },
    {"name in (a)",          "name",   "a"   },
    {"name",                 NULL,     NULL  },
    {"labels.name=a",        NULL,     NULL  },
    {"mood=lost",            "mood",   "lost"},
    {"mood=lost,name=a",     "name",   "a"   },
    {"name=a,mood=lost",     "name",   "a"   },
    {"mood=lost,in=" PARENT, "mood",   "lost"},
    {"in=" PARENT,           "parent", PARENT},
    {"in=north",             NULL,     NULL  },
    {"size=5,part=lid",      NULL,     NULL  },
    {"mood=lost,id=" OTHER,  "id",     OTHER },
};

TEST(a_store_can_apply_one_equality_of_an_indexed_field) {
    Arena arena;
    arena_init(&arena, ARENA_MAX);
    for (size_t i = 0; i < COUNT(narrowings); i++) {
        Selector selector;
        CHECK_OK(
            selector_parse(str_from(narrowings[i].text), &Thing_keys, &arena, &selector, NULL));
        const Field *field = NULL;
        Str value = {};
        bool found = selector_narrow(&selector, &Thing_schema, &field, &value);
        CHECK(found == (narrowings[i].field != NULL));
        if (!found) continue;
        CHECK_STR(field->name, str_from(narrowings[i].field));
        CHECK_STR(value, str_from(narrowings[i].value));
    }
    arena_done(&arena);
}

TEST_MAIN(CASE(each_kind_and_operator_holds_as_the_truth_table_says),
          CASE(what_was_seen_in_the_future_has_no_age_yet),
          CASE(before_computed_members_are_filled_only_the_others_decide),
          CASE(a_store_can_apply_one_equality_of_an_indexed_field))
