// SPDX-License-Identifier: Apache-2.0
/// How a device joins, for device_agent_api.c's table.
#pragma once

#include "http/route.h"

/// POST /v1/agent/enrol: EnrolInput -> Enrolled.
Err device_enrol(Call *call);
