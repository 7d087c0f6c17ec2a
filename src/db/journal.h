// SPDX-License-Identifier: Apache-2.0
/// What changes leave behind: notes, and the journal that they are moved into.
///
/// A `Note` is a row of the same commit as the change that it is about. No write waits for its
/// place in a chain: a note's key is made when its Tx is handed to the engine, and keys grow
/// strictly, so that a change which saw another's commit has the greater one. The sealer
/// (db/sealer.h) moves notes in the order of their keys into the journal, which is numbered 1, 2,
/// 3, ... in each organisation, hash-chained and signed (base/chain.h).
///
/// Whoever opens a Db that has notes names these schemas among its tables.
#pragma once

#include "base/chain.h"
#include "db/tx.h"

typedef struct Note {
    Str id; ///< made by tx_commit; sorts in the order of commits that saw each other
    Id org_id;
    uint64_t rev;
    EntryClass class;
    Time at;
    Str actor;
    Str action;
    Str subject;
    Str subject_name;
    Str before;
    Str after;
    Json detail;
    Str request;
} Note;
extern const Schema Note_schema;

/// An entry of the journal as it is stored. What is true is `entry`; `number`, `class` and `at` are
/// copies of what it says, for queries.
typedef struct JournalRow {
    Str id; ///< "org_..../000000000001": sorts by number within the organisation
    Id org_id;
    uint64_t number;
    EntryClass class;
    Time at;
    Str entry; ///< the bytes that were hashed
    Str hash;
} JournalRow;
extern const Schema JournalRow_schema;

/// The end of an organisation's journal: a signed Checkpoint (base/chain.h), and nothing beside it
/// that could say something else.
typedef struct JournalHead {
    Id org_id;
    uint64_t rev;
    Str checkpoint; ///< the signed token
} JournalHead;
extern const Schema JournalHead_schema;

/// Who does a work that one process does at a time. It saves work; nothing relies on it.
typedef struct Lease {
    Str name;
    Str holder;
    uint64_t epoch; ///< grows with each who takes or extends it
    Time until;
} Lease;
extern const Schema Lease_schema;

/// Collect a note; its `id` and `rev` are not looked at. ERR_NOT_FOUND: it is of another scope.
/// ERR_LIMIT: as for any write.
Err tx_note(Tx *tx, const Note *note);

/// Who hears of the notes of a commit before the commit's `done`, on the same thread, so it must
/// not block. `notes` is borrowed for the call. `is_sure`: false where the commit failed in a way
/// that leaves open whether it was done.
typedef struct NoteWatch {
    void (*noted)(void *ctx, const Note *notes, size_t count, bool is_sure);
    void *ctx;
} NoteWatch;
/// From now on the watch hears of each commit with notes. Before others use the Db.
void db_watch(Db *db, NoteWatch watch);

/// The key of an organisation's entry; absent: the arena is exhausted.
Str journal_key(Arena *arena, const Id *org_id, uint64_t number);

/// At most `limit` entries behind the one with the number `after`, in their order, of the
/// organisation of the Tx. Fewer: there are no more now.
Err journal_read(Tx *tx,
                 Arena *arena,
                 const Id *org_id,
                 uint64_t after,
                 size_t limit,
                 const JournalRow **ret_rows,
                 size_t *ret_count);
/// How far the organisation's journal goes, as its head says; one without entries has none.
/// ERR_SYSTEM: it is not signed by this key.
Err journal_end(
    Tx *tx, Arena *arena, const Id *org_id, const uint8_t *public_key, Checkpoint *ret_end);

/// Who hears that an organisation's journal has grown, when it has; on the thread that sealed, so
/// it must not block.
typedef struct SealWatch {
    void (*sealed)(void *ctx, const Id *org_id); ///< NULL: nobody
    void *ctx;
} SealWatch;

/// Who seals.
typedef struct SealBy {
    const JwsKey *key;
    Str holder; ///< of the lease
    bool waits; ///< while another holds the lease
    SealWatch watch;
} SealBy;

/// What a batch has done.
typedef struct SealResult {
    size_t count;     ///< notes that are in the journal now
    size_t refused;   ///< notes of organisations whose head is not signed by the key: they stay
    bool more;        ///< there may be notes behind these
    uint64_t wait_ms; ///< nothing was done: another holds the lease for so long
} SealResult;

/// Move the oldest notes into the journal: one batch. Correct with any number of processes that do
/// it at once. ERR_CONFLICT: another was faster. Else what reading and committing fail with.
Err journal_seal(Db *db, const SealBy *by, uint64_t now_ms, SealResult *ret_sealed);

/// How long entries stay; 0: for ever.
typedef struct JournalKeep {
    uint64_t audit_ms;
    uint64_t events_ms;
} JournalKeep;

/// Remove what is older, of every organisation, in bounded batches. Audit entries go in order; the
/// head then names the last one that is gone, so that what is left is still proved. The last
/// failure of an organisation is returned: the others have been seen to.
Err journal_trim(
    Db *db, const JwsKey *key, const JournalKeep *keep, uint64_t now_ms, uint64_t *ret_removed);
