// SPDX-License-Identifier: Apache-2.0
/// Devices: what they should run, what they say, and how long ago they said it.
///
/// What an operator decides about a device, and what it was enrolled as, is its row
/// (api/device.h). What the device says of itself is its status row, replaced with each sync. The
/// reply joins both.
#pragma once

#include "api/device.h"
#include "api/fleet.h"
#include "control/slice.h"
#include "wire/agent.h"

/// A device's last word; stored, shown as part of Device.
typedef struct DeviceStatus {
    Id device_id;
    Id org_id;
    uint64_t serial;   ///< grows with each write of the row
    Id node_id;        ///< of the process that has its channel; absent: nobody
    Time last_seen_at; ///< while somebody has it: what is known beside that
    uint64_t generation;
    WorkloadState state;
    Str detail;
    StrList notes;
    ApplicationReportList applications;
    Str servers_failed; ///< digest of a list that it could not use
} DeviceStatus;
extern const Schema DeviceStatus_schema;

typedef enum TombstoneReason {
    TOMBSTONE_RETIRED, ///< the device is no more
    TOMBSTONE_ROTATED, ///< the device has another key now
} TombstoneReason;

/// A dead key (control/device/tombstone.h). Never removed.
typedef struct Tombstone {
    Str public_key;
    Id device_id;
    Id org_id; ///< whose device it was; no scope
    TombstoneReason reason;
    Time at;
    Str by; ///< who retired it
} Tombstone;
extern const Schema Tombstone_schema;

/// The device with this id. ERR_NOT_FOUND.
Err device_get(Tx *tx, const Id *id, Device *ret_device);
/// Its last word; nothing but its ids where it has said none.
Err device_status(Tx *tx, const Device *device, DeviceStatus *ret_status);
/// Collect that this is its last word: of `status` as it was read, with what changed.
/// [ERR_CONFLICT: another one was written meanwhile]
Err device_put_status(Tx *tx, const DeviceStatus *status);
/// The device's fleet; a zero one when it has none or it is gone.
Err device_fleet(Tx *tx, const Device *device, Fleet *ret_fleet);
/// The generation of the desired state of a device of this fleet.
uint64_t device_generation(const Device *device, const Fleet *fleet);
/// Collect that the device leaves its fleet for `fleet_id` (absent: for none). `*ret_generation` is
/// what it must be assigned as its least one, so that what it is told there is newer than all that
/// it was told before. ERR_NOT_FOUND: there is no such fleet.
Err device_leave(
    Tx *tx, const Device *device, const Id *fleet_id, uint64_t now_ms, uint64_t *ret_generation);
/// The applications of a fleet's devices, with their manifests as published, in `arena`.
Err device_applications(Tx *tx, Arena *arena, const Fleet *fleet, ApplicationList *ret_list);

/// Collect that everything the device ever said of itself goes away.
Err device_forget(Tx *tx, const Device *device);
extern const Slice device_slice;
