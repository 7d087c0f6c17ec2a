// SPDX-License-Identifier: Apache-2.0
/// How a device joins and comes back: challenge and proof (wire/agent.h).
#pragma once

#include "agent/identity.h"
#include "agent/link/server.h"
#include "wire/agent.h"

/// Join with the enrolment token: the server now knows the identity. Repeated with the same
/// identity it gives the same answer. `name` may be absent. Errors as server_post.
Err session_enrol(Server *server,
                  const Identity *identity,
                  Str token,
                  Str name,
                  const Facts *facts,
                  Arena *arena,
                  Enrolled *ret_enrolled,
                  Reason *reason);
/// An access token for the device. Errors as server_post.
Err session_token(Server *server,
                  const Identity *identity,
                  const Id *device_id,
                  Arena *arena,
                  DeviceTokenReply *ret_token,
                  Reason *reason);
