// SPDX-License-Identifier: Apache-2.0
/// The query parameters of every list: a page of rows in key order, by cursor.
#pragma once

#include "base/schema.h"
#include "db/tx.h"

/// Lists have one of these as their query record, alone or as the first member.
typedef struct PageQuery {
    Str after; ///< `next` of the page before; absent: the first
    uint64_t limit;
    bool descending; ///< newest first
} PageQuery;
extern const Schema PageQuery_schema;

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

/// The store's query for a page.
Query page_query(const PageQuery *page);
/// Add a condition to a query. Asserts that there is room.
void page_where(Query *query, Condition condition);
/// The cursor as a number; 0 if it is none (which is before every row).
uint64_t page_number(const PageQuery *page);
/// The cursor behind a page of `count` rows whose last key is `last`: absent if it was not full.
Str page_next(const PageQuery *page, size_t count, const Id *last);
