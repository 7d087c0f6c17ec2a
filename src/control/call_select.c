// SPDX-License-Identifier: Apache-2.0
// Lists of the records that meet a selector, of which the store can apply a part at most.
#include "api/page.h"
#include "control/call.h"

#include <assert.h>
#include <string.h>

enum {
    CHUNK_ROWS = 200,     ///< read at once
    LOOKED_AT_MAX = 2000, ///< rows for one answer, which may so have fewer than its limit
    ARENA_USED_MAX = CALL_ARENA_MAX / 2,
};

/// One answer in the making.
typedef struct Selection {
    const Schema *schema;
    const Selector *selector;
    Query query; ///< of the next chunk; without a cursor: there is none
    size_t limit;
    char *items;
    size_t count;
    size_t looked_at;
} Selection;

Err call_selector(Call *call, Selector *ret_selector) {
    const Schema *query = call->route->endpoint->query;
    const Field *field = schema_field(query, S(QUERY_SELECTOR));
    *ret_selector = (Selector){};
    if (!field) return SUCCESS;
    const Str *text = field_in(field, call->query);
    if (!text->ptr) return SUCCESS;
    const Rules *rules = call->route->rules;
    assert(rules && rules->keys);
    Reason reason = {};
    Err err = selector_parse(*text, rules->keys, call->arena, ret_selector, &reason);
    if (err.code != ERR_INVALID) return err;
    return call_refuse(call, S("/" QUERY_SELECTOR), "must be a selector: %s", reason.text);
}

/// Have the store apply what it can.
static void call_select_narrow(Selection *selection) {
    const Field *field;
    Str value;
    if (!selector_narrow(selection->selector, selection->schema, &field, &value)) return;
    for (size_t i = 0; i < TX_CONDITIONS_MAX; i++) {
        Condition *condition = &selection->query.where[i];
        if (condition->member.schema) continue;
        *condition = (Condition){
            {selection->schema, field->offset},
            HOW_IS, value_str(value)
        };
        return;
    }
}

/// Move those of the page that may match to its front. Gives how many.
static size_t call_select_sieve(const Call *call, const Selection *selection, const Page *page) {
    size_t size = selection->schema->size;
    size_t count = 0;
    for (size_t i = 0; i < page->count; i++) {
        char *record = (char *)page->items + i * size;
        if (!selector_may_match(selection->selector, record, call->now_ms)) continue;
        memmove((char *)page->items + count++ * size, record, size);
    }
    return count;
}

/// Keep those that match, up to the limit. Gives how many of them were looked at.
static size_t
call_select_match(const Call *call, Selection *selection, char *records, size_t count) {
    size_t size = selection->schema->size;
    size_t at = 0;
    for (; at < count && selection->count < selection->limit; at++) {
        const char *record = records + at * size;
        if (selector_matches(selection->selector, record, call->now_ms))
            memcpy(selection->items + selection->count++ * size, record, size);
    }
    return at;
}

static Err call_select_chunk(Call *call, Selection *selection) {
    const Rules *rules = call->route->rules;
    Page page;
    TRY(call_page(call, &selection->query, &page));
    size_t may = call_select_sieve(call, selection, &page);
    if (rules->fill) TRY(rules->fill(call, page.items, may));
    size_t at = call_select_match(call, selection, page.items, may);
    selection->looked_at += page.count;
    selection->query.cursor = page.next;
    if (at == may) return SUCCESS;
    const void *last = selection->items + (selection->count - 1) * selection->schema->size;
    return tx_cursor(
        call->tx, selection->schema, &selection->query, last, &selection->query.cursor);
}

Err call_list_selected(Call *call, const Query *query, const Selector *selector) {
    Selection selection = {
        .schema = call->route->endpoint->out,
        .selector = selector,
        .query = *query,
        .limit = query->limit,
    };
    size_t size = selection.schema->size;
    selection.items = arena_array(call->arena, selection.limit, size, _Alignof(max_align_t));
    TRY(arena_check(call->arena));
    selection.query.limit = CHUNK_ROWS;
    call_select_narrow(&selection);
    do { // at least one, so that whoever follows the cursors comes to the end
        TRY(call_select_chunk(call, &selection));
    } while (selection.query.cursor.ptr && selection.count < selection.limit
             && selection.looked_at < LOOKED_AT_MAX && call->arena->used_bytes < ARENA_USED_MAX);
    return call_reply_list(call, selection.items, selection.count, selection.query.cursor);
}
