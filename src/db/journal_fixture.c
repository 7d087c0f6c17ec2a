// SPDX-License-Identifier: Apache-2.0
#include "db/journal_fixture.h"

#include <assert.h>
#include <stdio.h>

static void must(Err err) {
    if (err.code != OK) fprintf(stderr, "fixture: %s\n", err.what);
    assert(err.code == OK);
}

uint64_t journal_walk(Fixture *fixture, const Id *org, const JwsKey *key, Checkpoint *ret_head) {
    Arena *arena = &fixture->arena;
    Tx *tx = fixture_tx(fixture, org->text);
    JournalHead row = {};
    Checkpoint head = {};
    Chain chain;
    Page page = {};
    Reason reason = {};
    must(tx_get(tx, &JournalHead_schema, id_str(org), &row));
    must(checkpoint_verify(key->public, row.checkpoint, arena, &head));
    must(tx_list(tx, &JournalRow_schema, &(Query){.limit = TX_PAGE_MAX}, &page));
    must(chain_init(&chain, org, 0, head.floor_number, head.floor_hash));
    const JournalRow *rows = page.items;
    for (size_t i = 0; i < page.count; i++) {
        const JournalRow *at = &rows[i];
        const JournalLine line = {at->number, at->class, at->at, at->entry, at->hash};
        must(chain_step(&chain, &line, arena, &reason));
        assert(str_eq(at->id, journal_key(arena, org, at->number)));
    }
    must(chain_end(&chain, &head, &reason));
    *ret_head = head;
    return page.count;
}
