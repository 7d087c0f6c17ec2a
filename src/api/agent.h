// SPDX-License-Identifier: Apache-2.0
/// What devices call (wire/agent.h says how).
#pragma once

#include "base/endpoint.h"

extern const Endpoint Agent_challenge, Agent_enrol, Agent_sync;
