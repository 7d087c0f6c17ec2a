// SPDX-License-Identifier: Apache-2.0
#include "api/audit.h"

#include "base/jws.h"
#include "base/scope.h"

enum { ENTRY_JSON_MAX = 128 * 1024 };

static const Field AuditEntry_fields[] = {
    FIELD(AuditEntry, id, KEY | HIDDEN, "organisation and seq"),
    FIELD(AuditEntry, org_id, SCOPE | READ_ONLY, "organisation", .prefix = "org"),
    FIELD(AuditEntry, seq, READ_ONLY | LISTED, "1, 2, 3, ... without a gap"),
    FIELD(AuditEntry, at, READ_ONLY | LISTED, "when"),
    FIELD(AuditEntry, actor, READ_ONLY | LISTED, "who"),
    FIELD(AuditEntry, action, READ_ONLY | LISTED, "what was done"),
    FIELD(AuditEntry, subject, READ_ONLY | LISTED, "to what"),
    FIELD(AuditEntry, subject_name, READ_ONLY | LISTED, "what it was called then"),
    FIELD(AuditEntry, detail, READ_ONLY, "what it became"),
    FIELD(AuditEntry, request, READ_ONLY, "request that did it"),
    FIELD(AuditEntry, previous, READ_ONLY, "hash of the entry before"),
    FIELD(AuditEntry, hash, READ_ONLY, "SHA-256 over the canonical JSON of the other fields"),
};
const Schema AuditEntry_schema =
    SCHEMA(AuditEntry, "audit", "one change, chained to the one before");

static const Field AuditVerdict_fields[] = {
    FIELD(AuditVerdict, intact, REQUIRED, "every entry fits the one before"),
    FIELD(AuditVerdict, entries, REQUIRED, "entries that were checked"),
    FIELD(AuditVerdict, broken_seq, REQUIRED, "first entry that does not fit; 0: none"),
    FIELD(AuditVerdict, head, 0, "hash of the last good entry"),
};
const Schema AuditVerdict_schema =
    SCHEMA(AuditVerdict, "audit_verdict", "result of walking the chain");

Err audit_entry_hash(const AuditEntry *entry, Arena *arena, Str *ret_hash) {
    AuditEntry hashed = *entry;
    hashed.hash = (Str){};
    SCOPED(text_done) Text text;
    text_init(&text, ENTRY_JSON_MAX);
    schema_encode(&AuditEntry_schema, &hashed, ENCODE_REPLY, &text);
    TRY(text_check(&text));
    Str json;
    TRY(json_canonical(arena, text_str(&text), &json));
    Str hash = sha256_hex(arena, json);
    TRY(arena_check(arena));
    *ret_hash = hash;
    return SUCCESS;
}

Err audit_entry_check(const AuditEntry *entry, uint64_t last_seq, Str last_hash, Arena *arena) {
    Str hash;
    TRY(audit_entry_hash(entry, arena, &hash));
    if (entry->seq != last_seq + 1 || !str_eq(entry->previous, last_hash)
        || !str_eq(entry->hash, hash))
        return FAIL(ERR_STATE, "the audit chain is broken here");
    return SUCCESS;
}

// clang-format off
const Endpoint Audit_list = {
    GET, "/v1/audit", "audit", "list", "Every change, in order",
    .query = &PageQuery_schema, .out = &AuditEntry_schema, .shape = REPLY_LIST};
const Endpoint Audit_verify = {
    GET, "/v1/audit/verify", "audit", "verify", "Walk the hash chain",
    .out = &AuditVerdict_schema};
// clang-format on
