// SPDX-License-Identifier: Apache-2.0
/// Devices: what they should run, what they say, and how long ago they said it.
///
/// What an operator decides about a device is its row (api/device.h). What the device says of
/// itself is its status row, replaced with each sync. The reply joins both.
#pragma once

#include "api/device.h"
#include "control/slice.h"
#include "wire/agent.h"

/// A device's last word; stored, shown as part of Device.
typedef struct DeviceStatus {
    Id device_id;
    Id org_id;
    Time last_seen_at;
    uint64_t version;
    Id release_id;
    WorkloadState state;
    Str detail;
    ServiceStatusList services;
} DeviceStatus;
extern const Schema DeviceStatus_schema;

/// The key of a device that is no more (control/device/tombstone.h). Never removed.
typedef struct Tombstone {
    Str public_key;
    Id device_id;
    Id org_id; ///< whose device it was; no scope
    Time at;
    Str by; ///< who retired it
} Tombstone;
extern const Schema Tombstone_schema;

/// How present a device is. `connected`: its channel is open. `last_seen`: absent if never.
/// `heartbeat_ms`: how often it should say something; late after one and a half, offline after
/// three.
Presence device_presence(bool connected, Time last_seen, uint64_t heartbeat_ms, uint64_t now_ms);
/// A name out of `wished` that fits Pattern_slug, at most 63 bytes, in `arena`; absent when nothing
/// of it fits.
Str device_name_from(Str wished, Arena *arena);
/// What the device should run now; without its manifest if that is not newer than `held_version`.
/// ERR_LIMIT: arena exhausted.
Err device_desired(
    Tx *tx, Arena *arena, const Device *device, uint64_t held_version, Desired *ret_desired);
/// The device with this id. ERR_NOT_FOUND.
Err device_get(Tx *tx, const Id *id, Device *ret_device);
/// Its last word; nothing but its ids where it has said none.
Err device_status(Tx *tx, const Device *device, DeviceStatus *ret_status);
/// One exchange with a device: collect in `tx` what it says, answer what it should have. The
/// caller commits before it sends the answer. ERR_NOT_FOUND: the device is deleted.
Err device_sync(const App *app,
                Tx *tx,
                Arena *arena,
                const Id *device_id,
                const SyncUp *up,
                uint64_t now_ms,
                SyncDown *ret_down);

extern const Slice device_slice;
