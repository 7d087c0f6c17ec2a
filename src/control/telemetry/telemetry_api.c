// SPDX-License-Identifier: Apache-2.0
#include "control/access.h"
#include "control/telemetry/telemetry.h"
#include "db/tx.h"

Err telemetry_put(
    Tx *tx, const Telemetry *sample, const Id *device_id, const Id *org_id, uint64_t now_ms) {
    Telemetry row = *sample;
    row.device_id = *device_id;
    row.org_id = *org_id;
    row.at.ms = now_ms;
    return tx_put(tx, &Telemetry_schema, &row);
}

static Err telemetry_show(Call *call) {
    Telemetry sample;
    TRY(tx_get(call->tx, &Telemetry_schema, call_arg(call, S("device_id")), &sample));
    return call_reply(call, &sample);
}

static const Route routes[] = {
    {.method = GET,
     .path = "/v1/devices/{device_id}/telemetry",
     .access = MAY_READ,
     .out = &Telemetry_schema,
     .id = "telemetry_show",
     .doc = "Latest measurements of a device",
     .handler = telemetry_show},
};
const RouteTable telemetry_routes = ROUTE_TABLE(routes);
