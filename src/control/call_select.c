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
    Query query; ///< of the next chunk
    size_t limit;
    char *items;
    size_t count;
    size_t looked_at;
    const void *last; ///< that was looked at
    bool is_more;     ///< there are, or may be, records behind it
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

/// Look at one record, and keep it if it is meant.
static Err call_select_row(Call *call, Selection *selection, void *record) {
    const Rules *rules = call->route->rules;
    selection->last = record;
    selection->looked_at++;
    if (!selector_may_match(selection->selector, record, call->now_ms)) return SUCCESS;
    if (rules->fill) TRY(rules->fill(call, record));
    if (!selector_matches(selection->selector, record, call->now_ms)) return SUCCESS;
    size_t size = selection->schema->size;
    memcpy(selection->items + selection->count++ * size, record, size);
    return SUCCESS;
}

static Err call_select_chunk(Call *call, Selection *selection) {
    Page page;
    TRY(call_page(call, &selection->query, &page));
    size_t at = 0;
    for (; at < page.count && selection->count < selection->limit; at++)
        TRY(call_select_row(call, selection, (char *)page.items + at * selection->schema->size));
    selection->is_more = at < page.count || page.next.ptr;
    selection->query.cursor = page.next;
    return SUCCESS;
}

Err call_list_selected(Call *call, const Query *query, const Selector *selector) {
    Selection selection = {
        .schema = call->route->endpoint->out,
        .selector = selector,
        .query = *query,
        .limit = query->limit,
        .is_more = true,
    };
    size_t size = selection.schema->size;
    selection.items = arena_array(call->arena, selection.limit, size, _Alignof(max_align_t));
    TRY(arena_check(call->arena));
    selection.query.limit = CHUNK_ROWS;
    call_select_narrow(&selection);
    do { // at least one, so that whoever follows the cursors comes to the end
        TRY(call_select_chunk(call, &selection));
    } while (selection.is_more && selection.count < selection.limit
             && selection.looked_at < LOOKED_AT_MAX && call->arena->used_bytes < ARENA_USED_MAX);
    Str next = {};
    if (selection.is_more)
        TRY(tx_cursor(call->tx, selection.schema, &selection.query, selection.last, &next));
    return call_reply_list(call, selection.items, selection.count, next);
}
