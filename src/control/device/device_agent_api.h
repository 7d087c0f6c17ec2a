// SPDX-License-Identifier: Apache-2.0
/// Handlers of what devices call, for device_api.c's table (wire/agent.h).
#pragma once

#include "api/agent.h"
#include "http/route.h"

/// POST /v1/agent/challenge: -> Challenge.
Err agent_challenge(Call *call);
/// POST /v1/agent/enrol: EnrolInput -> Enrolled.
Err agent_enrol(Call *call);
/// POST /v1/agent/token: AssertionInput -> DeviceTokenReply.
Err agent_token(Call *call);
/// POST /v1/agent/sync: SyncUp -> SyncDown.
Err agent_sync(Call *call);
