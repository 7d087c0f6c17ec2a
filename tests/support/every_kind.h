// SPDX-License-Identifier: Apache-2.0
/// A record with a field of every kind and flag, for the tests and the fuzzer of Schema.
#pragma once

#include "base/schema.h"

typedef enum Mood { MOOD_CALM, MOOD_BUSY, MOOD_LOST, MOOD_COUNT } Mood;
static const char *const mood_texts[] = {"calm", "busy", "lost"};
static const EnumNames Mood_names = ENUM_NAMES(mood_texts);

typedef struct Part {
    Str name;
    uint64_t weight;
    StrList tags;
} Part;
static const Field Part_fields[] = {
    FIELD(Part, name, REQUIRED, "its name", .pattern = &Pattern_slug, .max = 20),
    FIELD(Part, weight, 0, "grams", .max = 1000, .fallback = "10"),
    FIELD(Part, tags, 0, "words"),
};
static const Schema Part_schema = SCHEMA(Part, "part", "a part of a thing");

typedef struct PartList {
    Part *items;
    size_t count;
} PartList;

typedef struct Thing {
    Id id;
    Str name;
    Str note;
    Str password;
    Str password_hash;
    Str home;
    bool enabled;
    uint64_t size;
    int64_t shift;
    double ratio;
    Mood mood;
    Id parent;
    Time seen_at;
    Duration every;
    Bytes key;
    Json extra;
    StrList words;
    StrMap labels;
    Part main;
    Part spare;
    PartList parts;
    uint64_t count;
    uint64_t rev;
} Thing;
static const Field Thing_fields[] = {
    FIELD(Thing, id, KEY | READ_ONLY | LISTED, "the thing's id", .prefix = "thing"),
    FIELD(Thing, name, REQUIRED | UNIQUE | LISTED, "its name", .pattern = &Pattern_slug, .max = 63),
    FIELD(Thing, note, LISTED, "a remark", .max = 40),
    FIELD(Thing, password, WRITE_ONLY, "a secret", .min = 8),
    FIELD(Thing, password_hash, HIDDEN, "what is kept of it"),
    FIELD(Thing, home, IMMUTABLE, "where it stays"),
    FIELD(Thing, enabled, LISTED, "it works", .fallback = "true"),
    FIELD(Thing, size, LISTED, "in bytes", .min = 1, .max = 5000, .fallback = "5"),
    FIELD(Thing, shift, 0, "to the right", .min = -10, .max = 10),
    FIELD(Thing, ratio, 0, "of parts"),
    FIELD_ENUM(Thing, mood, Mood, INDEXED | LISTED, "how it feels", .fallback = "busy"),
    FIELD(Thing, parent, INDEXED, "where it belongs", .prefix = "thing"),
    FIELD(Thing, seen_at, LISTED, "when it was seen"),
    FIELD(Thing, every, 0, "how often", .min = 1000, .fallback = "30s"),
    FIELD(Thing, key, 0, "its key", .max = 32),
    FIELD(Thing, extra, 0, "whatever", .max = 2000),
    FIELD(Thing, words, LISTED, "some words", .max = 4, .item_max = 10, .pattern = &Pattern_line),
    FIELD(Thing, labels, LISTED, "labels", .max = 4, .item_max = 20, .pattern = &Pattern_label),
    FIELD_RECORD(Thing, main, Part, REQUIRED, "the main part"),
    FIELD_RECORD(Thing, spare, Part, 0, "the spare part"),
    FIELD_LIST(Thing, parts, Part, 0, "other parts", .max = 3),
    FIELD(Thing, count, COMPUTED, "of parts"),
    FIELD(Thing, rev, REV | READ_ONLY, "revision"),
};
static const Schema Thing_schema = SCHEMA(Thing, "thing", "a thing with everything");
