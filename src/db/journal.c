// SPDX-License-Identifier: Apache-2.0
#include "db/journal.h"

#include "db/tx_parts.h"

static const Field Note_fields[] = {
    FIELD(Note, id, KEY | HIDDEN, "order of commits"),
    FIELD(Note, org_id, SCOPE | HIDDEN, "organisation", .prefix = "org"),
    FIELD(Note, rev, REV | HIDDEN, "revision"),
    FIELD_ENUM(Note, class, EntryClass, HIDDEN, "audit or event"),
    FIELD(Note, at, HIDDEN, "when"),
    FIELD(Note, actor, HIDDEN, "who"),
    FIELD(Note, action, HIDDEN, "what was done"),
    FIELD(Note, subject, HIDDEN, "to what"),
    FIELD(Note, subject_name, HIDDEN, "what it was called then"),
    FIELD(Note, before, HIDDEN, "SHA-256 of the record before"),
    FIELD(Note, after, HIDDEN, "SHA-256 of the record after"),
    FIELD(Note, detail, HIDDEN, "what it became"),
    FIELD(Note, request, HIDDEN, "request that did it"),
};
const Schema Note_schema = SCHEMA(Note, "note", "a change that waits for its place in the journal");

static const Field JournalRow_fields[] = {
    FIELD(JournalRow, id, KEY | HIDDEN, "organisation and number"),
    FIELD(JournalRow, org_id, SCOPE | HIDDEN, "organisation", .prefix = "org"),
    FIELD(JournalRow, number, HIDDEN, "1, 2, 3, ... in the organisation"),
    FIELD_ENUM(JournalRow, class, EntryClass, HIDDEN | INDEXED, "audit or event"),
    FIELD(JournalRow, at, HIDDEN, "when"),
    FIELD(JournalRow, entry, HIDDEN, "the bytes that are hashed", .max = ENTRY_BYTES_MAX),
    FIELD(JournalRow, hash, HIDDEN, "SHA-256 of these bytes"),
};
const Schema JournalRow_schema = SCHEMA(JournalRow, "journal", "the journal");

static const Field JournalHead_fields[] = {
    FIELD(JournalHead, org_id, KEY | HIDDEN, "organisation", .prefix = "org"),
    FIELD(JournalHead, rev, REV | HIDDEN, "revision"),
    FIELD(JournalHead, checkpoint, HIDDEN, "signed", .max = JWS_TOKEN_MAX),
};
const Schema JournalHead_schema = SCHEMA(JournalHead, "journal_head", "the end of a journal");

static const Field Lease_fields[] = {
    FIELD(Lease, name, KEY | HIDDEN, "of the work"),
    FIELD(Lease, holder, HIDDEN, "who does it"),
    FIELD(Lease, epoch, HIDDEN, "grows with each who takes it"),
    FIELD(Lease, until, HIDDEN, "when others may take it"),
};
const Schema Lease_schema = SCHEMA(Lease, "lease", "who does a work that one does at a time");

Str journal_key(Arena *arena, const Id *org_id, uint64_t number) {
    return str_print(arena, "%s/%012llu", org_id->text, (unsigned long long)number);
}

/// The note's texts are those that its row has copied: the watch sees it when the caller's are
/// gone.
static void journal_keep_texts(Note *note, const Op *op) {
    for (size_t i = 0; i < op->table->column_count; i++) {
        const Field *field = op->table->columns[i];
        if (field->kind == KIND_STR) *(Str *)field_of(field, note) = op->row[i].text;
        if (field->kind == KIND_JSON) ((Json *)field_of(field, note))->text = op->row[i].text;
    }
}

Err tx_note(Tx *tx, const Note *note) {
    if (!tx->notes) tx->notes = ARENA_ARRAY(tx->arena, Note, TX_NOTES_MAX);
    if (!tx->notes) return arena_check(tx->arena);
    if (tx->note_count == TX_NOTES_MAX) return FAIL(ERR_LIMIT, "the call leaves too many notes");
    Note kept = *note;
    kept.id = S("-"); // until the commit
    size_t op = tx->op_count;
    TRY(tx_create(tx, &Note_schema, &kept));
    journal_keep_texts(&kept, &tx->ops[op]);
    tx->notes[tx->note_count] = kept;
    tx->note_ops[tx->note_count++] = op;
    return SUCCESS;
}
