// SPDX-License-Identifier: Apache-2.0
/// By what things are selected, for the tests and the fuzzer of Selector.
#pragma once

#include "base/selector.h"
#include "every_kind.h"

static const Field thing_rows[] = {
    FIELD_AT(Thing, id, "id", 0, "its id", .prefix = "thing"),
    FIELD_AT(Thing, name, "name", 0, "its name"),
    FIELD_AT(Thing, enabled, "enabled", 0, "it works"),
    FIELD_AT(Thing, size, "size", 0, "in bytes"),
    FIELD_AT(Thing, shift, "shift", 0, "to the right"),
    FIELD_AT(Thing, ratio, "ratio", 0, "of parts"),
    FIELD_ENUM_AT(Thing, mood, "mood", Mood, 0, "how it feels"),
    FIELD_AT(Thing, parent, "in", 0, "where it belongs", .prefix = "thing"),
    FIELD_AT(Thing, home, "in", COMPUTED, "the same by name"),
    FIELD_AT(Thing, seen_at, "seen", COMPUTED, "how long ago"),
    FIELD_AT(Thing, every, "every", 0, "how often"),
    FIELD_AT(Thing, main.name, "part", 0, "the main part"),
    FIELD_AT(Thing, labels, "labels", 0, "labels"),
};
static const SelectorKeys Thing_keys = SELECTOR_KEYS(thing_rows);
