// SPDX-License-Identifier: Apache-2.0
#include "control/device/device.h"

#include "base/scope.h"
#include "control/fleet/fleet.h"
#include "control/release/release.h"
#include "control/telemetry/telemetry.h"
#include "db/tx.h"

static const Field DeviceStatus_fields[] = {
    FIELD(DeviceStatus, device_id, KEY | HIDDEN, "device", .prefix = "device"),
    FIELD(DeviceStatus, org_id, SCOPE | HIDDEN, "organisation", .prefix = "org"),
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

enum { ROW_JSON_MAX = 256 * 1024 };

Presence device_presence(bool connected, Time last_seen, uint64_t heartbeat_ms, uint64_t now_ms) {
    if (connected) return PRESENCE_ONLINE;
    if (last_seen.ms == 0) return PRESENCE_NEVER;
    uint64_t silent_ms = now_ms > last_seen.ms ? now_ms - last_seen.ms : 0;
    if (silent_ms <= heartbeat_ms + heartbeat_ms / 2) return PRESENCE_ONLINE;
    return silent_ms <= 3 * heartbeat_ms ? PRESENCE_LATE : PRESENCE_OFFLINE;
}

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

/// The device's row as it is stored, to see whether it changed.
static bool device_is_same(const Device *a, const Device *b) {
    SCOPED(text_done) Text before;
    SCOPED(text_done) Text after;
    text_init(&before, ROW_JSON_MAX);
    text_init(&after, ROW_JSON_MAX);
    schema_encode(&Device_schema, a, ENCODE_STORED, &before);
    schema_encode(&Device_schema, b, ENCODE_STORED, &after);
    return text_check(&before).code == OK && str_eq(text_str(&before), text_str(&after));
}

/// The part of a message is there.
static bool device_sync_has(const char *part, const void *member) {
    return !field_is_absent(schema_field(&SyncUp_schema, str_from(part)), member);
}

static Err device_keep_status(Tx *tx, const Device *device, const SyncUp *up, uint64_t now_ms) {
    DeviceStatus status;
    TRY(device_status(tx, device, &status));
    status.last_seen_at.ms = now_ms;
    if (!id_is_absent(&up->hello.device_id)) status.servers_failed = up->hello.servers_failed;
    if (device_sync_has("reported", &up->reported)) {
        status.generation = up->reported.generation;
        status.state = up->reported.state;
        status.detail = up->reported.detail;
        status.notes = up->reported.notes;
        status.applications = up->reported.applications;
    }
    return tx_put(tx, &DeviceStatus_schema, &status);
}

/// What the device should run, if it is newer than what it holds.
static Err device_fill_desired(
    Tx *tx, Arena *arena, const Device *device, uint64_t held_generation, Desired *ret_desired) {
    Fleet fleet;
    TRY(device_fleet(tx, device, &fleet));
    Desired desired = {.generation = device_generation(device, &fleet)};
    if (desired.generation <= held_generation) return SUCCESS;
    TRY(device_applications(tx, arena, &fleet, &desired.applications));
    *ret_desired = desired;
    return SUCCESS;
}

Err device_sync(const App *app,
                Tx *tx,
                Arena *arena,
                const Device *stored,
                Device *device,
                const SyncUp *up,
                uint64_t now_ms,
                SyncDown *ret_down) {
    if (device_sync_has("facts", &up->facts)) device->facts = up->facts;
    // A device that is retired or changed meanwhile is looked at again before anything is kept.
    TRY(device_is_same(stored, device) ? tx_expect(tx, &Device_schema, stored)
                                       : tx_update(tx, &Device_schema, device));
    TRY(device_keep_status(tx, device, up, now_ms));
    if (device_sync_has("telemetry", &up->telemetry))
        TRY(telemetry_put(tx, &up->telemetry, &device->id, &device->org_id, now_ms));
    SyncDown down = {
        .ack = up->seq,
        .now = {now_ms},
        .heartbeat = app->config.heartbeat,
        .rotate_key = device->rotate_key,
    };
    TRY(device_fill_desired(tx, arena, device, up->generation, &down.desired));
    *ret_down = down;
    return SUCCESS;
}
