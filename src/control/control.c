// SPDX-License-Identifier: Apache-2.0
#include "control/control.h"

#include "control/access.h"
#include "control/access_cache.h"
#include "control/slice.h"
#include "db/sealer.h"

#include <assert.h>

enum { SLICES_MAX = 64 };

/// After a commit with notes: whoever made it, by whatever way.
static void control_noted(void *ctx, const Note *notes, size_t count, bool is_sure) {
    App *app = ctx;
    sealer_wake(app->sealer);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < slice_count; k++)
            if (slices[k]->noted) slices[k]->noted(app, &notes[i], is_sure);
}

static void control_sealed(void *ctx, const Id *org_id) {
    App *app = ctx;
    for (size_t k = 0; k < slice_count; k++)
        if (slices[k]->sealed) slices[k]->sealed(app, org_id);
}

Err control_open(App *app) {
    TRY(access_cache_open(&app->access_cache));
    for (size_t i = 0; i < slice_count; i++)
        if (slices[i]->open) TRY(slices[i]->open(app));
    const SealerOptions options = {
        .db = app->db, .key = &app->key, .clock = app->clock, .watch = {control_sealed, app}
    };
    TRY(sealer_open(&options, &app->sealer));
    db_watch(app->db, (NoteWatch){control_noted, app});
    return SUCCESS;
}

void control_close(App *app) {
    if (app->db) db_watch(app->db, (NoteWatch){});
    app->sealer = sealer_close(app->sealer);
    for (size_t i = slice_count; i > 0; i--)
        if (slices[i - 1]->close) slices[i - 1]->close(app);
    app->access_cache = access_cache_close(app->access_cache);
}

static Err control_begin_call(void *ctx, Call *call) {
    App *app = ctx;
    return tx_open(app->db, call->arena, id_str(&call->principal.scope), &call->tx);
}

/// What the handler has read may be so no longer: a counter at its bound, a row that is gone, a
/// value that is taken where the handler yields. That is a lost race, whatever it is called.
static Err control_commit_judge(Call *call, Err err, const TxFault *fault) {
    if (err.code == ERR_EXISTS && call->yields) {
        call->taken = fault->field;
        return FAIL(ERR_CONFLICT, err.what);
    }
    if (err.code != ERR_LIMIT && err.code != ERR_NOT_FOUND) return err;
    return FAIL(ERR_CONFLICT, err.what);
}

/// A call whose commit is under way, in its arena.
typedef struct Committing {
    Call *call;
    CallDone done;
    void *ctx;
} Committing;

/// On a thread of the store.
static void control_committed(void *ctx, Err err, const TxFault *fault) {
    const Committing *committing = ctx;
    Call *call = committing->call;
    call->tx = tx_close(call->tx);
    committing->done(committing->ctx, control_commit_judge(call, err, fault));
}

static void control_finish_call(void *, Call *call, Err result, CallDone done, void *ctx) {
    Committing *committing = result.code == OK ? ARENA_NEW(call->arena, Committing) : NULL;
    if (committing) {
        *committing = (Committing){call, done, ctx};
        tx_commit_then(call->tx, control_committed, committing);
        return;
    }
    call->tx = tx_close(call->tx);
    done(ctx, result.code == OK ? arena_check(call->arena) : result);
}

static const AccessName access_names[] = {
    {MAY_READ,    "viewer",   "may see everything of its organisation"         },
    {MAY_OPERATE, "operator", "may change fleets, devices, releases and tokens"},
    {MAY_OWN,     "owner",    "may change operators and the organisation"      },
};

Err control_router(App *app, Router **ret_router) {
    RouteTable tables[SLICES_MAX];
    assert(slice_count <= SLICES_MAX);
    for (size_t i = 0; i < slice_count; i++)
        tables[i] = slices[i]->routes;
    return router_open(
        &(RouterOptions){.tables = tables,
                         .table_count = slice_count,
                         .access_names = access_names,
                         .access_count = sizeof(access_names) / sizeof(access_names[0]),
                         .title = "Muster",
                         .version = MUSTER_VERSION,
                         .clock = app->clock,
                         .app = app,
                         .authorise = access_authorise,
                         .begin = control_begin_call,
                         .finish = control_finish_call},
        ret_router);
}
