// SPDX-License-Identifier: Apache-2.0
/// The record of every change: append-only, each entry chained to the one before by its hash.
#pragma once

#include "api/page.h"
#include "base/endpoint.h"

typedef struct AuditEntry {
    Str id; ///< "org_..../000000000001": sorts by seq within the organisation
    Id org_id;
    uint64_t seq; ///< 1, 2, 3, ... without a gap in the organisation
    Time at;
    Str actor;        ///< "operator/alice", "device/cam-1", "system"
    Str action;       ///< "fleet.create"
    Str subject;      ///< id of what was changed
    Str subject_name; ///< what it was called then; absent: it has no name
    Json detail;      ///< what it became; never a secret
    Str request;      ///< id of the request
    Str previous;     ///< hash of the entry before; absent in the first
    Str hash;         ///< SHA-256 over the canonical JSON of all the other shown fields
} AuditEntry;
extern const Schema AuditEntry_schema;

/// Result of walking the chain.
typedef struct AuditVerdict {
    bool intact;
    uint64_t entries;    ///< that were checked
    uint64_t broken_seq; ///< first entry that does not fit; 0 = none
    Str head;            ///< hash of the last good entry
} AuditVerdict;
extern const Schema AuditVerdict_schema;

/// The hash that `entry` should have. ERR_LIMIT: arena exhausted.
Err audit_entry_hash(const AuditEntry *entry, Arena *arena, Str *ret_hash);
/// Whether `entry` follows the entry with `last_seq` and `last_hash` (0 and absent: it is the
/// first). ERR_STATE: it does not. ERR_LIMIT: arena exhausted.
Err audit_entry_check(const AuditEntry *entry, uint64_t last_seq, Str last_hash, Arena *arena);

extern const Endpoint Audit_list, Audit_verify;
