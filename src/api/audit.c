// SPDX-License-Identifier: Apache-2.0
#include "api/audit.h"

static const Field ExportQuery_fields[] = {
    FIELD(ExportQuery, after, 0, "begin behind the entry with this number", .fallback = "0"),
    FIELD(ExportQuery, limit, 0, "entries", .min = 1, .max = 1000, .fallback = "200"),
};
const Schema ExportQuery_schema = SCHEMA(ExportQuery, "export_query", "a part of the journal");

static const Field SignedCheckpoint_fields[] = {
    FIELD(SignedCheckpoint,
          checkpoint,
          REQUIRED,
          "JSON Web Signature (EdDSA); its claims name the key that signed",
          .max = JWS_TOKEN_MAX),
};
const Schema SignedCheckpoint_schema =
    SCHEMA(SignedCheckpoint, "signed_checkpoint", "the signed end of the journal");

static const Field AuditProof_fields[] = {
    FIELD(AuditProof, checkpoint, REQUIRED, "the signed end", .max = JWS_TOKEN_MAX),
    FIELD(AuditProof, number, 0, "verified up to this entry", .fallback = "0"),
    FIELD(AuditProof, audit_number, 0, "the last audit entry that was seen", .fallback = "0"),
    FIELD(AuditProof, audit_hash, 0, "its hash"),
};
const Schema AuditProof_schema = SCHEMA(AuditProof, "audit_proof", "a kept verification");

static const Field AuditVerdict_fields[] = {
    FIELD(AuditVerdict, intact, REQUIRED, "everything fits, up to the signed end"),
    FIELD(AuditVerdict, entries, REQUIRED, "entries that were checked"),
    FIELD(AuditVerdict, number, REQUIRED, "the last good entry"),
    FIELD(AuditVerdict, head, 0, "hash of the last good audit entry"),
    FIELD(AuditVerdict, broken, 0, "what is broken, and where"),
};
const Schema AuditVerdict_schema =
    SCHEMA(AuditVerdict, "audit_verdict", "result of walking along the journal");

// clang-format off
const Endpoint Audit_list = {
    GET, "/v1/audit", "audit", "list", "Every change, in order",
    .query = &PageQuery_schema, .out = &JournalEntry_schema, .shape = REPLY_LIST};
const Endpoint Audit_export = {
    GET, "/v1/audit/export", "audit", "export", "The journal byte for byte, to be verified",
    .query = &ExportQuery_schema, .out = &JournalLine_schema, .shape = REPLY_LIST};
const Endpoint Audit_checkpoint = {
    GET, "/v1/audit/checkpoint", "audit", "checkpoint", "The signed end of the journal",
    .out = &SignedCheckpoint_schema};
// clang-format on
