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

#define PAGE_ROWS(type, at)                                                                     \
    FIELD_AT(type, at after, "after", 0, "cursor: next of the page before", .max = 128),        \
        FIELD_AT(type, at limit, "limit", 0, "rows", .min = 1, .max = 1000, .fallback = "100"), \
        FIELD_AT(type, at descending, "descending", 0, "newest first", .fallback = "false")
/// The rows of the query schema of `type`, whose record has a PageQuery called `page`.
#define PAGE_FIELDS(type) PAGE_ROWS(type, page.)

/// The store's query for a page.
Query page_query(const PageQuery *page);
/// Add a condition to a query. Asserts that there is room.
void page_where(Query *query, Condition condition);
/// The cursor as a number; 0 if it is none (which is before every row).
uint64_t page_number(const PageQuery *page);
/// The cursor behind a page of `count` rows whose last key is `last`: absent if it was not full.
Str page_next(const PageQuery *page, size_t count, const Id *last);
