// SPDX-License-Identifier: Apache-2.0
// What one record has to do with others, and what a change leaves behind.
#include "base/scope.h"
#include "control/audit/audit.h"
#include "control/call.h"

#include <assert.h>

enum { NAMES_MAX = 256, NAME_ARENA_MAX = 4 * 1024 * 1024 };

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

Err call_count_refs(Call *call, Member member, const Id *id, uint64_t *ret_count) {
    const Query query = {.where = {{member, HOW_IS, value_id(id)}}};
    return tx_count(call->tx, member.schema, &query, ret_count);
}

/// What the record is called; absent: it has no name.
static Str call_record_name(const Schema *schema, const void *record) {
    const Field *field = schema_name_field(schema);
    return field ? *(const Str *)field_in(field, record) : (Str){};
}

/// The names that a call has asked for: Call.memo.
typedef struct Names {
    struct {
        Id id;
        Str name;
    } items[NAMES_MAX];
    size_t count;
} Names;

/// Read with an arena of its own, since a record may be much larger than its name.
static Err call_name_read(Call *call, const Schema *schema, const Id *id, Str *ret_name) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, NAME_ARENA_MAX);
    SCOPED(tx_closep) Tx *tx = NULL;
    TRY(tx_open(app_of(call)->db, &arena, id_str(&call->principal.scope), &tx));
    void *record = arena_alloc(&arena, schema->size, _Alignof(max_align_t));
    TRY(arena_check(&arena));
    Err err = tx_get(tx, schema, id_str(id), record);
    if (err.code == ERR_NOT_FOUND) return SUCCESS;
    TRY(err);
    *ret_name = str_dup(call->arena, call_record_name(schema, record));
    return SUCCESS;
}

Err call_name(Call *call, const Schema *schema, const Id *id, Str *ret_name) {
    Str name = {};
    if (!call->memo) call->memo = ARENA_NEW(call->arena, Names);
    TRY(arena_check(call->arena));
    Names *names = call->memo;
    size_t at = 0;
    while (at < names->count && !id_eq(&names->items[at].id, id))
        at++;
    if (at < names->count) {
        name = names->items[at].name;
    } else if (!id_is_absent(id)) {
        TRY(call_name_read(call, schema, id, &name));
        TRY(arena_check(call->arena));
        if (names->count < NAMES_MAX) {
            names->items[names->count].id = *id;
            names->items[names->count++].name = name;
        }
    }
    *ret_name = name;
    return SUCCESS;
}

Err call_note_as(Call *call,
                 const Principal *actor,
                 const Endpoint *endpoint,
                 Str subject,
                 const Schema *schema,
                 const void *record) {
    const AuditEntry entry = {
        .org_id = actor->scope,
        .at = {call->now_ms},
        .actor = actor->name,
        .action = str_print(call->arena, "%s.%s", endpoint->noun, endpoint->verb),
        .subject = subject,
        .subject_name = record ? call_record_name(schema, record) : (Str){},
        .request = call->id,
    };
    const void *detail = endpoint->method == DELETE ? NULL : record;
    return audit_add(call->tx, call->arena, &entry, schema, detail);
}

Err call_note(Call *call, Str subject, const Schema *schema, const void *record) {
    return call_note_as(call, &call->principal, call->route->endpoint, subject, schema, record);
}
