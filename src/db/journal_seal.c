// SPDX-License-Identifier: Apache-2.0
// One batch of the sealer. A note is sealed once, whoever else seals: its removal requires that it
// is still there, and the head's revision that nobody has numbered anything meanwhile.
#include "db/journal.h"

#include "base/scope.h"

enum {
    SEAL_NOTES_MAX = 128, ///< of a batch
    SEAL_BYTES_MAX = 4 * 1024 * 1024,
    SEAL_ARENA_MAX = 64 * 1024 * 1024,
    LEASE_MS = 2'000,
};
_Static_assert(3 * SEAL_NOTES_MAX + 1 <= TX_OPS_MAX, "a row, a note and perhaps a head for each");

#define LEASE_NAME "journal"

/// An organisation's head, and where the batch has brought it.
typedef struct SealHead {
    JournalHead row;
    Checkpoint end;
    bool is_refused; ///< its signature is not ours
    bool is_moved;
} SealHead;

typedef struct SealBatch {
    const SealBy *by;
    uint64_t now_ms;
    Arena *arena;
    Tx *tx;
    SealHead *heads; ///< SEAL_NOTES_MAX
    size_t head_count;
    size_t bytes;
    SealResult sealed;
} SealBatch;

static Err seal_head_load(SealBatch *batch, const Id *org_id, SealHead *ret_head) {
    SealHead head = {.row = {.org_id = *org_id}};
    Err err = tx_get(batch->tx, &JournalHead_schema, id_str(org_id), &head.row);
    if (err.code == OK) {
        err =
            checkpoint_verify(batch->by->key->public, head.row.checkpoint, batch->arena, &head.end);
        head.is_refused =
            err.code == ERR_UNAUTHENTICATED || (err.code == OK && !id_eq(&head.end.org_id, org_id));
    } else if (err.code == ERR_NOT_FOUND) {
        head.row = (JournalHead){.org_id = *org_id};
        head.end.org_id = *org_id;
        err = SUCCESS;
    }
    if (!head.is_refused) TRY(err);
    *ret_head = head;
    return SUCCESS;
}

static Err seal_head_find(SealBatch *batch, const Id *org_id, SealHead **ret_head) {
    for (size_t i = 0; i < batch->head_count; i++) {
        *ret_head = &batch->heads[i];
        if (id_eq(&batch->heads[i].row.org_id, org_id)) return SUCCESS;
    }
    *ret_head = &batch->heads[batch->head_count];
    TRY(seal_head_load(batch, org_id, *ret_head));
    batch->head_count++;
    return SUCCESS;
}

/// The note's place in the journal: behind the end, which it moves.
static Err seal_note_row(SealBatch *batch, const Note *note, Checkpoint *end, JournalRow *ret_row) {
    bool is_audit = note->class == ENTRY_AUDIT;
    const JournalEntry entry = {
        .org_id = note->org_id,
        .number = end->number + 1,
        .class = note->class,
        .at = note->at,
        .actor = note->actor,
        .action = note->action,
        .subject = note->subject,
        .subject_name = note->subject_name,
        .before = note->before,
        .after = note->after,
        .detail = note->detail,
        .request = note->request,
        .previous = is_audit ? end->audit_hash : (Str){},
    };
    JournalRow row = {.org_id = note->org_id,
                      .number = entry.number,
                      .class = entry.class,
                      .at = entry.at,
                      .id = journal_key(batch->arena, &note->org_id, entry.number)};
    TRY(arena_check(batch->arena));
    TRY(entry_encode(&entry, batch->arena, &row.entry, &row.hash));
    end->number = row.number;
    if (is_audit) end->audit_number = row.number;
    if (is_audit) end->audit_hash = row.hash;
    *ret_row = row;
    return SUCCESS;
}

static Err seal_note(SealBatch *batch, const Note *note) {
    SealHead *head = NULL;
    TRY(seal_head_find(batch, &note->org_id, &head));
    if (head->is_refused) {
        batch->sealed.refused++;
        return SUCCESS;
    }
    JournalRow row;
    TRY(seal_note_row(batch, note, &head->end, &row));
    TRY(tx_create(batch->tx, &JournalRow_schema, &row));
    TRY(tx_delete(batch->tx, &Note_schema, note));
    head->is_moved = true;
    batch->bytes += row.entry.len;
    batch->sealed.count++;
    return SUCCESS;
}

static Err seal_heads_sign(SealBatch *batch) {
    for (size_t i = 0; i < batch->head_count; i++) {
        SealHead *head = &batch->heads[i];
        if (!head->is_moved) continue;
        head->end.at.ms = batch->now_ms;
        TRY(checkpoint_sign(batch->by->key, &head->end, batch->arena, &head->row.checkpoint));
        TRY(head->row.rev ? tx_update(batch->tx, &JournalHead_schema, &head->row)
                          : tx_create(batch->tx, &JournalHead_schema, &head->row));
    }
    return SUCCESS;
}

/// Take the lease, or extend it, with the batch; or find that another has it.
static Err seal_lease(SealBatch *batch) {
    const SealBy *by = batch->by;
    Lease lease;
    Err err = tx_get(batch->tx, &Lease_schema, S(LEASE_NAME), &lease);
    if (err.code == ERR_NOT_FOUND) lease = (Lease){.name = S(LEASE_NAME)};
    if (err.code != ERR_NOT_FOUND) TRY(err);
    uint64_t left_ms = lease.until.ms > batch->now_ms ? lease.until.ms - batch->now_ms : 0;
    // One that ends later than any is taken for comes from a clock that was put back since.
    bool is_held = !str_eq(lease.holder, by->holder) && left_ms > 0 && left_ms <= LEASE_MS;
    if (by->waits && is_held) {
        batch->sealed.wait_ms = left_ms;
        return SUCCESS;
    }
    lease.holder = by->holder;
    lease.epoch++;
    lease.until.ms = batch->now_ms + LEASE_MS;
    return tx_put_if(batch->tx, &lease, COUNTER(Lease, epoch));
}

/// The first page of notes of which one can be sealed.
static Err seal_notes(SealBatch *batch) {
    Query query = {.limit = SEAL_NOTES_MAX};
    SealResult *sealed = &batch->sealed;
    for (bool more = true; more && sealed->count == 0;) {
        Page page;
        batch->head_count = 0;
        TRY(tx_list(batch->tx, &Note_schema, &query, &page));
        const Note *notes = page.items;
        size_t at = 0;
        for (; at < page.count && batch->bytes < SEAL_BYTES_MAX; at++)
            TRY(seal_note(batch, &notes[at]));
        query.cursor = page.next;
        more = page.next.ptr || at < page.count;
        sealed->more = more && sealed->count > 0;
    }
    return SUCCESS;
}

static void seal_tell(const SealBatch *batch) {
    const SealWatch *watch = &batch->by->watch;
    for (size_t i = 0; i < batch->head_count && watch->sealed; i++)
        if (batch->heads[i].is_moved) watch->sealed(watch->ctx, &batch->heads[i].row.org_id);
}

Err journal_seal(Db *db, const SealBy *by, uint64_t now_ms, SealResult *ret_sealed) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, SEAL_ARENA_MAX);
    SCOPED(tx_closep) Tx *tx = NULL;
    TRY(tx_open_all(db, &arena, &tx));
    SealBatch batch = {.by = by, .now_ms = now_ms, .arena = &arena, .tx = tx};
    batch.heads = ARENA_ARRAY(&arena, SealHead, SEAL_NOTES_MAX);
    TRY(arena_check(&arena));
    TRY(seal_notes(&batch));
    if (batch.sealed.count > 0) {
        TRY(seal_lease(&batch));
        if (batch.sealed.wait_ms) {
            *ret_sealed = (SealResult){.wait_ms = batch.sealed.wait_ms};
            return SUCCESS;
        }
        TRY(seal_heads_sign(&batch));
        Err err = tx_commit(tx, NULL);
        // Another has given the number to its own entry.
        if (err.code == ERR_EXISTS) return FAIL(ERR_CONFLICT, err.what);
        TRY(err);
        seal_tell(&batch);
    }
    *ret_sealed = batch.sealed;
    return SUCCESS;
}
