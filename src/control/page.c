// SPDX-License-Identifier: Apache-2.0
#include "control/page.h"

#include <assert.h>

static const Field PageQuery_fields[] = {PAGE_ROWS(PageQuery, )};
const Schema PageQuery_schema = SCHEMA(PageQuery, "page_query", "a page of rows");

Query page_query(const PageQuery *page) {
    return (Query){
        .after = page->after, .limit = (size_t)page->limit, .descending = page->descending};
}

void page_where(Query *query, Condition condition) {
    size_t at = 0;
    while (at < TX_CONDITIONS_MAX && query->where[at].field.ptr)
        at++;
    assert(at < TX_CONDITIONS_MAX);
    query->where[at] = condition;
}

uint64_t page_number(const PageQuery *page) {
    uint64_t number = 0;
    Err err = str_u64(page->after, &number);
    return err.code == OK ? number : 0;
}

Str page_next(const PageQuery *page, size_t count, const Id *last) {
    return count < page->limit ? (Str){} : id_str(last);
}
