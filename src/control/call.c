// SPDX-License-Identifier: Apache-2.0
#include "control/call.h"

#include "api/page.h"
#include "base/field.h"

#include <assert.h>
#include <string.h>

static const Rules no_rules;

static const Rules *call_rules(const Call *call) {
    return call->route->rules ? call->route->rules : &no_rules;
}

/// What the endpoint is about.
static const Schema *call_schema(const Call *call) {
    assert(call->route->endpoint->out);
    return call->route->endpoint->out;
}

/// An empty record in the call's arena.
static Err call_record(Call *call, const Schema *schema, void **ret_record) {
    *ret_record = arena_alloc(call->arena, schema->size, _Alignof(max_align_t));
    return arena_check(call->arena);
}

/// The member with this flag, to be written; NULL: the schema has none.
static void *call_member(const Schema *schema, uint32_t flag, void *record) {
    const Field *field = schema_flagged(schema, flag);
    return field ? field_of(field, record) : NULL;
}

// Reading.

/// The condition of a filter: the record's field of this name is the value.
static Condition call_condition(const Call *call, Str name, Value value) {
    const Field *field = schema_field(call_schema(call), name);
    assert(field);
    return (Condition){
        {call_schema(call), field->offset},
        HOW_IS, value
    };
}

Err call_query(Call *call, Query *ret_query) {
    const Schema *schema = call->route->endpoint->query;
    const PageQuery *page = call->query;
    Query query = {
        .cursor = page->after, .limit = (size_t)page->limit, .descending = page->descending};
    size_t count = 0;
    for (size_t i = PAGE_FIELD_COUNT; i < schema->count; i++) {
        const Field *field = &schema->fields[i];
        if (str_eq(field->name, S(QUERY_SELECTOR))) continue;
        Value value;
        TRY(field_to_value(field, call->query, call->arena, &value));
        if (value.kind == VALUE_NULL) continue;
        assert(count < TX_CONDITIONS_MAX);
        query.where[count++] = call_condition(call, field->name, value);
    }
    *ret_query = query;
    return SUCCESS;
}

Err call_list(Call *call) {
    const Rules *rules = call_rules(call);
    Query query;
    Selector selector;
    Page page;
    TRY(call_query(call, &query));
    TRY(call_selector(call, &selector));
    if (selector.count > 0) return call_list_selected(call, &query, &selector);
    TRY(call_page(call, &query, &page));
    if (rules->fill) TRY(rules->fill(call, page.items, page.count));
    return call_reply_list(call, page.items, page.count, page.next);
}

Err call_load(Call *call, const Schema *schema, void *record) {
    Str key = id_str(&call->principal.scope);
    Str rest = str_from(call->route->endpoint->path);
    size_t args = 0;
    for (Str segment; str_cut(&rest, '/', &segment);)
        if (str_starts(segment, S("{"))) key = call->args[args++];
    return tx_get(call->tx, schema, key, record);
}

Err call_reply_filled(Call *call, void *record) {
    const Rules *rules = call_rules(call);
    if (rules->fill) TRY(rules->fill(call, record, 1));
    return call_reply(call, record);
}

Err call_show(Call *call) {
    void *record;
    TRY(call_record(call, call_schema(call), &record));
    TRY(call_load(call, call_schema(call), record));
    return call_reply_filled(call, record);
}

// Changing.

/// What we set in every new record that has it.
static void call_record_begin(const Call *call, const Schema *schema, void *record) {
    const Field *key = schema_flagged(schema, KEY);
    assert(key->kind == KIND_ID && key->prefix);
    *(Id *)field_of(key, record) = id_new(str_from(key->prefix), call->now_ms);
    Id *scope = call_member(schema, SCOPE, record);
    if (scope) *scope = call->principal.scope;
    uint64_t *rev = call_member(schema, REV, record);
    if (rev) *rev = 1;
    const Field *created_at = schema_field(schema, S("created_at"));
    if (created_at) ((Time *)field_of(created_at, record))->ms = call->now_ms;
}

Err call_create(Call *call) {
    const Schema *schema = call_schema(call);
    const Rules *rules = call_rules(call);
    void *record;
    assert(call->route->endpoint->in == schema);
    TRY(call_record(call, schema, &record));
    memcpy(record, call->in, schema->size);
    call_record_begin(call, schema, record);
    if (rules->save) TRY(rules->save(call, NULL, record));
    TRY(arena_check(call->arena));
    TRY(tx_create(call->tx, schema, record));
    TRY(call_note(call, call_key(schema, record), schema, NULL, record));
    return call_reply_filled(call, record);
}

Err call_save(Call *call, const Schema *schema, const void *before, void *record) {
    TRY(arena_check(call->arena));
    TRY(tx_update(call->tx, schema, record));
    TRY(call_note(call, call_key(schema, record), schema, before, record));
    ++*(uint64_t *)call_member(schema, REV, record);
    return SUCCESS;
}

Err call_update(Call *call) {
    const Schema *schema = call_schema(call);
    const Rules *rules = call_rules(call);
    void *before, *record;
    TRY(call_record(call, schema, &before));
    TRY(call_record(call, schema, &record));
    TRY(call_load(call, schema, before));
    memcpy(record, before, schema->size);
    TRY(call_patch(call, schema, record));
    if (rules->save) TRY(rules->save(call, before, record));
    TRY(call_save(call, schema, before, record));
    return call_reply_filled(call, record);
}

Err call_delete(Call *call) {
    const Schema *schema = call_schema(call);
    const Rules *rules = call_rules(call);
    void *record;
    TRY(call_record(call, schema, &record));
    TRY(call_load(call, schema, record));
    if (rules->drop) TRY(rules->drop(call, record));
    TRY(tx_delete(call->tx, schema, record));
    return call_note(call, call_key(schema, record), schema, record, NULL);
}
