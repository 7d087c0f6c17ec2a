// SPDX-License-Identifier: Apache-2.0
/// A record of 91 fields, for the tests of what has room for many.
#pragma once

#include "base/schema.h"

#define WIDE_TEN(X, ten) \
    X(ten##0)            \
    X(ten##1) X(ten##2) X(ten##3) X(ten##4) X(ten##5) X(ten##6) X(ten##7) X(ten##8) X(ten##9)
/// X(10) X(11) ... X(99)
#define WIDE_EACH(X) \
    WIDE_TEN(X, 1)   \
    WIDE_TEN(X, 2)   \
    WIDE_TEN(X, 3)   \
    WIDE_TEN(X, 4) WIDE_TEN(X, 5) WIDE_TEN(X, 6) WIDE_TEN(X, 7) WIDE_TEN(X, 8) WIDE_TEN(X, 9)
#define WIDE_MEMBER(number) uint64_t n##number;
#define WIDE_FIELD(number) FIELD(Wide, n##number, LISTED, "a number"),
#define WIDE_COLUMN(number) ", n" #number " INTEGER NOT NULL"
#define WIDE_SET(number) .n##number = number,
#define WIDE_JSON(number) ",\"n" #number "\":" #number

typedef struct Wide {
    Id id;
    WIDE_EACH(WIDE_MEMBER)
} Wide;
static const Field Wide_fields[] = {FIELD(Wide, id, KEY | LISTED, "key", .prefix = "wide"),
                                    WIDE_EACH(WIDE_FIELD)};
static const Schema Wide_schema = SCHEMA(Wide, "wide", "a record of many fields");
