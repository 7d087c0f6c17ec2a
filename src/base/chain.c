// SPDX-License-Identifier: Apache-2.0
#include "base/chain.h"

#include "base/scope.h"

#include <string.h>

static const char *const class_texts[] = {"audit", "event"};
const EnumNames EntryClass_names = ENUM_NAMES(class_texts);

static const Field JournalEntry_fields[] = {
    FIELD(JournalEntry, org_id, SCOPE | READ_ONLY, "organisation", .prefix = "org"),
    FIELD(JournalEntry, number, READ_ONLY | LISTED, "of the entry, in its organisation's journal"),
    FIELD_ENUM(JournalEntry, class, EntryClass, READ_ONLY, "audit is chained and kept"),
    FIELD(JournalEntry, at, READ_ONLY | LISTED, "when"),
    FIELD(JournalEntry, actor, READ_ONLY | LISTED, "who"),
    FIELD(JournalEntry, action, READ_ONLY | LISTED, "what was done"),
    FIELD(JournalEntry, subject, READ_ONLY | LISTED, "to what"),
    FIELD(JournalEntry, subject_name, READ_ONLY | LISTED, "what it was called then"),
    FIELD(JournalEntry, before, READ_ONLY, "SHA-256 of the record before"),
    FIELD(JournalEntry, after, READ_ONLY, "SHA-256 of the record after"),
    FIELD(JournalEntry, detail, READ_ONLY, "what it became"),
    FIELD(JournalEntry, request, READ_ONLY, "request that did it"),
    FIELD(JournalEntry, previous, READ_ONLY, "hash of the audit entry before"),
    FIELD(JournalEntry, hash, READ_ONLY, "SHA-256 of the canonical JSON of the other fields"),
};
const Schema JournalEntry_schema = SCHEMA(JournalEntry, "journal_entry", "one change");

static const Field JournalLine_fields[] = {
    FIELD(JournalLine, number, READ_ONLY, "of the entry"),
    FIELD_ENUM(JournalLine, class, EntryClass, READ_ONLY, "of the entry"),
    FIELD(JournalLine, at, READ_ONLY, "of the entry"),
    FIELD(JournalLine, entry, READ_ONLY, "the bytes that are hashed", .max = ENTRY_BYTES_MAX),
    FIELD(JournalLine, hash, READ_ONLY, "SHA-256 of these bytes"),
};
const Schema JournalLine_schema =
    SCHEMA(JournalLine, "journal_line", "an entry of the journal, byte for byte");

static const Field Checkpoint_fields[] = {
    FIELD(Checkpoint, use, REQUIRED, "what it is"),
    FIELD(Checkpoint, public_key, REQUIRED, "key that signs it", .pattern = &Pattern_key32),
    FIELD(Checkpoint, org_id, REQUIRED, "organisation", .prefix = "org"),
    FIELD(Checkpoint, at, REQUIRED, "when it was signed"),
    FIELD(Checkpoint, number, REQUIRED, "of the last entry"),
    FIELD(Checkpoint, audit_number, REQUIRED, "of the last audit entry"),
    FIELD(Checkpoint, audit_hash, 0, "its hash"),
    FIELD(Checkpoint, floor_number, REQUIRED, "of the last audit entry that retention removed"),
    FIELD(Checkpoint, floor_hash, 0, "its hash"),
};
const Schema Checkpoint_schema =
    SCHEMA(Checkpoint, "checkpoint", "how far an organisation's journal goes");

/// The canonical JSON of a record, in the arena.
static Err chain_encode(
    const Schema *schema, const void *record, EncodeMode mode, Arena *arena, Str *ret_bytes) {
    return schema_encode_canonical(schema, record, mode, ENTRY_BYTES_MAX, arena, ret_bytes);
}

Err entry_encode(const JournalEntry *entry, Arena *arena, Str *ret_bytes, Str *ret_hash) {
    JournalEntry hashed = *entry;
    hashed.hash = (Str){};
    Str bytes;
    TRY(chain_encode(&JournalEntry_schema, &hashed, ENCODE_REPLY, arena, &bytes));
    Str hash = sha256_hex(arena, bytes);
    TRY(arena_check(arena));
    *ret_bytes = bytes;
    *ret_hash = hash;
    return SUCCESS;
}

Err entry_decode(Str bytes, Str hash, Arena *arena, JournalEntry *ret_entry) {
    JournalEntry entry;
    TRY(schema_read(&JournalEntry_schema, bytes, DECODE_REPLY, arena, &entry, NULL));
    entry.hash = hash;
    *ret_entry = entry;
    return SUCCESS;
}

Err checkpoint_sign(const JwsKey *key, const Checkpoint *checkpoint, Arena *arena, Str *ret_token) {
    Checkpoint signed_one = *checkpoint;
    signed_one.use = S(CHECKPOINT_USE);
    signed_one.public_key = base64_encode(arena, (Bytes){key->public, JWS_PUBLIC_KEY_LEN}, BASE64);
    TRY(arena_check(arena));
    Str claims;
    TRY(chain_encode(&Checkpoint_schema, &signed_one, ENCODE_REQUEST, arena, &claims));
    SCOPED(text_done) Text token;
    text_init(&token, JWS_TOKEN_MAX);
    jws_sign(key, claims, &token);
    TRY(text_check(&token));
    *ret_token = str_dup(arena, text_str(&token));
    return arena_check(arena);
}

Err checkpoint_verify(const uint8_t *public_key,
                      Str token,
                      Arena *arena,
                      Checkpoint *ret_checkpoint) {
    const Err bad = FAIL(ERR_UNAUTHENTICATED, "this is no checkpoint");
    Str claims;
    Checkpoint checkpoint;
    uint8_t key[JWS_PUBLIC_KEY_LEN];
    size_t len = 0;
    TRY(jws_peek(token, arena, &claims));
    Err err = schema_read(&Checkpoint_schema, claims, DECODE_PEER, arena, &checkpoint, NULL);
    if (err.code == ERR_INVALID) return bad;
    TRY(err);
    if (!str_eq(checkpoint.use, S(CHECKPOINT_USE))) return bad;
    TRY(base64_decode(checkpoint.public_key, BASE64, key, sizeof(key), &len));
    if (len != sizeof(key)) return bad;
    if (public_key && memcmp(public_key, key, sizeof(key)) != 0)
        return FAIL(ERR_UNAUTHENTICATED, "the checkpoint is signed by another key");
    TRY(jws_verify(key, token, arena, &claims));
    *ret_checkpoint = checkpoint;
    return SUCCESS;
}

#define BROKEN FAIL(ERR_STATE, "the journal is broken")

Err chain_init(Chain *chain, const Id *org_id, uint64_t number, uint64_t audit_number, Str hash) {
    if (hash.len > CHAIN_HASH_LEN) return BROKEN;
    *chain = (Chain){.org_id = *org_id, .number = number, .audit_number = audit_number};
    if (hash.len) memcpy(chain->hash, hash.ptr, hash.len);
    return SUCCESS;
}

/// What is beside the bytes, and the bytes, say the same.
static Err chain_line_check(const Chain *chain,
                            const JournalLine *line,
                            const JournalEntry *entry,
                            Arena *arena,
                            Reason *reason) {
    unsigned long long number = line->number;
    Str hash = sha256_hex(arena, line->entry);
    TRY(arena_check(arena));
    if (!str_eq(hash, line->hash))
        return reason_fail(reason, BROKEN, "entry %llu has not the hash of its bytes", number);
    if (entry->number != line->number || entry->class != line->class || entry->at.ms != line->at.ms)
        return reason_fail(reason, BROKEN, "entry %llu is another than its row says", number);
    if (!id_eq(&entry->org_id, &chain->org_id))
        return reason_fail(reason, BROKEN, "entry %llu is another organisation's", number);
    if (line->number <= chain->number)
        return reason_fail(reason, BROKEN, "entry %llu is not in order", number);
    return SUCCESS;
}

/// An audit entry that should be at a checkpoint on the way is the one that was there.
static Err chain_pass_check(const Chain *chain, const JournalLine *line, Reason *reason) {
    const Checkpoint *passing = chain->passing;
    if (!passing || line->number < passing->audit_number
        || chain->audit_number >= passing->audit_number)
        return SUCCESS;
    if (line->number == passing->audit_number && str_eq(line->hash, passing->audit_hash))
        return SUCCESS;
    return reason_fail(reason,
                       BROKEN,
                       "entry %llu is not the one that the checkpoint names",
                       (unsigned long long)passing->audit_number);
}

Err chain_step(Chain *chain, const JournalLine *line, Arena *arena, Reason *reason) {
    JournalEntry entry;
    Err err = entry_decode(line->entry, line->hash, arena, &entry);
    if (err.code == ERR_INVALID)
        return reason_fail(
            reason, BROKEN, "the entry behind %llu is none", (unsigned long long)chain->number);
    TRY(err);
    TRY(chain_line_check(chain, line, &entry, arena, reason));
    if (entry.class == ENTRY_AUDIT) {
        if (!str_eq(entry.previous, str_from(chain->hash)))
            return reason_fail(reason,
                               BROKEN,
                               "audit entry %llu does not follow audit entry %llu",
                               (unsigned long long)line->number,
                               (unsigned long long)chain->audit_number);
        TRY(chain_pass_check(chain, line, reason));
        memcpy(chain->hash, line->hash.ptr, CHAIN_HASH_LEN); // 64 digits: it is that of the bytes
        chain->audit_number = line->number;
    }
    chain->number = line->number;
    chain->entries++;
    return SUCCESS;
}

Err chain_end(const Chain *chain, const Checkpoint *head, Reason *reason) {
    bool is_whole = chain->number <= head->number && chain->audit_number == head->audit_number
                    && str_eq(str_from(chain->hash), head->audit_hash);
    if (is_whole) return SUCCESS;
    return reason_fail(reason,
                       BROKEN,
                       "the journal ends at audit entry %llu, but its signed head names %llu",
                       (unsigned long long)chain->audit_number,
                       (unsigned long long)head->audit_number);
}

Err checkpoint_follows(const Checkpoint *head, const Checkpoint *earlier, Reason *reason) {
    const Err other = FAIL(ERR_STATE, "the journal does not continue the checkpoint");
    if (!id_eq(&head->org_id, &earlier->org_id))
        return reason_fail(reason, other, "the checkpoint is of another organisation");
    if (!str_eq(head->public_key, earlier->public_key))
        return reason_fail(reason, other, "the checkpoint was signed by another key");
    if (head->number < earlier->number || head->audit_number < earlier->audit_number)
        return reason_fail(reason,
                           other,
                           "the journal ends at entry %llu, but did go to %llu",
                           (unsigned long long)head->number,
                           (unsigned long long)earlier->number);
    if (head->floor_number > earlier->audit_number)
        return reason_fail(reason,
                           FAIL(ERR_NOT_FOUND, "the checkpoint is too old"),
                           "entries up to %llu were removed by retention",
                           (unsigned long long)head->floor_number);
    return SUCCESS;
}
