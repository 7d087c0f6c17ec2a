// SPDX-License-Identifier: Apache-2.0
/// The query parameters of every list: a page of rows in key order, by cursor.
#pragma once

#include "base/schema.h"

/// Lists have one of these as their query record, alone or as the first member. The fields behind
/// it are filters: each has the name of an indexed field of the record, and equals it.
typedef struct PageQuery {
    Str after; ///< `next` of the page before; absent: the first
    uint64_t limit;
    bool descending; ///< newest first
} PageQuery;
extern const Schema PageQuery_schema;

enum { PAGE_FIELD_COUNT = 3 };

// clang-format off
/// The rows of a query schema whose record begins with a PageQuery called `page`.
#define PAGE_FIELDS                                                                                \
    {.name = {"after", 5}, .kind = FIELD_STR, .offset = offsetof(PageQuery, after),                \
     .doc = "cursor: next of the page before", .max = 128},                                        \
    {.name = {"limit", 5}, .kind = FIELD_U64, .offset = offsetof(PageQuery, limit),                \
     .doc = "rows", .min = 1, .max = 1000, .fallback = "100"},                                     \
    {.name = {"descending", 10}, .kind = FIELD_BOOL, .offset = offsetof(PageQuery, descending),    \
     .doc = "newest first", .fallback = "false"}
// clang-format on
