// SPDX-License-Identifier: Apache-2.0
#include "api/agent.h"

#include "wire/agent.h"

// clang-format off
const Endpoint Agent_challenge = {
    POST, AGENT_CHALLENGE_PATH, "agent", "challenge",
    "Something fresh for a device to sign, and the time", .out = &Challenge_schema};
const Endpoint Agent_enrol = {
    POST, AGENT_ENROL_PATH, "agent", "enrol", "Join a fleet with an enrolment token and a proved key",
    .in = &EnrolInput_schema, .peer = true, .out = &Enrolled_schema};
const Endpoint Agent_sync = {
    POST, AGENT_SYNC_PATH, "agent", "sync", "One exchange without a channel",
    .in = &SyncUp_schema, .peer = true, .out = &SyncDown_schema, .body_max = SYNC_UP_MAX};
// clang-format on
