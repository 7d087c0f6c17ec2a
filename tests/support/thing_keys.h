// SPDX-License-Identifier: Apache-2.0
/// By what things are selected, for the tests and the fuzzer of Selector.
#pragma once

#include "base/selector.h"
#include "every_kind.h"

typedef Thing ThingKey;
static const Field ThingKey_fields[] = {
    FIELD_AT(ThingKey, id, "id", KEY, "its id", .prefix = "thing"),
    FIELD_AT(ThingKey, name, "name", 0, "its name"),
    FIELD_AT(ThingKey, enabled, "enabled", 0, "it works"),
    FIELD_AT(ThingKey, size, "size", 0, "in bytes"),
    FIELD_AT(ThingKey, shift, "shift", 0, "to the right"),
    FIELD_AT(ThingKey, ratio, "ratio", 0, "of parts"),
    FIELD_ENUM_AT(ThingKey, mood, "mood", Mood, 0, "how it feels"),
    FIELD_AT(ThingKey, parent, "in", 0, "where it belongs", .prefix = "thing"),
    FIELD_AT(ThingKey, home, "in", COMPUTED, "the same by name"),
    FIELD_AT(ThingKey, seen_at, "seen", COMPUTED, "how long ago"),
    FIELD_AT(ThingKey, every, "every", 0, "how often"),
    FIELD_AT(ThingKey, main.name, "part", 0, "the main part"),
    FIELD_AT(ThingKey, labels, "labels", 0, "labels"),
};
static const Schema ThingKey_schema = SCHEMA(ThingKey, "thing_key", "by what things are selected");
