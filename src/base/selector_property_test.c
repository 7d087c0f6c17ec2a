// SPDX-License-Identifier: Apache-2.0
/// What holds for any selector, any record and any amount of memory.
#include "base/selector.h"

#include "base/scope.h"
#include "starve.h"
#include "test.h"
#include "thing_keys.h"

#include <stdlib.h>

enum { ROUNDS = 20'000, NOW_MS = 10'000'000, ARENA_MAX = 1 << 20, TERMS = 4, VALUES = 4 };

/// A repeatable source of choices (splitmix64).
static uint64_t choose(uint64_t *state, uint64_t below) {
    uint64_t z = (*state += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return (z ^ (z >> 31)) % below;
}

/// A term as it is meant, from which the text is written and the answer is found in another way.
typedef struct Wanted {
    size_t key;
    SelectorOp op;
    size_t values[VALUES];
    size_t count;
} Wanted;

/// Keys, and the values that each is compared with; the same values are in the records. All of one
/// key are in ascending order, so that the order of their places is theirs.
typedef enum Key { KEY_SITE, KEY_RACK, KEY_LEASE, KEY_NAME, KEY_SIZE, KEY_MOOD, KEY_SEEN } Key;
enum { KEY_COUNT = KEY_SEEN + 1 };
static const struct {
    const char *name;
    const char *values[VALUES]; ///< as a selector has them
    const char *texts[VALUES];  ///< as a label or a text of the record has them
    bool has_equality;
    bool has_order;
} keys[KEY_COUNT] = {
    [KEY_SITE] = {"site",
                  {"\"\"", "a", "\"a b\"", "\"a,\\\"\\\\\""},
                  {"", "a", "a b", "a,\"\\"},
                  true,                                                                                false},
    [KEY_RACK] = {"rack",         {"-1.5", "0", "2", "10"},         {"-1.5", "0", "2", "10"},   true,  true },
    [KEY_LEASE] =
        {"labels.lease", {"1ms", "2s", "10s", "1h"},       {"1ms", "2s", "10s", "1h"}, true,  true },
    [KEY_NAME] = {"name",         {"a", "b", "in", "z"},            {"a", "b", "in", "z"},      true,  false},
    [KEY_SIZE] = {"size",         {"0", "1", "2", "10"},            {},                         true,  true },
    [KEY_MOOD] = {"mood",         {"calm", "busy", "lost", "calm"}, {},                         true,  false},
    [KEY_SEEN] = {"seen",         {"0s", "1s", "2s", "1m"},         {},                         false, true },
};
static const uint64_t sizes[VALUES] = {0, 1, 2, 10};
static const Mood moods[VALUES] = {MOOD_CALM, MOOD_BUSY, MOOD_LOST, MOOD_CALM};
static const uint64_t ages_ms[VALUES] = {0, 1'000, 2'000, 60'000};

/// The place of each key's value in its row above; VALUES: it is absent.
typedef struct Held {
    size_t places[KEY_COUNT];
} Held;

static Held choose_held(uint64_t *state) {
    Held held;
    for (size_t key = 0; key < KEY_COUNT; key++) {
        bool may_miss = key != KEY_SIZE && key != KEY_MOOD;
        held.places[key] = choose(state, may_miss ? VALUES + 1 : VALUES);
    }
    return held;
}

static void held_label(const Held *held, Key key, Str name, StrMap *labels) {
    if (held->places[key] < VALUES)
        labels->items[labels->count++] =
            (StrPair){name, str_from(keys[key].texts[held->places[key]])};
}

static Thing held_thing(const Held *held, StrPair pairs[3]) {
    Thing thing = {.size = sizes[held->places[KEY_SIZE]], .mood = moods[held->places[KEY_MOOD]]};
    thing.labels.items = pairs;
    held_label(held, KEY_SITE, S("site"), &thing.labels);
    held_label(held, KEY_RACK, S("rack"), &thing.labels);
    held_label(held, KEY_LEASE, S("lease"), &thing.labels);
    if (held->places[KEY_NAME] < VALUES)
        thing.name = str_from(keys[KEY_NAME].texts[held->places[KEY_NAME]]);
    if (held->places[KEY_SEEN] < VALUES)
        thing.seen_at.ms = NOW_MS - ages_ms[held->places[KEY_SEEN]];
    return thing;
}

static Wanted choose_wanted(uint64_t *state) {
    for (;;) {
        Wanted wanted = {.key = choose(state, KEY_COUNT),
                         .op = (SelectorOp)choose(state, SELECTOR_MISSING + 1)};
        bool is_equality = wanted.op == SELECTOR_IS || wanted.op == SELECTOR_IS_NOT;
        bool is_order = wanted.op >= SELECTOR_BELOW && wanted.op <= SELECTOR_AT_LEAST;
        if (is_equality && !keys[wanted.key].has_equality) continue;
        if (is_order && !keys[wanted.key].has_order) continue;
        wanted.count = is_equality ? 1 + choose(state, VALUES) : is_order ? 1 : 0;
        for (size_t i = 0; i < wanted.count; i++)
            wanted.values[i] = choose(state, VALUES);
        return wanted;
    }
}

static void wanted_write(const Wanted *wanted, uint64_t *state, Text *out) {
    static const char *const ops[] = {"=", "!=", "<", "<=", ">", ">=", "", ""};
    const char *gap = choose(state, 2) ? " " : "";
    bool is_list = wanted->count > 1 || (wanted->op <= SELECTOR_IS_NOT && choose(state, 2));
    text_print(out,
               "%s%s%s%s",
               gap,
               wanted->op == SELECTOR_MISSING ? "!" : "",
               keys[wanted->key].name,
               gap);
    if (is_list)
        text_add(out, str_from(wanted->op == SELECTOR_IS ? " in (" : " notin ("));
    else
        text_add(out, str_from(ops[wanted->op]));
    for (size_t i = 0; i < wanted->count; i++)
        text_print(out, "%s%s%s", i ? "," : "", gap, keys[wanted->key].values[wanted->values[i]]);
    if (is_list) text_add_char(out, ')');
    text_add(out, str_from(gap));
}

/// The naive evaluator: places instead of values.
static bool wanted_holds(const Wanted *wanted, const Held *held) {
    size_t place = held->places[wanted->key];
    bool is_there = place < VALUES;
    bool is_any = false;
    for (size_t i = 0; i < wanted->count; i++)
        is_any = is_any || place == wanted->values[i]
                 || (wanted->key == KEY_MOOD && moods[place] == moods[wanted->values[i]]);
    switch (wanted->op) {
    case SELECTOR_IS:
        return is_any;
    case SELECTOR_IS_NOT:
        return !is_any;
    case SELECTOR_BELOW:
        return is_there && place < wanted->values[0];
    case SELECTOR_AT_MOST:
        return is_there && place <= wanted->values[0];
    case SELECTOR_ABOVE:
        return is_there && place > wanted->values[0];
    case SELECTOR_AT_LEAST:
        return is_there && place >= wanted->values[0];
    case SELECTOR_THERE:
        return is_there;
    case SELECTOR_MISSING:
        return !is_there;
    }
    return false;
}

static Str print_to(const Selector *selector, Arena *arena) {
    SCOPED(text_done) Text out;
    text_init(&out, SELECTOR_BYTES_MAX);
    selector_print(selector, &out);
    CHECK_OK(text_check(&out));
    return str_dup(arena, text_str(&out));
}

TEST(random_selectors_match_as_a_naive_evaluator_says) {
    uint64_t state = 7;
    size_t matched = 0;
    Arena arena;
    arena_init(&arena, ARENA_MAX);
    SCOPED(text_done) Text text;
    text_init(&text, SELECTOR_BYTES_MAX);
    for (size_t round = 0; round < ROUNDS; round++) {
        text_clear(&text);
        arena_reset(&arena);
        Held held = choose_held(&state);
        StrPair pairs[3];
        Thing thing = held_thing(&held, pairs);
        bool expected = true;
        size_t terms = choose(&state, TERMS);
        for (size_t i = 0; i < terms; i++) {
            Wanted wanted = choose_wanted(&state);
            if (i > 0) text_add_char(&text, ',');
            wanted_write(&wanted, &state, &text);
            expected = expected && wanted_holds(&wanted, &held);
        }
        Selector selector, again;
        Reason reason = {};
        Err err = selector_parse(text_str(&text), &Thing_keys, &arena, &selector, &reason);
        if (err.code != OK) fail_msg("%s: %s", text.ptr, reason.text);
        if (selector_matches(&selector, &thing, NOW_MS) != expected)
            fail_msg("round %zu: %s", round, text.ptr);
        if (expected) CHECK(selector_may_match(&selector, &thing, NOW_MS));
        Str once = print_to(&selector, &arena);
        CHECK_OK(selector_parse(once, &Thing_keys, &arena, &again, &reason));
        CHECK(selector_matches(&again, &thing, NOW_MS) == expected);
        CHECK_STR(print_to(&again, &arena), once);
        matched += expected;
    }
    CHECK(matched > ROUNDS / 10 && matched < ROUNDS - ROUNDS / 10);
    arena_done(&arena);
}

TEST(a_selector_that_meets_no_memory_is_refused_and_leaves_nothing) {
    const Str text = S("site in (\"a b\",c),name!=x,seen<10m");
    for (long nth = 0;; nth++) {
        Arena arena;
        arena_init(&arena, ARENA_MAX);
        Selector selector = {.count = 7};
        starve(nth, false);
        Err err = selector_parse(text, &Thing_keys, &arena, &selector, NULL);
        bool was_starved = starve_end();
        CHECK(err.code == (was_starved ? ERR_MEMORY : OK));
        CHECK(selector.count == (was_starved ? 7 : 3));
        arena_done(&arena);
        if (!was_starved) break;
        CHECK(nth < 100);
    }
}

TEST(an_arena_that_is_too_small_is_a_limit) {
    const Str text = S("site in (\"a b\",c),name!=x,seen<10m");
    size_t refused = 0;
    for (size_t bytes = 0;; bytes += 256) {
        Arena arena;
        arena_init(&arena, bytes);
        Selector selector;
        Err err = selector_parse(text, &Thing_keys, &arena, &selector, NULL);
        arena_done(&arena);
        if (err.code == OK) break;
        CHECK(err.code == ERR_LIMIT);
        refused++;
    }
    CHECK(refused > 2);
}

TEST_MAIN(CASE(random_selectors_match_as_a_naive_evaluator_says),
          CASE(a_selector_that_meets_no_memory_is_refused_and_leaves_nothing),
          CASE(an_arena_that_is_too_small_is_a_limit))
