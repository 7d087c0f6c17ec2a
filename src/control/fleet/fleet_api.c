// SPDX-License-Identifier: Apache-2.0
#include "api/release.h"
#include "control/access.h"
#include "control/call.h"
#include "control/fleet/fleet.h"
#include "control/token/token.h"

static Err fleet_fill(Call *call, void *records, size_t count) {
    Fleet *fleets = records;
    return call_names(call,
                      &Release_schema,
                      RECORDS(fleets, count),
                      NAMES(NAME_OF(Fleet, release_id, release_ref)));
}

/// The commit fails if a device has come by then, and the call is run again.
static Err fleet_drop(Call *call, const void *record) {
    const Fleet *fleet = record;
    if (fleet->device_count > 0) return FAIL(ERR_STATE, "the fleet still has devices");
    TRY(tx_add(call->tx, id_str(&fleet->id), COUNTER(Fleet, device_count), 0, 0, 0));
    return token_delete_all(call, &fleet->id);
}

static const Rules rules = {.drop = fleet_drop, .fill = fleet_fill};

static Err fleet_deploy(Call *call) {
    const DeployInput *input = call->in;
    Fleet before;
    TRY(call_load(call, &Fleet_schema, &before));
    Fleet fleet = before;
    TRY(call_ref(call, &Release_schema, &input->release_id, S("/release_id")));
    fleet.release_id = input->release_id;
    fleet.generation = fleet_next_generation(fleet_newest(&fleet), call->now_ms);
    fleet.serial++;
    TRY(call_save(call, &Fleet_schema, &before, &fleet));
    return call_reply_filled(call, &fleet);
}

static const Route routes[] = {
    {&Fleet_list,   MAY_READ,    call_list,    &rules},
    {&Fleet_create, MAY_OPERATE, call_create,  &rules},
    {&Fleet_show,   MAY_READ,    call_show,    &rules},
    {&Fleet_update, MAY_OPERATE, call_update,  &rules},
    {&Fleet_delete, MAY_OPERATE, call_delete,  &rules},
    {&Fleet_deploy, MAY_OPERATE, fleet_deploy, &rules},
};
static const Schema *const stored[] = {&Fleet_schema};
const Slice fleet_slice = {.noun = "fleet", .routes = ROUTE_TABLE(routes), SLICE_STORED(stored)};
