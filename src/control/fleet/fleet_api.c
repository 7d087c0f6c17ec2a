// SPDX-License-Identifier: Apache-2.0
#include "control/access.h"
#include "control/audit/audit.h"
#include "control/fleet/fleet.h"
#include "control/page.h"
#include "wire/device.h"

typedef struct FleetQuery {
    PageQuery page;
    Str name;
} FleetQuery;

static const Field FleetQuery_fields[] = {
    PAGE_FIELDS(FleetQuery),
    FIELD(FleetQuery, name, 0, "only the fleet of this name", .max = 63),
};
static const Schema FleetQuery_schema = SCHEMA(FleetQuery, "fleet_query", "which fleets");

static Err fleet_count(Call *call, Fleet *fleet) {
    Query query = {.where = {WHERE_STR("fleet_id", id_str(&fleet->id))}, .limit = 1};
    return tx_count(call->tx, &Device_schema, &query, &fleet->device_count);
}

static Err fleet_list(Call *call) {
    const FleetQuery *wanted = call->query;
    Query query = page_query(&wanted->page);
    if (wanted->name.ptr) page_where(&query, WHERE_STR("name", wanted->name));
    Fleet *fleets;
    size_t count;
    TRY(tx_list(call->tx, &Fleet_schema, &query, (void **)&fleets, &count));
    for (size_t i = 0; i < count; i++)
        TRY(fleet_count(call, &fleets[i]));
    Str next = count ? page_next(&wanted->page, count, &fleets[count - 1].id) : (Str){};
    return call_reply_list(call, fleets, count, next);
}

static Err fleet_load(Call *call, Fleet *ret_fleet) {
    TRY(tx_get(call->tx, &Fleet_schema, call_arg(call, S("fleet_id")), ret_fleet));
    return fleet_count(call, ret_fleet);
}

static Err fleet_show(Call *call) {
    Fleet fleet;
    TRY(fleet_load(call, &fleet));
    return call_reply(call, &fleet);
}

static Err fleet_create(Call *call) {
    Fleet fleet = *(const Fleet *)call->in;
    fleet.id = id_new(S("fleet"), call->now_ms);
    fleet.org_id = call->principal.scope;
    fleet.rev = 1;
    fleet.created_at.ms = call->now_ms;
    TRY(tx_create(call->tx, &Fleet_schema, &fleet));
    TRY(audit_record(call, "fleet.create", id_str(&fleet.id), &Fleet_schema, &fleet));
    return call_reply(call, &fleet);
}

static Err fleet_change(Call *call) {
    Fleet fleet;
    TRY(fleet_load(call, &fleet));
    TRY(call_patch(call, &Fleet_schema, &fleet));
    TRY(tx_update(call->tx, &Fleet_schema, &fleet));
    TRY(audit_record(call, "fleet.change", id_str(&fleet.id), &Fleet_schema, &fleet));
    fleet.rev++;
    return call_reply(call, &fleet);
}

/// Remove the tokens that let devices into the fleet, each as if by itself.
static Err fleet_tokens_delete(Call *call, const Fleet *fleet) {
    enum { TOKENS_MAX = (TX_OPS_MAX - 2) / 2 }; // a delete and an audit entry each, as the fleet
    Query query = {.where = {WHERE_STR("fleet_id", id_str(&fleet->id))}, .limit = TOKENS_MAX + 1};
    Token *tokens;
    size_t count;
    TRY(tx_list(call->tx, &Token_schema, &query, (void **)&tokens, &count));
    if (count > TOKENS_MAX)
        return FAIL(ERR_STATE, "the fleet has too many enrolment tokens: delete tokens first");
    for (size_t i = 0; i < count; i++) {
        TRY(tx_delete(call->tx, &Token_schema, &tokens[i]));
        TRY(audit_record(call, "token.delete", id_str(&tokens[i].id), NULL, NULL));
    }
    return SUCCESS;
}

/// Whoever lets a device in changes something that is read here before the devices are counted: a
/// move and a new token the fleet, a joining device its token. So either the count sees the device
/// or the commit fails with ERR_CONFLICT.
static Err fleet_delete(Call *call) {
    Fleet fleet;
    TRY(tx_get(call->tx, &Fleet_schema, call_arg(call, S("fleet_id")), &fleet));
    TRY(fleet_tokens_delete(call, &fleet));
    TRY(fleet_count(call, &fleet));
    if (fleet.device_count > 0) return FAIL(ERR_STATE, "the fleet still has devices");
    TRY(tx_delete(call->tx, &Fleet_schema, &fleet));
    return audit_record(call, "fleet.delete", id_str(&fleet.id), NULL, NULL);
}

static Err fleet_deploy(Call *call) {
    const DeployInput *input = call->in;
    Fleet fleet;
    Release release;
    TRY(fleet_load(call, &fleet));
    Err err = tx_get(call->tx, &Release_schema, id_str(&input->release_id), &release);
    if (err.code == ERR_NOT_FOUND)
        return call_refuse(call, S("/release_id"), "must be a release of this organisation");
    TRY(err);
    fleet.release_id = release.id;
    fleet.desired_version = fleet_next_version(fleet.desired_version, call->now_ms);
    TRY(tx_update(call->tx, &Fleet_schema, &fleet));
    TRY(audit_record(call, "fleet.deploy", id_str(&fleet.id), &Fleet_schema, &fleet));
    call_event(call, EVENT_FLEET_DESIRED, &fleet.id);
    fleet.rev++;
    return call_reply(call, &fleet);
}

static const Route routes[] = {
    {.method = GET,
     .path = "/v1/fleets",
     .access = MAY_READ,
     .query = &FleetQuery_schema,
     .out = &Fleet_schema,
     .shape = REPLY_LIST,
     .id = "fleet_list",
     .doc = "The fleets of the organisation",
     .handler = fleet_list},
    {.method = POST,
     .path = "/v1/fleets",
     .access = MAY_OPERATE,
     .in = &Fleet_schema,
     .out = &Fleet_schema,
     .status = 201,
     .id = "fleet_create",
     .doc = "Make a fleet",
     .handler = fleet_create},
    {.method = GET,
     .path = "/v1/fleets/{fleet_id}",
     .access = MAY_READ,
     .out = &Fleet_schema,
     .id = "fleet_show",
     .doc = "One fleet",
     .handler = fleet_show  },
    {.method = PATCH,
     .path = "/v1/fleets/{fleet_id}",
     .access = MAY_OPERATE,
     .in = &Fleet_schema,
     .patch = true,
     .out = &Fleet_schema,
     .id = "fleet_change",
     .doc = "Rename a fleet",
     .handler = fleet_change},
    {.method = DELETE,
     .path = "/v1/fleets/{fleet_id}",
     .access = MAY_OPERATE,
     .shape = REPLY_NONE,
     .id = "fleet_delete",
     .doc = "Remove a fleet that has no devices, and its enrolment tokens",
     .handler = fleet_delete},
    {.method = POST,
     .path = "/v1/fleets/{fleet_id}/deploy",
     .access = MAY_OPERATE,
     .in = &DeployInput_schema,
     .out = &Fleet_schema,
     .id = "fleet_deploy",
     .doc = "Ship a release to every device of the fleet",
     .handler = fleet_deploy                   },
};
const RouteTable fleet_routes = ROUTE_TABLE(routes);
