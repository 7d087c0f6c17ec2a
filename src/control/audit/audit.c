// SPDX-License-Identifier: Apache-2.0
#include "control/audit/audit.h"

#include "base/scope.h"
#include "db/tx.h"

#include <assert.h>

enum { DETAIL_JSON_MAX = FIELD_JSON_MAX };

/// TxLink: what an entry takes from the one before it.
static Err entry_link(const void *last_record, Arena *arena, void *record) {
    const AuditEntry *last = last_record;
    AuditEntry *entry = record;
    entry->seq = last ? last->seq + 1 : 1;
    entry->id = str_print(arena, "%s/%012llu", entry->org_id.text, (unsigned long long)entry->seq);
    entry->previous = last ? last->hash : (Str){};
    TRY(arena_check(arena));
    return audit_entry_hash(entry, arena, &entry->hash);
}

Err audit_record(
    Call *call, const char *action, Str subject, const Schema *schema, const void *record) {
    assert(!id_is_absent(&call->principal.scope));
    AuditEntry entry = {
        .org_id = call->principal.scope,
        .at = {call->now_ms},
        .actor = call->principal.name,
        .action = str_from(action),
        .subject = subject,
        .request = call->id,
    };
    SCOPED(text_done) Text detail;
    text_init(&detail, DETAIL_JSON_MAX);
    if (record) {
        schema_encode(schema, record, ENCODE_REPLY, &detail);
        // The whole of a very large record is in its own table; the entry then goes without it.
        if (text_check(&detail).code == OK)
            entry.detail.text = str_dup(call->arena, text_str(&detail));
    }
    TRY(arena_check(call->arena));
    return tx_append(call->tx, &AuditEntry_schema, &entry, entry_link);
}
