// SPDX-License-Identifier: Apache-2.0
#include "control/device/device.h"

#include "control/fleet/fleet.h"
#include "control/release/release.h"
#include "control/telemetry/telemetry.h"
#include "db/tx.h"

static const Field DeviceStatus_fields[] = {
    FIELD(DeviceStatus, device_id, KEY | HIDDEN, "device", .prefix = "device"),
    FIELD(DeviceStatus, org_id, SCOPE | HIDDEN, "organisation", .prefix = "org"),
    FIELD(DeviceStatus, serial, HIDDEN, "number of writes"),
    FIELD(DeviceStatus, node_id, HIDDEN | INDEXED, "who has its channel", .prefix = "node"),
    FIELD(DeviceStatus, last_seen_at, HIDDEN, "its last word"),
    FIELD(DeviceStatus, generation, HIDDEN, "of the desired state it is at"),
    FIELD_ENUM(DeviceStatus, state, WorkloadState, HIDDEN, "how far it is"),
    FIELD(DeviceStatus, detail, HIDDEN, "why", .max = DETAIL_MAX),
    FIELD(DeviceStatus, notes, HIDDEN, "about itself", .max = NOTES_MAX, .item_max = DETAIL_MAX),
    FIELD_LIST(DeviceStatus,
               applications,
               ApplicationReport,
               HIDDEN,
               "its applications",
               .max = APPLICATION_REPORTS_MAX),
    FIELD(DeviceStatus, servers_failed, HIDDEN, "digest of a list that it could not use"),
};
const Schema DeviceStatus_schema = SCHEMA(DeviceStatus, "device_status", "a device's last word");

Err device_get(Tx *tx, const Id *id, Device *ret_device) {
    return tx_get(tx, &Device_schema, id_str(id), ret_device);
}

Err device_fleet(Tx *tx, const Device *device, Fleet *ret_fleet) {
    *ret_fleet = (Fleet){};
    if (id_is_absent(&device->fleet_id)) return SUCCESS;
    Err err = fleet_get(tx, &device->fleet_id, ret_fleet);
    return err.code == ERR_NOT_FOUND ? SUCCESS : err;
}

uint64_t device_generation(const Device *device, const Fleet *fleet) {
    return fleet->generation > device->assigned_generation ? fleet->generation
                                                           : device->assigned_generation;
}

Err device_leave(
    Tx *tx, const Device *device, const Id *fleet_id, uint64_t now_ms, uint64_t *ret_generation) {
    Fleet left = {};
    Err err = SUCCESS;
    // What is deployed there in the meantime may have been told to the device already.
    if (!id_is_absent(&device->fleet_id)) err = fleet_expect(tx, &device->fleet_id, &left);
    if (err.code != ERR_NOT_FOUND) TRY(err);
    uint64_t generation = fleet_next_generation(device_generation(device, &left), now_ms);
    bool moves = !id_eq(fleet_id, &device->fleet_id);
    if (moves && !id_is_absent(&left.id)) TRY(fleet_count(tx, &left.id, -1));
    if (!id_is_absent(fleet_id)) TRY(fleet_enter(tx, fleet_id, generation));
    if (moves && !id_is_absent(fleet_id)) TRY(fleet_count(tx, fleet_id, 1));
    *ret_generation = generation;
    return SUCCESS;
}

Err device_applications(Tx *tx, Arena *arena, const Fleet *fleet, ApplicationList *ret_list) {
    *ret_list = (ApplicationList){};
    if (id_is_absent(&fleet->release_id)) return SUCCESS;
    Release release;
    Application *application = ARENA_ARRAY(arena, Application, 1);
    TRY(arena_check(arena));
    TRY(release_get(tx, &fleet->release_id, &release));
    *application = (Application){
        .name = release.application,
        .serial = fleet->serial,
        .release_id = release.id,
        .version = release.version,
    };
    TRY(release_document(tx, &release, &application->manifest));
    *ret_list = (ApplicationList){application, 1};
    return SUCCESS;
}

Err device_status(Tx *tx, const Device *device, DeviceStatus *ret_status) {
    *ret_status = (DeviceStatus){.device_id = device->id, .org_id = device->org_id};
    Err err = tx_get(tx, &DeviceStatus_schema, id_str(&device->id), ret_status);
    return err.code == ERR_NOT_FOUND ? SUCCESS : err;
}

Err device_forget(Tx *tx, const Device *device) {
    DeviceStatus status = {.device_id = device->id, .org_id = device->org_id};
    TRY(tx_delete(tx, &DeviceStatus_schema, &status));
    return telemetry_delete(tx, &device->id, &device->org_id);
}

Err device_put_status(Tx *tx, const DeviceStatus *status) {
    DeviceStatus next = *status;
    next.serial++;
    return tx_put_if(tx, &next, COUNTER(DeviceStatus, serial));
}
