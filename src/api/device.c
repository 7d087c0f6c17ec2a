// SPDX-License-Identifier: Apache-2.0
#include "api/device.h"

#include "base/selector.h"

static const char *const presences[] = {"never", "online", "late", "offline", "unknown"};
const EnumNames Presence_names = ENUM_NAMES(presences);

static const Field Device_fields[] = {
    FIELD(Device, id, KEY | READ_ONLY | LISTED, "id of the device", .prefix = "device"),
    FIELD(Device, org_id, SCOPE | READ_ONLY, "organisation", .prefix = "org"),
    FIELD(Device, rev, REV | READ_ONLY, "revision"),
    FIELD(Device, fleet_id, INDEXED, "its fleet", .prefix = "fleet"),
    FIELD(
        Device, name, REQUIRED | UNIQUE | LISTED, "its name", .pattern = &Pattern_slug, .max = 63),
    FIELD(Device, fleet_name, COMPUTED | LISTED, "its fleet's name"),
    FIELD(Device, labels, 0, "for grouping", .max = 32, .item_max = 255, .pattern = &Pattern_label),
    FIELD(Device,
          public_key,
          READ_ONLY | UNIQUE | GLOBAL,
          "Ed25519 key, its identity",
          .pattern = &Pattern_key32),
    FIELD(Device, rotate_key, READ_ONLY, "its identity key is to be replaced"),
    FIELD(Device, epoch, READ_ONLY, "number of its enrolment"),
    FIELD(Device, token_id, HIDDEN, "enrolment token that it joined with", .prefix = "token"),
    FIELD(Device, agent_version, READ_ONLY, "version of its agent", .max = VERSION_MAX),
    FIELD(Device,
          abilities,
          READ_ONLY,
          "what its agent can do",
          .max = ABILITIES_MAX,
          .item_max = ABILITY_MAX),
    FIELD_RECORD(Device, facts, Facts, READ_ONLY, "what it is"),
    FIELD(Device, assigned_generation, HIDDEN, "least generation"),
    FIELD(Device, created_at, READ_ONLY, "when it was enrolled"),
    FIELD_ENUM(Device, presence, Presence, COMPUTED | LISTED, "when it was last heard of"),
    FIELD(Device, last_seen_at, COMPUTED | LISTED, "its last word"),
    FIELD(Device, desired_release_id, COMPUTED, "what it should run", .prefix = "release"),
    FIELD(Device, desired_release_ref, COMPUTED, "the same as application@version"),
    FIELD(Device, generation, COMPUTED, "of the desired state"),
    FIELD(Device, reported_release_id, COMPUTED, "what it says it runs", .prefix = "release"),
    FIELD(Device, reported_release_ref, COMPUTED | LISTED, "the same as application@version"),
    FIELD(Device, reported_generation, COMPUTED, "of the desired state that it is at"),
    FIELD_ENUM(Device, state, WorkloadState, COMPUTED | LISTED, "how far it is"),
    FIELD(Device, detail, COMPUTED, "why", .max = DETAIL_MAX),
    FIELD(Device, notes, COMPUTED, "about the device itself", .item_max = DETAIL_MAX),
    FIELD_LIST(Device,
               applications,
               ApplicationReport,
               COMPUTED,
               "what it says of each application",
               .max = APPLICATION_REPORTS_MAX),
};
const Schema Device_schema = SCHEMA(Device, "device", "one machine that Muster manages");

static const Field DeviceQuery_fields[] = {
    PAGE_FIELDS(DeviceQuery),
    FIELD(DeviceQuery, fleet_id, 0, "only devices of this fleet", .prefix = "fleet"),
    FIELD(DeviceQuery, name, 0, "only the device of this name", .max = 63),
    FIELD_AT(DeviceQuery,
             selector,
             QUERY_SELECTOR,
             0,
             "only devices that meet it, like site=hall-3,role!=db,status=offline,seen<10m",
             .max = SELECTOR_BYTES_MAX),
};
const Schema DeviceQuery_schema = SCHEMA(DeviceQuery, "device_query", "which devices");

// clang-format off
#define DEVICES "/v1/devices"
const Endpoint Device_list =
    ENDPOINT_LIST(Device, "device", DEVICES, "Devices and their last word");
const Endpoint Device_show =
    ENDPOINT_SHOW(Device, "device", DEVICES, "One device, what it should run and what it runs");
const Endpoint Device_update =
    ENDPOINT_UPDATE(Device, "device", DEVICES, "Rename a device, label it, move it");
const Endpoint Device_delete = ENDPOINT_DELETE(
    Device, "device", DEVICES, "Forget a device: its key and its channel end at once");
const Endpoint Device_rotate_key = {
    POST, DEVICES "/{device_id}/rotate-key", "device", "rotate_key",
    "Have a device replace its identity key", .out = &Device_schema};
// clang-format on
