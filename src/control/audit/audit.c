// SPDX-License-Identifier: Apache-2.0
#include "control/audit/audit.h"

#include "base/jws.h"
#include "base/scope.h"
#include "db/journal.h"

#include <assert.h>
#include <string.h>

enum { DETAIL_JSON_MAX = FIELD_JSON_MAX, RECORD_JSON_MAX = 1024 * 1024 };

/// The schema without what changes outside of a record's revision, and without the fields that have
/// one of `flags`.
static Err audit_schema_cut(const Schema *schema, uint32_t flags, Arena *arena, Schema *ret_cut) {
    Field *fields = ARENA_ARRAY(arena, Field, schema->count);
    TRY(arena_check(arena));
    Schema cut = *schema;
    cut.fields = fields;
    cut.count = 0;
    for (size_t i = 0; i < schema->count; i++)
        if (!(schema->fields[i].flags & (LOOSE | flags))) fields[cut.count++] = schema->fields[i];
    *ret_cut = cut;
    return SUCCESS;
}

/// `record` as it is shown. The whole of a very large record is in its own table; the note then
/// goes without it.
static Err audit_detail(const Schema *schema, const void *record, Arena *arena, Json *ret_detail) {
    if (!record) return SUCCESS;
    Schema shown;
    TRY(audit_schema_cut(schema, COMPUTED, arena, &shown));
    SCOPED(text_done) Text detail;
    text_init(&detail, DETAIL_JSON_MAX);
    schema_encode(&shown, record, ENCODE_REPLY, &detail);
    if (text_check(&detail).code == OK) ret_detail->text = str_dup(arena, text_str(&detail));
    return arena_check(arena);
}

/// SHA-256 of the canonical JSON of `record` as it is stored.
static Err audit_digest(const Schema *schema, const void *record, Arena *arena, Str *ret_digest) {
    if (!record) return SUCCESS;
    Schema stored;
    TRY(audit_schema_cut(schema, 0, arena, &stored));
    Str json;
    TRY(schema_encode_canonical(&stored, record, ENCODE_STORED, RECORD_JSON_MAX, arena, &json));
    *ret_digest = sha256_hex(arena, json);
    return arena_check(arena);
}

/// `after` with the revision that it will be stored with, which follows `before`'s.
static Err audit_stamp(const Schema *schema,
                       const void *before,
                       const void *after,
                       Arena *arena,
                       const void **ret_after) {
    const Field *rev = schema_flagged(schema, REV);
    if (!before || !after || !rev) return SUCCESS;
    void *stamped = arena_alloc(arena, schema->size, _Alignof(max_align_t));
    TRY(arena_check(arena));
    memcpy(stamped, after, schema->size);
    *(uint64_t *)field_of(rev, stamped) = *(const uint64_t *)field_in(rev, before) + 1;
    *ret_after = stamped;
    return SUCCESS;
}

/// What the record is called; absent: it has no name.
static Str audit_name(const Schema *schema, const void *record) {
    const Field *field = record ? schema_name_field(schema) : NULL;
    return field ? *(const Str *)field_in(field, record) : (Str){};
}

Err audit_note(Tx *tx,
               Arena *arena,
               const Note *note,
               const Schema *schema,
               const void *before,
               const void *after) {
    assert(!id_is_absent(&note->org_id));
    Note made = *note;
    if (schema) {
        TRY(audit_stamp(schema, before, after, arena, &after));
        made.subject_name = audit_name(schema, after ? after : before);
        TRY(audit_detail(schema, after, arena, &made.detail));
        TRY(audit_digest(schema, before, arena, &made.before));
        TRY(audit_digest(schema, after, arena, &made.after));
    }
    return tx_note(tx, &made);
}
