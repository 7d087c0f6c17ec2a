// SPDX-License-Identifier: Apache-2.0
/// Handlers of what devices call, for device_api.c's table (docs/protocol.md).
#pragma once

#include "api/agent.h"
#include "http/route.h"

/// POST /v1/agent/challenge: -> Challenge.
Err agent_challenge(Call *call);
/// POST /v1/agent/sync: SyncUp -> SyncDown.
Err agent_sync(Call *call);
