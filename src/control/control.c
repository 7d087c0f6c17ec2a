// SPDX-License-Identifier: Apache-2.0
#include "control/control.h"

#include "control/access.h"
#include "control/audit/audit.h"
#include "control/device/challenge.h"
#include "control/device/device.h"
#include "control/device/device_channel.h"
#include "control/device/presences.h"
#include "control/fleet/fleet.h"
#include "control/operator/operator.h"
#include "control/org/org.h"
#include "control/release/release.h"
#include "control/telemetry/telemetry.h"
#include "control/token/token.h"
#include "db/tx.h"

enum { LOGINS_AT_ONCE = 2, LOGIN_FAILURES_MAX = 10, LOGIN_WINDOW_MS = 300'000 };

Err control_open(App *app) {
    TRY(login_gate_open(LOGINS_AT_ONCE, LOGIN_FAILURES_MAX, LOGIN_WINDOW_MS, &app->login_gate));
    TRY(challenges_open(NONCE_LIFE_MS, &app->challenges));
    return presences_open(&app->presences);
}

void control_close(App *app) {
    app->presences = presences_close(app->presences);
    app->challenges = challenges_close(app->challenges);
    app->login_gate = login_gate_close(app->login_gate);
}

static Err call_begin(void *ctx, Call *call) {
    App *app = ctx;
    return tx_open(app->db, call->arena, id_str(&call->principal.scope), &call->tx);
}

static Err call_finish(void *ctx, Call *call, Err result) {
    (void)ctx;
    if (result.code == OK) result = tx_commit(call->tx);
    call->tx = tx_close(call->tx);
    return result;
}

static const AccessName access_names[] = {
    {MAY_READ,    "viewer",   "may see everything of its organisation"         },
    {MAY_OPERATE, "operator", "may change fleets, devices, releases and tokens"},
    {MAY_OWN,     "owner",    "may change operators and the organisation"      },
    {IS_DEVICE,   "device",   "a device, about itself"                         },
};

Err control_router(App *app, Router **ret_router) {
    const RouteTable tables[] = {
        org_routes,
        operator_routes,
        fleet_routes,
        release_routes,
        token_routes,
        device_routes,
        device_agent_routes,
        telemetry_routes,
        audit_routes,
    };
    return router_open(
        &(RouterOptions){.tables = tables,
                         .table_count = sizeof(tables) / sizeof(tables[0]),
                         .access_names = access_names,
                         .access_count = sizeof(access_names) / sizeof(access_names[0]),
                         .title = "Muster",
                         .version = MUSTER_VERSION,
                         .clock = app->clock,
                         .app = app,
                         .authorise = access_authorise,
                         .begin = call_begin,
                         .finish = call_finish,
                         .published = device_published},
        ret_router);
}
