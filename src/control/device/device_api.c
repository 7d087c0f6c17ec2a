// SPDX-License-Identifier: Apache-2.0
#include "control/access.h"
#include "control/audit/audit.h"
#include "control/device/tombstone.h"
#include "control/fleet/fleet.h"
#include "control/page.h"

typedef struct DeviceQuery {
    PageQuery page;
    Id fleet_id;
    Str name;
} DeviceQuery;

static const Field DeviceQuery_fields[] = {
    PAGE_FIELDS(DeviceQuery),
    FIELD(DeviceQuery, fleet_id, 0, "only devices of this fleet", .prefix = "fleet"),
    FIELD(DeviceQuery, name, 0, "only the device of this name", .max = 63),
};
static const Schema DeviceQuery_schema = SCHEMA(DeviceQuery, "device_query", "which devices");

static Err device_list(Call *call) {
    const DeviceQuery *wanted = call->query;
    Query query = page_query(&wanted->page);
    if (!id_is_absent(&wanted->fleet_id))
        page_where(&query, WHERE_STR("fleet_id", id_str(&wanted->fleet_id)));
    if (wanted->name.ptr) page_where(&query, WHERE_STR("name", wanted->name));
    Device *devices;
    size_t count;
    TRY(tx_list(call->tx, &Device_schema, &query, (void **)&devices, &count));
    for (size_t i = 0; i < count; i++)
        TRY(device_fill(app_of(call), call->tx, call->now_ms, &devices[i]));
    Str next = count ? page_next(&wanted->page, count, &devices[count - 1].id) : (Str){};
    return call_reply_list(call, devices, count, next);
}

static Err device_load(Call *call, Device *ret_device) {
    return tx_get(call->tx, &Device_schema, call_arg(call, S("device_id")), ret_device);
}

static Err device_show(Call *call) {
    Device device;
    TRY(device_load(call, &device));
    TRY(device_fill(app_of(call), call->tx, call->now_ms, &device));
    return call_reply(call, &device);
}

/// The device moves: what the new fleet runs must count as newer than what it was told before.
static Err device_move(Call *call, const Device *before, Device *device) {
    Fleet fleet;
    if (!id_is_absent(&device->fleet_id)) {
        Err err = tx_get(call->tx, &Fleet_schema, id_str(&device->fleet_id), &fleet);
        if (err.code == ERR_NOT_FOUND)
            return call_refuse(call, S("/fleet_id"), "must be a fleet of this organisation");
        TRY(err);
        TRY(tx_update(call->tx, &Fleet_schema, &fleet)); // so that it is not deleted meanwhile
    }
    Desired told;
    TRY(device_desired(call->tx, call->arena, before, UINT64_MAX, &told));
    device->assigned_version = fleet_next_version(told.version, call->now_ms);
    call_event(call, EVENT_DEVICE_DESIRED, &device->id);
    return SUCCESS;
}

static Err device_change(Call *call) {
    Device before;
    TRY(device_load(call, &before));
    Device device = before;
    TRY(call_patch(call, &Device_schema, &device));
    if (!id_eq(&device.fleet_id, &before.fleet_id)) TRY(device_move(call, &before, &device));
    TRY(tx_update(call->tx, &Device_schema, &device));
    TRY(audit_record(call, "device.change", id_str(&device.id), &Device_schema, &device));
    TRY(device_fill(app_of(call), call->tx, call->now_ms, &device));
    device.rev++;
    return call_reply(call, &device);
}

static Err device_retire(Call *call) {
    Device device;
    TRY(device_load(call, &device));
    TRY(tx_delete(call->tx, &Device_schema, &device));
    TRY(tombstone_set(call, &device));
    TRY(tx_delete(call->tx,
                  &DeviceStatus_schema,
                  &(DeviceStatus){.device_id = device.id, .org_id = device.org_id}));
    TRY(tx_delete(call->tx,
                  &Telemetry_schema,
                  &(Telemetry){.device_id = device.id, .org_id = device.org_id}));
    call_event(call, EVENT_DEVICE_RETIRED, &device.id);
    return audit_record(call, "device.retire", id_str(&device.id), NULL, NULL);
}

static const Route routes[] = {
    {.method = GET,
     .path = "/v1/devices",
     .access = MAY_READ,
     .query = &DeviceQuery_schema,
     .out = &Device_schema,
     .shape = REPLY_LIST,
     .id = "device_list",
     .doc = "Devices and their last word",
     .handler = device_list},
    {.method = GET,
     .path = "/v1/devices/{device_id}",
     .access = MAY_READ,
     .out = &Device_schema,
     .id = "device_show",
     .doc = "One device, what it should run and what it runs",
     .handler = device_show  },
    {.method = PATCH,
     .path = "/v1/devices/{device_id}",
     .access = MAY_OPERATE,
     .in = &Device_schema,
     .patch = true,
     .out = &Device_schema,
     .id = "device_change",
     .doc = "Rename a device, label it, move it to another fleet",
     .handler = device_change},
    {.method = DELETE,
     .path = "/v1/devices/{device_id}",
     .access = MAY_OPERATE,
     .shape = REPLY_NONE,
     .id = "device_retire",
     .doc = "Retire a device: its identity and its channel end at once",
     .handler = device_retire},
};
const RouteTable device_routes = ROUTE_TABLE(routes);
