// SPDX-License-Identifier: Apache-2.0
#include "control/audit/audit.h"

#include "base/scope.h"
#include "db/tx.h"

#include <assert.h>

enum { DETAIL_JSON_MAX = FIELD_JSON_MAX };

/// TxLink: what an entry takes from the one before it.
static Err audit_link_entry(const void *last_record, Arena *arena, void *record) {
    const AuditEntry *last = last_record;
    AuditEntry *entry = record;
    entry->seq = last ? last->seq + 1 : 1;
    entry->id = str_print(arena, "%s/%012llu", entry->org_id.text, (unsigned long long)entry->seq);
    entry->previous = last ? last->hash : (Str){};
    TRY(arena_check(arena));
    return audit_entry_hash(entry, arena, &entry->hash);
}

/// `record` as it is stored and shown.
static Err audit_detail_encode(const Schema *schema, const void *record, Arena *arena, Text *out) {
    Field *fields = ARENA_ARRAY(arena, Field, schema->count);
    TRY(arena_check(arena));
    Schema stored = *schema;
    stored.fields = fields;
    stored.count = 0;
    for (size_t i = 0; i < schema->count; i++)
        if (!(schema->fields[i].flags & (COMPUTED | LOOSE)))
            fields[stored.count++] = schema->fields[i];
    schema_encode(&stored, record, ENCODE_REPLY, out);
    return SUCCESS;
}

Err audit_add(
    Tx *tx, Arena *arena, const AuditEntry *entry, const Schema *schema, const void *record) {
    assert(!id_is_absent(&entry->org_id));
    AuditEntry added = *entry;
    SCOPED(text_done) Text detail;
    text_init(&detail, DETAIL_JSON_MAX);
    if (record) {
        TRY(audit_detail_encode(schema, record, arena, &detail));
        // The whole of a very large record is in its own table; the entry then goes without it.
        if (text_check(&detail).code == OK) added.detail.text = str_dup(arena, text_str(&detail));
    }
    TRY(arena_check(arena));
    return tx_append(tx, &AuditEntry_schema, &added, audit_link_entry);
}
