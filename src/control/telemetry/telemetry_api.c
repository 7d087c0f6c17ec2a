// SPDX-License-Identifier: Apache-2.0
#include "control/access.h"
#include "control/call.h"
#include "control/telemetry/telemetry.h"

Err telemetry_put(
    Tx *tx, const Telemetry *sample, const Id *device_id, const Id *org_id, uint64_t now_ms) {
    Telemetry row = *sample;
    row.device_id = *device_id;
    row.org_id = *org_id;
    row.at.ms = now_ms;
    return tx_put(tx, &Telemetry_schema, &row);
}

Err telemetry_delete(Tx *tx, const Id *device_id, const Id *org_id) {
    const Telemetry row = {.device_id = *device_id, .org_id = *org_id};
    return tx_delete(tx, &Telemetry_schema, &row);
}

static const Route routes[] = {
    {&Telemetry_show, MAY_READ, call_show},
};
static const Schema *const stored[] = {&Telemetry_schema};
const Slice telemetry_slice = {
    .noun = "telemetry", .routes = ROUTE_TABLE(routes), SLICE_STORED(stored)};
