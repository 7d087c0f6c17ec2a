// SPDX-License-Identifier: Apache-2.0
#include "control/device/device.h"

#include "control/fleet/fleet.h"
#include "control/release/release.h"
#include "control/telemetry/telemetry.h"
#include "db/tx.h"

static const Field DeviceStatus_fields[] = {
    FIELD(DeviceStatus, device_id, KEY | HIDDEN, "device", .prefix = "device"),
    FIELD(DeviceStatus, org_id, SCOPE | HIDDEN, "organisation", .prefix = "org"),
    FIELD(DeviceStatus, last_seen_at, HIDDEN, "its last word"),
    FIELD(DeviceStatus, version, HIDDEN, "of the desired state it is at"),
    FIELD(DeviceStatus, release_id, HIDDEN, "release it says it runs", .prefix = "release"),
    FIELD_ENUM(DeviceStatus, state, WorkloadState, HIDDEN, "how far it is"),
    FIELD(DeviceStatus, detail, HIDDEN, "why", .max = 1024),
    FIELD_LIST(DeviceStatus, services, ServiceStatus, HIDDEN, "its services"),
};
const Schema DeviceStatus_schema = SCHEMA(DeviceStatus, "device_status", "a device's last word");

enum { NAME_MAX = 63 };

Presence device_presence(bool connected, Time last_seen, uint64_t heartbeat_ms, uint64_t now_ms) {
    if (connected) return PRESENCE_ONLINE;
    if (last_seen.ms == 0) return PRESENCE_NEVER;
    uint64_t silent_ms = now_ms > last_seen.ms ? now_ms - last_seen.ms : 0;
    if (silent_ms <= heartbeat_ms + heartbeat_ms / 2) return PRESENCE_ONLINE;
    return silent_ms <= 3 * heartbeat_ms ? PRESENCE_LATE : PRESENCE_OFFLINE;
}

Str device_name_from(Str wished, Arena *arena) {
    char name[NAME_MAX];
    size_t len = 0;
    for (size_t i = 0; i < wished.len && len < sizeof(name); i++) {
        char c = wished.ptr[i];
        if (c >= 'A' && c <= 'Z') c = (char)(c - 'A' + 'a');
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (plain || len > 0) name[len++] = plain || c == '.' || c == '_' ? c : '-';
    }
    while (len > 0 && (name[len - 1] == '-' || name[len - 1] == '.' || name[len - 1] == '_'))
        len--;
    return len ? str_dup(arena, (Str){name, len}) : (Str){};
}

Err device_get(Tx *tx, const Id *id, Device *ret_device) {
    return tx_get(tx, &Device_schema, id_str(id), ret_device);
}

/// The device's fleet; a zero one when it has none or it is gone.
static Err fleet_of(Tx *tx, const Device *device, Fleet *ret_fleet) {
    *ret_fleet = (Fleet){};
    if (id_is_absent(&device->fleet_id)) return SUCCESS;
    Err err = fleet_get(tx, &device->fleet_id, ret_fleet);
    return err.code == ERR_NOT_FOUND ? SUCCESS : err;
}

Err device_desired(
    Tx *tx, Arena *arena, const Device *device, uint64_t held_version, Desired *ret_desired) {
    Fleet fleet;
    TRY(fleet_of(tx, device, &fleet));
    Desired desired = {.version = fleet.desired_version, .release_id = fleet.release_id};
    if (desired.version < device->assigned_version) desired.version = device->assigned_version;
    if (desired.version > held_version && !id_is_absent(&desired.release_id)) {
        Release release;
        TRY(release_get(tx, &desired.release_id, &release));
        TRY(manifest_seal(&release.manifest, arena, &desired.manifest.text, &desired.digest));
    }
    *ret_desired = desired;
    return SUCCESS;
}

Err device_status(Tx *tx, const Device *device, DeviceStatus *ret_status) {
    *ret_status = (DeviceStatus){.device_id = device->id, .org_id = device->org_id};
    Err err = tx_get(tx, &DeviceStatus_schema, id_str(&device->id), ret_status);
    return err.code == ERR_NOT_FOUND ? SUCCESS : err;
}

/// The whole of `facts` as JSON, to see whether they changed.
static void facts_text(const Facts *facts, Text *out) {
    text_init(out, FIELD_JSON_MAX);
    schema_encode(&Facts_schema, facts, ENCODE_STORED, out);
}

static Err facts_keep(Tx *tx, Device *device, const Facts *facts) {
    if (!facts->agent_version.ptr) return SUCCESS; // not in this message
    Text before, after;
    facts_text(&device->facts, &before);
    facts_text(facts, &after);
    bool same = str_eq(text_str(&before), text_str(&after));
    text_done(&before);
    text_done(&after);
    if (same) return SUCCESS;
    device->facts = *facts;
    return tx_update(tx, &Device_schema, device);
}

static bool reported_is_absent(const Reported *reported) {
    return reported->version == 0 && reported->state == WORKLOAD_NONE
           && reported->services.count == 0 && !reported->detail.ptr;
}

static Err status_keep(Tx *tx, const Device *device, const Reported *reported, uint64_t now_ms) {
    DeviceStatus status;
    TRY(device_status(tx, device, &status));
    status.last_seen_at.ms = now_ms;
    if (!reported_is_absent(reported)) {
        status.version = reported->version;
        status.release_id = reported->release_id;
        status.state = reported->state;
        status.detail = reported->detail;
        status.services = reported->services;
    }
    return tx_put(tx, &DeviceStatus_schema, &status);
}

Err device_sync(const App *app,
                Tx *tx,
                Arena *arena,
                const Id *device_id,
                const SyncUp *up,
                uint64_t now_ms,
                SyncDown *ret_down) {
    Device device;
    TRY(device_get(tx, device_id, &device));
    TRY(facts_keep(tx, &device, &up->facts));
    TRY(status_keep(tx, &device, &up->reported, now_ms));
    if (up->telemetry.uptime_s > 0)
        TRY(telemetry_put(tx, &up->telemetry, &device.id, &device.org_id, now_ms));
    SyncDown down = {.ack = up->seq, .now = {now_ms}, .heartbeat = app->config.heartbeat};
    TRY(device_desired(tx, arena, &device, up->desired_version, &down.desired));
    if (down.desired.version <= up->desired_version) down.desired = (Desired){};
    *ret_down = down;
    return SUCCESS;
}
