// SPDX-License-Identifier: Apache-2.0
#include "control/device/heartbeat.h"

#include "base/scope.h"
#include "control/device/seen.h"
#include "control/telemetry/telemetry.h"
#include "db/tx.h"

enum { ROW_JSON_MAX = 256 * 1024 };

/// Rows as they are stored, to see whether one changed.
static bool heartbeat_row_is_same(const Schema *schema, const void *a, const void *b) {
    SCOPED(text_done) Text before;
    SCOPED(text_done) Text after;
    text_init(&before, ROW_JSON_MAX);
    text_init(&after, ROW_JSON_MAX);
    schema_encode(schema, a, ENCODE_STORED, &before);
    schema_encode(schema, b, ENCODE_STORED, &after);
    return text_check(&before).code == OK && str_eq(text_str(&before), text_str(&after));
}

/// What the device says of itself is its last word. `*ret_is_news`: it is another one than before.
static Err heartbeat_keep_status(const App *app,
                                 Tx *tx,
                                 Arena *arena,
                                 const Device *device,
                                 const SyncUp *up,
                                 SyncBy by,
                                 uint64_t now_ms,
                                 bool *ret_is_news) {
    DeviceStatus before;
    TRY(device_status(tx, device, &before));
    DeviceStatus status = before;
    status.node_id = by == SYNC_BY_CHANNEL ? app->node : (Id){};
    if (!id_is_absent(&up->hello.device_id)) status.servers_failed = up->hello.servers_failed;
    if (sync_up_has(up, "reported")) {
        status.generation = up->reported.generation;
        status.state = up->reported.state;
        status.detail = up->reported.detail;
        status.notes = up->reported.notes;
        status.applications = up->reported.applications;
    }
    // A poll is all that is heard of the device; its channel is seen to.
    *ret_is_news =
        by == SYNC_BY_POLL || !heartbeat_row_is_same(&DeviceStatus_schema, &before, &status);
    if (!*ret_is_news) return SUCCESS;
    status.last_seen_at.ms = now_ms;
    TRY(seen_note(tx, arena, device, &before, &status, now_ms));
    return device_put_status(tx, &status);
}

/// What the device should run, if it is newer than what it holds.
static Err heartbeat_fill_desired(
    Tx *tx, Arena *arena, const Device *device, uint64_t held_generation, Desired *ret_desired) {
    Fleet fleet;
    TRY(device_fleet(tx, device, &fleet));
    Desired desired = {.generation = device_generation(device, &fleet)};
    if (desired.generation <= held_generation) return SUCCESS;
    TRY(device_applications(tx, arena, &fleet, &desired.applications));
    *ret_desired = desired;
    return SUCCESS;
}

Err heartbeat_sync(const App *app,
                   Tx *tx,
                   Arena *arena,
                   const Device *stored,
                   Device *device,
                   const SyncUp *up,
                   SyncBy by,
                   uint64_t now_ms,
                   SyncDown *ret_down) {
    bool is_news = false;
    if (sync_up_has(up, "facts")) device->facts = up->facts;
    TRY(heartbeat_keep_status(app, tx, arena, device, up, by, now_ms, &is_news));
    if (sync_up_has(up, "telemetry")) {
        TRY(telemetry_put(tx, &up->telemetry, &device->id, &device->org_id, now_ms));
        is_news = true;
    }
    SyncDown down = {
        .ack = up->seq,
        .now = {now_ms},
        .heartbeat = app->config.heartbeat,
        .rotate_key = device->rotate_key,
    };
    TRY(heartbeat_fill_desired(tx, arena, device, up->generation, &down.desired));
    is_news |= down.desired.generation != 0;
    *ret_down = down;
    // A device that is retired or changed meanwhile is looked at again before anything is kept or
    // told. Of one that says no news nothing is, and what is news to it will be pushed.
    if (!heartbeat_row_is_same(&Device_schema, stored, device))
        return tx_update(tx, &Device_schema, device);
    return is_news ? tx_expect(tx, &Device_schema, stored) : SUCCESS;
}
