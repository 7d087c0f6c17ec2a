// SPDX-License-Identifier: Apache-2.0
/// Telemetry: the latest measurements of each device.
#pragma once

#include "http/router.h"
#include "wire/device.h"

typedef struct Tx Tx;

/// Collect in `tx` that `sample` came from the device at `now_ms`; it replaces the one before.
Err telemetry_put(
    Tx *tx, const Telemetry *sample, const Id *device_id, const Id *org_id, uint64_t now_ms);

extern const RouteTable telemetry_routes;
