// SPDX-License-Identifier: Apache-2.0
#include "api/telemetry.h"

const Endpoint Telemetry_show = {GET,
                                 "/v1/devices/{device_id}/telemetry",
                                 "telemetry",
                                 "show",
                                 "Latest measurements of a device",
                                 .out = &Telemetry_schema};
