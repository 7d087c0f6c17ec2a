// SPDX-License-Identifier: Apache-2.0
#include "api/device_key.h"
#include "api/fleet.h"
#include "api/release.h"
#include "control/access.h"
#include "control/call.h"
#include "control/device/device_agent_api.h"
#include "control/device/device_push.h"
#include "control/device/enrol.h"
#include "control/device/presences.h"
#include "control/device/seen.h"
#include "control/device/tombstone.h"
#include "control/fleet/fleet.h"

/// What the device says of itself, and what we noticed about it.
static Err device_notes_fill(Call *call, const DeviceStatus *status, Device *device) {
    device->notes = status->notes;
    if (!status->servers_failed.ptr) return SUCCESS;
    size_t count = status->notes.count;
    Str *notes = ARENA_ARRAY(call->arena, Str, count + 1);
    TRY(arena_check(call->arena));
    for (size_t i = 0; i < count; i++)
        notes[i] = status->notes.items[i];
    notes[count] = str_print(call->arena,
                             "it cannot reach the servers of the list %.*s and stays with those "
                             "that it has",
                             STR_FMT(status->servers_failed));
    device->notes = (StrList){notes, count + 1};
    return arena_check(call->arena);
}

static Err device_fill_one(
    Call *call, const Fleet *fleet, const DeviceStatus *status, const Node *node, Device *device) {
    const Seen seen = seen_of(app_of(call), status, node, call->now_ms);
    device->desired_release_id = fleet->release_id;
    device->generation = device_generation(device, fleet);
    device->fleet_name = fleet->name;
    device->presence = seen.presence;
    device->last_seen_at = seen.at;
    device->reported_generation = status->generation;
    device->state = status->state;
    device->detail = status->detail;
    device->applications = status->applications;
    if (status->applications.count > 0)
        device->reported_release_id = status->applications.items[0].release_id;
    return device_notes_fill(call, status, device);
}

static Err device_fill(Call *call, void *records, size_t count) {
    Device *devices = records;
    const Records all = RECORDS(devices, count);
    void *fleets, *statuses, *nodes;
    TRY(call_refs(call, &Fleet_schema, all, FIELD_OFFSET(Device, fleet_id, Id), &fleets));
    TRY(call_refs(call, &DeviceStatus_schema, all, FIELD_OFFSET(Device, id, Id), &statuses));
    const Records those = RECORDS((DeviceStatus *)statuses, count);
    TRY(call_refs(call, &Node_schema, those, FIELD_OFFSET(DeviceStatus, node_id, Id), &nodes));
    for (size_t i = 0; i < count; i++)
        TRY(device_fill_one(call,
                            &((const Fleet *)fleets)[i],
                            &((const DeviceStatus *)statuses)[i],
                            &((const Node *)nodes)[i],
                            &devices[i]));
    return call_names(call,
                      &Release_schema,
                      all,
                      NAMES(NAME_OF(Device, desired_release_id, desired_release_ref),
                            NAME_OF(Device, reported_release_id, reported_release_ref)));
}

/// The device moves: what the new fleet runs must count as newer than what it was told before.
static Err device_move(Call *call, const Device *before, Device *device) {
    Err err = device_leave(
        call->tx, before, &device->fleet_id, call->now_ms, &device->assigned_generation);
    if (err.code == ERR_NOT_FOUND)
        return call_refuse(call, S("/fleet_id"), "must be one of this organisation's fleets");
    return err;
}

static Err device_save(Call *call, const void *before, void *record) {
    const Device *old = before;
    Device *device = record;
    return id_eq(&device->fleet_id, &old->fleet_id) ? SUCCESS : device_move(call, old, device);
}

static Err device_drop(Call *call, const void *record) {
    const Device *device = record;
    if (!id_is_absent(&device->fleet_id)) TRY(fleet_count(call->tx, &device->fleet_id, -1));
    TRY(tombstone_set(call, &call->principal, device, TOMBSTONE_RETIRED));
    return device_forget(call->tx, device);
}

static const Rules rules = {
    .save = device_save, .drop = device_drop, .fill = device_fill, .keys = &Device_keys};

/// The device is told with its next message, and makes a key when it likes.
static Err device_rotate_key(Call *call) {
    Device before;
    TRY(call_load(call, &Device_schema, &before));
    Device device = before;
    device.rotate_key = true;
    TRY(call_save(call, &Device_schema, &before, &device));
    return call_reply_filled(call, &device);
}

static const Route routes[] = {
    {&Device_list,       MAY_READ,    call_list,         &rules, POOL_OPERATORS},
    {&Device_show,       MAY_READ,    call_show,         &rules, POOL_OPERATORS},
    {&Device_update,     MAY_OPERATE, call_update,       &rules, POOL_OPERATORS},
    {&Device_delete,     MAY_OPERATE, call_delete,       &rules, POOL_OPERATORS},
    {&Device_rotate_key, MAY_OPERATE, device_rotate_key, &rules, POOL_OPERATORS},
    {&Agent_challenge,   0,           agent_challenge,   NULL,   POOL_NONE     },
    {&Agent_enrol,       0,           device_enrol,      NULL,   POOL_DEVICES  },
    {&Agent_sync,        0,           agent_sync,        NULL,   POOL_DEVICES  },
};
static const Schema *const stored[] = {
    &Device_schema, &DeviceStatus_schema, &Node_schema, &Tombstone_schema};

static Err device_open(App *app) {
    TRY(presences_open(&app->presences));
    return node_start(app);
}

static void device_close(App *app) {
    app->presences = presences_close(app->presences);
}

const Slice device_slice = {
    .noun = "device",
    .routes = ROUTE_TABLE(routes),
    SLICE_STORED(stored),
    .open = device_open,
    .close = device_close,
    .noted = device_noted,
    .tidy = seen_tidy,
};
