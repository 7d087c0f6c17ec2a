// SPDX-License-Identifier: Apache-2.0
/// Telemetry: the latest measurements of each device (wire/device.h), as an operator sees them.
#pragma once

#include "base/endpoint.h"
#include "wire/device.h"

extern const Endpoint Telemetry_show;
