// SPDX-License-Identifier: Apache-2.0
#include "api/fleet.h"

static const Field Fleet_fields[] = {
    FIELD(Fleet, id, KEY | READ_ONLY | LISTED, "id of the fleet", .prefix = "fleet"),
    FIELD(Fleet, org_id, SCOPE | READ_ONLY, "organisation", .prefix = "org"),
    FIELD(Fleet, rev, REV | READ_ONLY, "revision"),
    FIELD(Fleet, name, REQUIRED | UNIQUE | LISTED, "its name", .pattern = &Pattern_slug, .max = 63),
    FIELD(
        Fleet, release_id, READ_ONLY | INDEXED, "what its devices should run", .prefix = "release"),
    FIELD(Fleet, release_ref, COMPUTED | LISTED, "the same as application@version"),
    FIELD(Fleet, generation, READ_ONLY, "of the desired state; grows with each deploy"),
    FIELD(Fleet, assigned_generation, HIDDEN, "the next one is above it"),
    FIELD(Fleet, serial, READ_ONLY, "how often it was deployed to"),
    FIELD(Fleet, device_count, READ_ONLY | LOOSE | LISTED, "devices in it"),
    FIELD(Fleet, created_at, READ_ONLY | LISTED, "when it was made"),
};
const Schema Fleet_schema = SCHEMA(Fleet, "fleet", "devices that run the same release");

static const Field DeployInput_fields[] = {
    FIELD(DeployInput,
          release_id,
          REQUIRED,
          "what the fleet's devices shall run",
          .prefix = "release"),
};
const Schema DeployInput_schema = SCHEMA(DeployInput, "deploy", "ship a release to a fleet");

static const Field FleetQuery_fields[] = {
    PAGE_FIELDS(FleetQuery),
    FIELD(FleetQuery, name, 0, "only the fleet of this name", .max = 63),
};
const Schema FleetQuery_schema = SCHEMA(FleetQuery, "fleet_query", "which fleets");

// clang-format off
#define FLEETS "/v1/fleets"
const Endpoint Fleet_list = ENDPOINT_LIST(Fleet, "fleet", FLEETS, "Fleets and what they run");
const Endpoint Fleet_show = ENDPOINT_SHOW(Fleet, "fleet", FLEETS, "One fleet");
const Endpoint Fleet_create = ENDPOINT_CREATE(Fleet, "fleet", FLEETS, "Make a fleet");
const Endpoint Fleet_update = ENDPOINT_UPDATE(Fleet, "fleet", FLEETS, "Rename a fleet");
const Endpoint Fleet_delete =
    ENDPOINT_DELETE(Fleet, "fleet", FLEETS, "Remove a fleet that has no devices, and its tokens");
const Endpoint Fleet_deploy = {
    POST, FLEETS "/{fleet_id}/deploy", "fleet", "deploy", "Ship a release to the fleet's devices",
    .in = &DeployInput_schema, .out = &Fleet_schema};
// clang-format on
