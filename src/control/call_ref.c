// SPDX-License-Identifier: Apache-2.0
// What one record has to do with others, and what a change leaves behind.
#include "base/scope.h"
#include "control/audit/audit.h"
#include "control/call.h"
#include "db/journal.h"

#include <assert.h>

enum { NAMES_ARENA_MAX = CALL_ARENA_MAX };

/// A record of any schema, in the call's arena.
static Err call_record_get(Call *call, const Schema *schema, const Id *id, void **ret_record) {
    *ret_record = arena_alloc(call->arena, schema->size, _Alignof(max_align_t));
    TRY(arena_check(call->arena));
    return tx_get(call->tx, schema, id_str(id), *ret_record);
}

Err call_page(Call *call, const Query *query, Page *ret_page) {
    Err err = tx_list(call->tx, call->route->endpoint->out, query, ret_page);
    if (err.code != ERR_INVALID) return err;
    return call_refuse(call, S("/after"), "must be `next` of a page of this list");
}

Err call_see_all(Call *call) {
    assert(!call->route->access);
    call->tx = tx_close(call->tx);
    return tx_open_all(app_of(call)->db, call->arena, &call->tx);
}

Err call_see(Call *call, const Id *org_id) {
    assert(!call->route->access);
    call->tx = tx_close(call->tx);
    return tx_open(app_of(call)->db, call->arena, id_str(org_id), &call->tx);
}

Str call_key(const Schema *schema, const void *record) {
    const Field *key = schema_flagged(schema, KEY);
    const void *member = field_in(key, record);
    return key->kind == KIND_ID ? id_str(member) : *(const Str *)member;
}

Err call_ref(Call *call, const Schema *schema, const Id *id, Str pointer) {
    void *record;
    Err err = call_record_get(call, schema, id, &record);
    if (err.code == ERR_NOT_FOUND)
        return call_refuse(
            call, pointer, "must be one of this organisation's %ss", schema->name.ptr);
    TRY(err);
    return schema_flagged(schema, REV) ? tx_update(call->tx, schema, record) : SUCCESS;
}

/// What the record is called; absent: it has no name.
static Str call_record_name(const Schema *schema, const void *record) {
    const Field *field = schema_name_field(schema);
    return field ? *(const Str *)field_in(field, record) : (Str){};
}

/// The ids at some offsets of each record, as keys in the call's arena.
static Err
call_keys(Call *call, Records records, const NameOf *names, Str **ret_keys, size_t *ret_count) {
    size_t width = 0;
    while (names[width].id != names[width].name)
        width++;
    Str *keys = ARENA_ARRAY(call->arena, Str, records.count * width + 1);
    TRY(arena_check(call->arena));
    for (size_t i = 0; i < records.count * width; i++) {
        const char *record = (const char *)records.items + i / width * records.size;
        keys[i] = id_str((const Id *)(const void *)(record + names[i % width].id));
    }
    *ret_keys = keys;
    *ret_count = records.count * width;
    return SUCCESS;
}

Err call_refs(Call *call, const Schema *schema, Records records, size_t id, void **ret_items) {
    Str *keys;
    size_t count;
    TRY(call_keys(call,
                  records,
                  (const NameOf[]){
                      {id,                      SIZE_MAX},
                      {                       }
    },
                  &keys,
                  &count));
    return tx_get_many(call->tx, schema, keys, count, ret_items);
}

/// What the records of the keys are called. They are read with an arena of their own, since a
/// record may be much larger than its name.
static Err
call_names_read(Call *call, const Schema *schema, const Str *keys, size_t count, Str *ret_names) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, NAMES_ARENA_MAX);
    SCOPED(tx_closep) Tx *tx = NULL;
    void *items;
    TRY(tx_open(app_of(call)->db, &arena, id_str(&call->principal.scope), &tx));
    TRY(tx_get_many(tx, schema, keys, count, &items));
    for (size_t i = 0; i < count; i++) {
        const char *record = (const char *)items + i * schema->size;
        ret_names[i] = str_dup(call->arena, call_record_name(schema, record));
    }
    return arena_check(call->arena);
}

Err call_names(Call *call, const Schema *schema, Records records, const NameOf *names) {
    Str *keys;
    size_t count;
    TRY(call_keys(call, records, names, &keys, &count));
    if (count == 0) return SUCCESS;
    size_t width = count / records.count;
    Str *found = ARENA_ARRAY(call->arena, Str, count);
    TRY(arena_check(call->arena));
    TRY(call_names_read(call, schema, keys, count, found));
    for (size_t i = 0; i < count; i++) {
        char *record = (char *)records.items + i / width * records.size;
        *(Str *)(void *)(record + names[i % width].name) = found[i];
    }
    return SUCCESS;
}

Err call_note_as(Call *call,
                 const Principal *actor,
                 const Endpoint *endpoint,
                 Str subject,
                 const Schema *schema,
                 const void *before,
                 const void *after) {
    const Note note = {
        .org_id = actor->scope,
        .at = {call->now_ms},
        .actor = actor->name,
        .action = str_print(call->arena, "%s.%s", endpoint->noun, endpoint->verb),
        .subject = subject,
        .request = call->id,
    };
    TRY(arena_check(call->arena));
    return audit_note(call->tx, call->arena, &note, schema, before, after);
}

Err call_note(
    Call *call, Str subject, const Schema *schema, const void *before, const void *after) {
    return call_note_as(
        call, &call->principal, call->route->endpoint, subject, schema, before, after);
}
