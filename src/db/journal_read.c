// SPDX-License-Identifier: Apache-2.0
// The journal as it is read: forward, by number.
#include "db/journal.h"

Err journal_read(Tx *tx,
                 Arena *arena,
                 const Id *org_id,
                 uint64_t after,
                 size_t limit,
                 const JournalRow **ret_rows,
                 size_t *ret_count) {
    Str behind = journal_key(arena, org_id, after + 1);
    TRY(arena_check(arena));
    Query query = {.where = {WHERE(JournalRow, id, AT_LEAST, behind)}, .limit = limit};
    Page page;
    TRY(tx_list(tx, &JournalRow_schema, &query, &page));
    *ret_rows = page.items;
    *ret_count = page.count;
    return SUCCESS;
}

Err journal_end(
    Tx *tx, Arena *arena, const Id *org_id, const uint8_t *public_key, Checkpoint *ret_end) {
    JournalHead head;
    Err err = tx_get(tx, &JournalHead_schema, id_str(org_id), &head);
    if (err.code == ERR_NOT_FOUND) {
        *ret_end = (Checkpoint){.org_id = *org_id};
        return SUCCESS;
    }
    TRY(err);
    err = checkpoint_verify(public_key, head.checkpoint, arena, ret_end);
    if (err.code == ERR_UNAUTHENTICATED)
        return FAIL(ERR_SYSTEM, "the head of the journal is not signed by this installation's key");
    return err;
}
