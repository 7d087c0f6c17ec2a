// SPDX-License-Identifier: Apache-2.0
/// The journal of changes (base/chain.h), as it is read and proved.
#pragma once

#include "api/page.h"
#include "base/chain.h"
#include "base/endpoint.h"

/// What an export begins behind.
typedef struct ExportQuery {
    uint64_t after; ///< number of an entry; 0: from the start
    uint64_t limit;
} ExportQuery;
extern const Schema ExportQuery_schema;

/// The end of the organisation's journal, for keeping elsewhere.
typedef struct SignedCheckpoint {
    Str checkpoint; ///< the token (base/chain.h:checkpoint_verify)
} SignedCheckpoint;
extern const Schema SignedCheckpoint_schema;

/// What the CLI keeps of a verification: the signed end, and how far it came itself.
typedef struct AuditProof {
    Str checkpoint;
    uint64_t number; ///< verified up to here: less than the checkpoint's while it is not done
    uint64_t audit_number;
    Str audit_hash;
} AuditProof;
extern const Schema AuditProof_schema;

/// Result of a verification.
typedef struct AuditVerdict {
    bool intact;
    uint64_t entries; ///< that were checked
    uint64_t number;  ///< the last good one
    Str head;         ///< hash of the last good audit entry
    Str broken;       ///< what is broken, and where; absent: nothing
} AuditVerdict;
extern const Schema AuditVerdict_schema;

extern const Endpoint Audit_list, Audit_export, Audit_checkpoint;
