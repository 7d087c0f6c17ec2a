// SPDX-License-Identifier: Apache-2.0
#include "db/meanwhile_fixture.h"

#include <stddef.h>

/// An engine's functions get nothing else that leads here.
static Meanwhile *meanwhile_of(const Db *db) {
    return (Meanwhile *)((uintptr_t)db->engine - offsetof(Meanwhile, engine));
}

static void meanwhile_act(Meanwhile *meanwhile) {
    unsigned left = atomic_exchange(&meanwhile->left, 0); // what happens meanwhile commits too
    if (left == 0) return;
    meanwhile->act(meanwhile->ctx);
    meanwhile->left = left - 1;
}

static bool meanwhile_is_lost(Meanwhile *meanwhile, const Op *ops, size_t count) {
    bool lost = meanwhile->loses && meanwhile->left > 0 && count == 1 && ops[0].kind == OP_EXPECT;
    if (lost) meanwhile->left--;
    return lost;
}

static Err meanwhile_apply(Db *db, const Op *ops, size_t count, TxFault *ret_fault) {
    Meanwhile *meanwhile = meanwhile_of(db);
    if (meanwhile_is_lost(meanwhile, ops, count)) return FAIL(ERR_CONFLICT, "the row was changed");
    if (meanwhile->act && !meanwhile->after) meanwhile_act(meanwhile);
    Err err = meanwhile->real->apply(db, ops, count, ret_fault);
    if (err.code == OK && meanwhile->unanswered && meanwhile->left > 0) {
        meanwhile->left--;
        err = FAIL(ERR_SYSTEM, "the answer was lost");
    }
    return err;
}

static Err meanwhile_select(Db *db, const Select *select, RowSink sink) {
    Meanwhile *meanwhile = meanwhile_of(db);
    Err err = meanwhile->real->select(db, select, sink);
    if (meanwhile->after && str_eq(select->table->schema->name, str_from(meanwhile->after)))
        meanwhile_act(meanwhile);
    return err;
}

void meanwhile_open(Meanwhile *meanwhile, Db *db) {
    *meanwhile = (Meanwhile){.real = db->engine, .engine = *db->engine};
    meanwhile->engine.apply = meanwhile_apply;
    meanwhile->engine.select = meanwhile_select;
    db->engine = &meanwhile->engine;
}
