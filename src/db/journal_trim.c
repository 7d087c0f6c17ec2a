// SPDX-License-Identifier: Apache-2.0
// What retention removes. Audit entries go from the oldest on, and the head says up to which, so
// that what is left is proved from there; events go without a trace, since they prove nothing.
#include "db/journal.h"

#include "base/scope.h"
#include "io/race.h"

enum { TRIM_ROWS = 128, TRIM_HEADS = 100, TRIM_ARENA_MAX = 64 * 1024 * 1024 };

typedef struct Trim {
    Db *db;
    const JwsKey *key;
    uint64_t now_ms;
    Arena arena; ///< of one batch
    uint64_t removed;
} Trim;

static void trim_done(Trim *trim) {
    arena_done(&trim->arena);
}

/// Collect the removal of the oldest entries of the class that are older than `before_ms`.
/// `ret_last`: the last of them; its number is 0 where there is none.
static Err trim_rows(Trim *trim,
                     Tx *tx,
                     EntryClass class,
                     uint64_t before_ms,
                     size_t *ret_count,
                     JournalRow *ret_last) {
    Query query = {.where = {WHERE(JournalRow, class, IS, class)}, .limit = TRIM_ROWS};
    Page page;
    TRY(tx_list(tx, &JournalRow_schema, &query, &page));
    const JournalRow *rows = page.items;
    size_t count = 0;
    for (; count < page.count && rows[count].at.ms < before_ms; count++)
        TRY(tx_delete(tx, &JournalRow_schema, &rows[count]));
    *ret_count = count;
    *ret_last = count ? rows[count - 1] : (JournalRow){};
    trim->removed += count;
    return SUCCESS;
}

static Err trim_floor(Trim *trim, Tx *tx, const Id *org_id, const JournalRow *last) {
    JournalHead head;
    Checkpoint end;
    TRY(tx_get(tx, &JournalHead_schema, id_str(org_id), &head));
    TRY(checkpoint_verify(trim->key->public, head.checkpoint, &trim->arena, &end));
    end.floor_number = last->number;
    end.floor_hash = last->hash;
    end.at.ms = trim->now_ms;
    TRY(checkpoint_sign(trim->key, &end, &trim->arena, &head.checkpoint));
    return tx_update(tx, &JournalHead_schema, &head);
}

/// One batch. `*ret_more`: there may be others.
static Err
trim_batch(Trim *trim, const Id *org_id, EntryClass class, uint64_t before_ms, bool *ret_more) {
    arena_reset(&trim->arena);
    SCOPED(tx_closep) Tx *tx = NULL;
    TRY(tx_open(trim->db, &trim->arena, id_str(org_id), &tx));
    size_t count;
    JournalRow last;
    uint64_t removed = trim->removed;
    TRY(trim_rows(trim, tx, class, before_ms, &count, &last));
    if (count > 0 && class == ENTRY_AUDIT) TRY(trim_floor(trim, tx, org_id, &last));
    Err err = tx_commit(tx, NULL);
    if (err.code != OK) trim->removed = removed;
    TRY(err);
    *ret_more = count == TRIM_ROWS;
    return SUCCESS;
}

static Err trim_class(Trim *trim, const Id *org_id, EntryClass class, uint64_t keep_ms) {
    if (keep_ms == 0 || keep_ms > trim->now_ms) return SUCCESS;
    Race race = {};
    for (bool more = true; more;) {
        Err err = trim_batch(trim, org_id, class, trim->now_ms - keep_ms, &more);
        if (race_again_here(&race, err)) continue;
        TRY(err);
        race = (Race){};
    }
    return SUCCESS;
}

Err journal_trim(
    Db *db, const JwsKey *key, const JournalKeep *keep, uint64_t now_ms, uint64_t *ret_removed) {
    SCOPED(trim_done) Trim trim = {.db = db, .key = key, .now_ms = now_ms};
    SCOPED(arena_done) Arena heads_arena;
    arena_init(&trim.arena, TRIM_ARENA_MAX);
    arena_init(&heads_arena, TRIM_ARENA_MAX);
    Err failed = SUCCESS;
    Query query = {.limit = TRIM_HEADS};
    for (bool more = true; more;) {
        SCOPED(tx_closep) Tx *tx = NULL;
        Page page;
        TRY(tx_open_all(db, &heads_arena, &tx));
        TRY(tx_list(tx, &JournalHead_schema, &query, &page));
        const JournalHead *heads = page.items;
        for (size_t i = 0; i < page.count; i++) {
            Err err = trim_class(&trim, &heads[i].org_id, ENTRY_EVENT, keep->events_ms);
            if (err.code == OK)
                err = trim_class(&trim, &heads[i].org_id, ENTRY_AUDIT, keep->audit_ms);
            if (err.code != OK) failed = err; // the next organisation's may be well
        }
        query.cursor = page.next;
        more = page.next.ptr;
    }
    *ret_removed = trim.removed;
    return failed;
}
