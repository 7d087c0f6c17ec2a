// SPDX-License-Identifier: Apache-2.0
/// Telemetry: the latest measurements of each device.
#pragma once

#include "api/telemetry.h"
#include "control/slice.h"

typedef struct Tx Tx;

/// Collect in `tx` that `sample` came from the device at `now_ms`; it replaces the one before.
Err telemetry_put(
    Tx *tx, const Telemetry *sample, const Id *device_id, const Id *org_id, uint64_t now_ms);
/// Collect in `tx` the end of what is kept of this device.
Err telemetry_delete(Tx *tx, const Id *device_id, const Id *org_id);

extern const Slice telemetry_slice;
