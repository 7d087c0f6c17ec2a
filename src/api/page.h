// SPDX-License-Identifier: Apache-2.0
/// The query parameters of every list: a page of rows in key order, by cursor.
#pragma once

#include "base/schema.h"

/// Lists have one of these as their query record, alone or as the first member. The fields behind
/// it are filters: each has the name of an indexed field of the record, and equals it; but one
/// called QUERY_SELECTOR is a selector (base/selector.h).
typedef struct PageQuery {
    Str after; ///< `next` of the page before; absent: the first
    uint64_t limit;
    bool descending; ///< newest first
} PageQuery;
extern const Schema PageQuery_schema;

enum { PAGE_FIELD_COUNT = 3 };
#define QUERY_SELECTOR "selector"

#define PAGE_ROWS(type, at)                                                                     \
    FIELD_AT(type, at after, "after", 0, "next of the page before", .max = 128),                \
        FIELD_AT(type, at limit, "limit", 0, "rows", .min = 1, .max = 1000, .fallback = "100"), \
        FIELD_AT(type, at descending, "descending", 0, "newest first", .fallback = "false")
/// The rows of the query schema of `type`, whose record has a PageQuery called `page`.
#define PAGE_FIELDS(type) PAGE_ROWS(type, page.)
