// SPDX-License-Identifier: Apache-2.0
#include "db/meanwhile_fixture.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

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

static bool meanwhile_is_lost(Meanwhile *meanwhile, const Submission *submission) {
    bool lost = meanwhile->loses && meanwhile->left > 0 && submission->count == 1
                && submission->ops[0].kind == OP_EXPECT;
    if (lost) meanwhile->left--;
    return lost;
}

/// Whom the end of a commit is told, whatever it was.
typedef struct Unanswered {
    Meanwhile *meanwhile;
    TxDone done;
    void *ctx;
} Unanswered;

static void meanwhile_answer(void *ctx, Err err, const TxFault *fault) {
    Unanswered answer = *(Unanswered *)ctx;
    free(ctx);
    if (err.code == OK && answer.meanwhile->left > 0) {
        answer.meanwhile->left--;
        err = FAIL(ERR_SYSTEM, "the answer was lost");
    }
    answer.done(answer.ctx, err, fault);
}

static void meanwhile_apply(Db *db, Submission *submission) {
    Meanwhile *meanwhile = meanwhile_of(db);
    meanwhile->applies++;
    if (meanwhile_is_lost(meanwhile, submission)) {
        submission->err = FAIL(ERR_CONFLICT, "the row was changed");
        submission_end(submission);
        return;
    }
    if (meanwhile->act && !meanwhile->after) meanwhile_act(meanwhile);
    if (meanwhile->unanswered) {
        Unanswered *answer = malloc(sizeof(*answer));
        assert(answer);
        *answer = (Unanswered){meanwhile, submission->done, submission->ctx};
        submission->done = meanwhile_answer;
        submission->ctx = answer;
    }
    meanwhile->real->apply(db, submission);
}

static Err meanwhile_select(Db *db, const Select *select, RowSink sink) {
    Meanwhile *meanwhile = meanwhile_of(db);
    meanwhile->selects++;
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
