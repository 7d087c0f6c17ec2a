// SPDX-License-Identifier: Apache-2.0
/// A journal as whoever doubts it reads it: entries as bytes, their hashes, and what was signed.
///
/// An entry is the canonical JSON of a JournalEntry. Its hash is the SHA-256 of just these bytes,
/// which are kept and handed on as they are: no program encodes again what was hashed. Entries are
/// numbered 1, 2, 3, ... in their organisation. An entry of class `audit` names the hash of the one
/// of that class before it; those of class `event` are numbered only, and go after a while.
///
/// A checkpoint says how far a journal goes, signed by the key of the installation: a JSON Web
/// Signature whose claims are a Checkpoint. Everything here is pure, and the same for the server
/// and for who does not trust it.
#pragma once

#include "base/jws.h"
#include "base/schema.h"

typedef enum EntryClass { ENTRY_AUDIT, ENTRY_EVENT } EntryClass;
extern const EnumNames EntryClass_names;

typedef struct JournalEntry {
    Id org_id;
    uint64_t number; ///< in the organisation, over both classes
    EntryClass class;
    Time at;
    Str actor;        ///< "operator/alice", "device/cam-1", "system"
    Str action;       ///< "fleet.create"
    Str subject;      ///< id of what was changed
    Str subject_name; ///< what it was called then; absent: it has no name
    Str before;       ///< SHA-256 of its stored form before; absent: it was not there
    Str after;        ///< likewise after; absent: it is gone
    Json detail;      ///< what it became; never a secret
    Str request;      ///< id of the request
    Str previous;     ///< hash of the audit entry before; absent in the first, and in events
    Str hash;         ///< of the entry; not in its bytes
} JournalEntry;
extern const Schema JournalEntry_schema;

/// An entry as it is handed on, with what the store has beside it for its queries.
typedef struct JournalLine {
    uint64_t number;
    EntryClass class;
    Time at;
    Str entry; ///< the bytes
    Str hash;
} JournalLine;
extern const Schema JournalLine_schema;

/// How far an organisation's journal goes.
typedef struct Checkpoint {
    Str use;        ///< CHECKPOINT_USE: this is no token and no proof
    Str public_key; ///< base64 of the Ed25519 key that signs it
    Id org_id;
    Time at;
    uint64_t number;       ///< of the last entry
    uint64_t audit_number; ///< of the last audit entry; 0: none yet
    Str audit_hash;        ///< its hash
    uint64_t floor_number; ///< of the last audit entry that retention removed; 0: none
    Str floor_hash;        ///< its hash
} Checkpoint;
extern const Schema Checkpoint_schema;
#define CHECKPOINT_USE "journal-checkpoint"

enum {
    ENTRY_BYTES_MAX = 128 * 1024, ///< of an entry
    CHAIN_HASH_LEN = 64,
};

/// The bytes of `entry` and their hash, in `arena`; entry->hash is not looked at. ERR_LIMIT: longer
/// than ENTRY_BYTES_MAX, or the arena is exhausted.
Err entry_encode(const JournalEntry *entry, Arena *arena, Str *ret_bytes, Str *ret_hash);
/// What the line's bytes say, with the line's hash. ERR_INVALID: they are no entry. ERR_LIMIT.
Err entry_decode(Str bytes, Str hash, Arena *arena, JournalEntry *ret_entry);

/// Sign `checkpoint`, whose `use` and `public_key` are set here; the token is in `arena`.
Err checkpoint_sign(const JwsKey *key, const Checkpoint *checkpoint, Arena *arena, Str *ret_token);
/// What `token` says, if `public_key` (JWS_PUBLIC_KEY_LEN bytes) signed it; NULL: the key that it
/// names, which the caller must know from elsewhere then. ERR_UNAUTHENTICATED: it did not, or this
/// is no checkpoint. ERR_LIMIT.
Err checkpoint_verify(const uint8_t *public_key,
                      Str token,
                      Arena *arena,
                      Checkpoint *ret_checkpoint);

/// Who walks along a journal, and how far they have come.
typedef struct Chain {
    Id org_id;
    uint64_t number;               ///< of the last entry seen
    uint64_t audit_number;         ///< of the last audit entry seen, or where the walk began
    char hash[CHAIN_HASH_LEN + 1]; ///< its hash; empty: the next one is the first there ever was
    uint64_t entries;              ///< seen
    const Checkpoint *passing;     ///< must be met on the way; NULL: none
} Chain;

/// Begin behind the entry with this number, at the audit entry `audit_number` with `hash`. A
/// journal from its start: all zeros, or the floor of its head.
/// ERR_STATE: the hash is none.
Err chain_init(Chain *chain, const Id *org_id, uint64_t number, uint64_t audit_number, Str hash);
/// The next entry. ERR_STATE: it does not fit; `reason` says how. ERR_LIMIT: arena exhausted.
Err chain_step(Chain *chain, const JournalLine *line, Arena *arena, Reason *reason);
/// The walk has come to where `head` says that the journal ends. ERR_STATE: it has not; `reason`
/// says what is missing.
Err chain_end(const Chain *chain, const Checkpoint *head, Reason *reason);
/// `head` continues what `earlier` says, as far as the two alone tell: of the same organisation and
/// key, no shorter. ERR_STATE: it does not. ERR_NOT_FOUND: retention has removed what would show
/// it.
Err checkpoint_follows(const Checkpoint *head, const Checkpoint *earlier, Reason *reason);
