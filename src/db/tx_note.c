// SPDX-License-Identifier: Apache-2.0
// What becomes of a Tx's notes at its commit.
#include "db/tx_parts.h"

/// The next key: what is later than the last one by the clock or, where that stands or goes back,
/// by a count.
static Err note_key(Tx *tx, Str *ret_key) {
    const Clock clock = clock_system();
    uint64_t now = clock_now_ms(&clock) << NOTE_COUNT_BITS;
    uint64_t last = atomic_load(&tx->db->note_last);
    uint64_t next;
    do {
        next = now > last ? now : last + 1;
    } while (!atomic_compare_exchange_weak(&tx->db->note_last, &last, next));
    *ret_key =
        str_print(tx->arena, "%016llx-%08x", (unsigned long long)next, (unsigned)tx->db->node);
    return arena_check(tx->arena);
}

Err tx_notes_stamp(Tx *tx) {
    for (size_t i = 0; i < tx->note_count; i++) {
        Op *op = &tx->ops[tx->note_ops[i]];
        TRY(note_key(tx, &tx->notes[i].id));
        op->own_row[op->table->key].text = tx->notes[i].id;
    }
    return SUCCESS;
}

/// The failure leaves open whether the batch was applied.
static bool note_is_in_doubt(ErrCode code) {
    return code == ERR_SYSTEM || code == ERR_UNAVAILABLE || code == ERR_TIMEOUT;
}

void tx_notes_tell(Tx *tx, Err err) {
    const NoteWatch *watch = &tx->db->watch;
    size_t count = tx->note_count;
    tx->note_count = 0;
    if (count == 0 || !watch->noted) return;
    if (err.code == OK || note_is_in_doubt(err.code))
        watch->noted(watch->ctx, tx->notes, count, err.code == OK);
}

void db_watch(Db *db, NoteWatch watch) {
    db->watch = watch;
}
