// SPDX-License-Identifier: Apache-2.0
#include "api/device_key.h"
#include "api/fleet.h"
#include "api/release.h"
#include "control/access.h"
#include "control/call.h"
#include "control/device/challenge.h"
#include "control/device/device_agent_api.h"
#include "control/device/presences.h"
#include "control/device/tombstone.h"
#include "control/fleet/fleet.h"
#include "control/telemetry/telemetry.h"

/// What the device should run by its fleet and by where it was before.
static Err device_desired_fill(Call *call, Device *device) {
    Desired desired;
    TRY(device_desired(call->tx, call->arena, device, UINT64_MAX, &desired));
    device->desired_release_id = desired.release_id;
    device->desired_version = desired.version;
    TRY(call_name(call, &Fleet_schema, &device->fleet_id, &device->fleet_name));
    return call_name(
        call, &Release_schema, &device->desired_release_id, &device->desired_release_ref);
}

static Err device_fill(Call *call, void *record) {
    const App *app = app_of(call);
    Device *device = record;
    DeviceStatus status;
    TRY(device_desired_fill(call, device));
    TRY(device_status(call->tx, device, &status));
    bool connected = presences_channel(app->presences, &device->id) != 0;
    device->presence =
        device_presence(connected, status.last_seen_at, app->config.heartbeat.ms, call->now_ms);
    device->last_seen_at = status.last_seen_at;
    device->reported_release_id = status.release_id;
    device->reported_version = status.version;
    device->state = status.state;
    device->detail = status.detail;
    device->services = status.services;
    return call_name(
        call, &Release_schema, &device->reported_release_id, &device->reported_release_ref);
}

/// The device moves: what the new fleet runs must count as newer than what it was told before.
static Err device_move(Call *call, const Device *before, Device *device) {
    if (!id_is_absent(&device->fleet_id))
        TRY(call_ref(call, &Fleet_schema, &device->fleet_id, S("/fleet_id")));
    Desired told;
    TRY(device_desired(call->tx, call->arena, before, UINT64_MAX, &told));
    device->assigned_version = fleet_next_version(told.version, call->now_ms);
    call_event(call, EVENT_DEVICE_DESIRED, &device->id);
    return SUCCESS;
}

static Err device_save(Call *call, const void *before, void *record) {
    const Device *old = before;
    Device *device = record;
    return id_eq(&device->fleet_id, &old->fleet_id) ? SUCCESS : device_move(call, old, device);
}

static Err device_drop(Call *call, const void *record) {
    const Device *device = record;
    const DeviceStatus status = {.device_id = device->id, .org_id = device->org_id};
    TRY(tombstone_set(call, device));
    TRY(tx_delete(call->tx, &DeviceStatus_schema, &status));
    TRY(telemetry_delete(call->tx, &device->id, &device->org_id));
    call_event(call, EVENT_DEVICE_RETIRED, &device->id);
    return SUCCESS;
}

static const Rules rules = {
    .save = device_save, .drop = device_drop, .fill = device_fill, .keys = &Device_keys};

static const Route routes[] = {
    {&Device_list,     MAY_READ,    call_list,       &rules},
    {&Device_show,     MAY_READ,    call_show,       &rules},
    {&Device_update,   MAY_OPERATE, call_update,     &rules},
    {&Device_delete,   MAY_OPERATE, call_delete,     &rules},
    {&Agent_challenge, 0,           agent_challenge, NULL  },
    {&Agent_enrol,     0,           agent_enrol,     NULL  },
    {&Agent_token,     0,           agent_token,     NULL  },
    {&Agent_sync,      IS_DEVICE,   agent_sync,      NULL  },
};
static const Schema *const stored[] = {&Device_schema, &DeviceStatus_schema, &Tombstone_schema};

static Err device_open(App *app) {
    TRY(challenges_open(NONCE_LIFE_MS, &app->challenges));
    return presences_open(&app->presences);
}

static void device_close(App *app) {
    app->presences = presences_close(app->presences);
    app->challenges = challenges_close(app->challenges);
}

const Slice device_slice = {
    .noun = "device",
    .routes = ROUTE_TABLE(routes),
    SLICE_STORED(stored),
    .open = device_open,
    .close = device_close,
};
