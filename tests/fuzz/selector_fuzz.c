// SPDX-License-Identifier: Apache-2.0
// Selectors: one that is read is written and read again without a change, matches the same, and is
// refused with a column otherwise. Its first byte makes the record.
#include "base/scope.h"
#include "thing_keys.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOW_MS = 1'000'000, ARENA_MAX = 1 << 20 };

static void check_again(Str text, const Selector *selector, const Thing *thing, Arena *arena) {
    SCOPED(text_done) Text once, twice;
    text_init(&once, SELECTOR_BYTES_MAX);
    text_init(&twice, SELECTOR_BYTES_MAX);
    selector_print(selector, &once);
    assert(text_check(&once).code == OK);
    Selector again;
    assert(selector_parse(text_str(&once), &Thing_keys, arena, &again, NULL).code == OK);
    selector_print(&again, &twice);
    assert(str_eq(text_str(&once), text_str(&twice)));
    assert(text.len > 0 || selector->count == 0);
    bool matches = selector_matches(selector, thing, NOW_MS);
    assert(selector_matches(&again, thing, NOW_MS) == matches);
    if (matches) assert(selector_may_match(selector, thing, NOW_MS));
    const Field *field;
    Str value;
    if (selector_narrow(selector, &Thing_schema, &field, &value))
        assert(field->flags & (KEY | UNIQUE | INDEXED));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    Str text = {(const char *)data + 1, size - 1};
    StrPair pairs[] = {
        {S("site"), str_slice(text, 0, 3)},
        {S("a"),       S("7.5")                    }
    };
    const Thing thing = {
        .name = data[0] & 1 ? S("a") : (Str){},
        .size = data[0],
        .mood = (Mood)(data[0] % MOOD_COUNT),
        .seen_at = {      data[0] & 2 ? NOW_MS - data[0] : 0},
        .labels = { pairs, data[0] & 4 ? 2 : 0},
    };
    Arena arena;
    arena_init(&arena, ARENA_MAX);
    Selector selector;
    Reason reason = {};
    Err err = selector_parse(text, &Thing_keys, &arena, &selector, &reason);
    if (err.code == OK)
        check_again(text, &selector, &thing, &arena);
    else
        assert(err.code == ERR_INVALID && str_starts(str_from(reason.text), S("column ")));
    arena_done(&arena);
    return 0;
}
