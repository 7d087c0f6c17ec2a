// SPDX-License-Identifier: Apache-2.0
#include "control/control.h"

#include "control/access.h"
#include "control/access_cache.h"
#include "control/device/device_push.h"
#include "control/slice.h"
#include "db/tx.h"

#include <assert.h>

enum { SLICES_MAX = 64 };

Err control_open(App *app) {
    TRY(access_cache_open(&app->access_cache));
    for (size_t i = 0; i < slice_count; i++)
        if (slices[i]->open) TRY(slices[i]->open(app));
    return SUCCESS;
}

void control_close(App *app) {
    for (size_t i = slice_count; i > 0; i--)
        if (slices[i - 1]->close) slices[i - 1]->close(app);
    app->access_cache = access_cache_close(app->access_cache);
}

static Err control_begin_call(void *ctx, Call *call) {
    App *app = ctx;
    return tx_open(app->db, call->arena, id_str(&call->principal.scope), &call->tx);
}

/// Commit. What the handler has read may be so no longer: a counter at its bound, a row that is
/// gone, a value that is taken where the handler yields. That is a lost race, whatever it is
/// called.
static Err control_commit(Call *call) {
    TxFault fault;
    Err err = tx_commit(call->tx, &fault);
    if (err.code == ERR_EXISTS && call->yields) {
        call->taken = fault.field;
        return FAIL(ERR_CONFLICT, err.what);
    }
    if (err.code != ERR_LIMIT && err.code != ERR_NOT_FOUND) return err;
    return FAIL(ERR_CONFLICT, err.what);
}

static Err control_finish_call(void *ctx, Call *call, Err result) {
    if (result.code == OK) {
        result = control_commit(call);
        access_forget(ctx, call); // before anybody hears of it
    }
    call->tx = tx_close(call->tx);
    return result;
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
                         .finish = control_finish_call,
                         .published = device_published},
        ret_router);
}
