// SPDX-License-Identifier: Apache-2.0
#include "agent/link/session.h"

static Err challenge_get(Server *server, Arena *arena, Challenge *ret_challenge, Reason *reason) {
    return server_post(server,
                       AGENT_CHALLENGE_PATH,
                       (Str){},
                       NULL,
                       NULL,
                       &Challenge_schema,
                       arena,
                       ret_challenge,
                       reason);
}

Err session_enrol(Server *server,
                  const Identity *identity,
                  Str token,
                  Str name,
                  const Facts *facts,
                  Arena *arena,
                  Enrolled *ret_enrolled,
                  Reason *reason) {
    Challenge challenge;
    TRY(challenge_get(server, arena, &challenge, reason));
    EnrolInput input = {
        .token = token,
        .public_key = identity_public_key(identity, arena),
        .name = name,
        .facts = *facts,
    };
    TRY(identity_enrol_proof(identity, &challenge, token, arena, &input.proof));
    return server_post(server,
                       AGENT_ENROL_PATH,
                       (Str){},
                       &EnrolInput_schema,
                       &input,
                       &Enrolled_schema,
                       arena,
                       ret_enrolled,
                       reason);
}

Err session_token(Server *server,
                  const Identity *identity,
                  const Id *device_id,
                  Arena *arena,
                  DeviceTokenReply *ret_token,
                  Reason *reason) {
    Challenge challenge;
    TRY(challenge_get(server, arena, &challenge, reason));
    AssertionInput input = {.grant_type = S(ASSERTION_GRANT)};
    TRY(identity_assertion(identity, device_id, &challenge, arena, &input.assertion));
    return server_post(server,
                       AGENT_TOKEN_PATH,
                       (Str){},
                       &AssertionInput_schema,
                       &input,
                       &DeviceTokenReply_schema,
                       arena,
                       ret_token,
                       reason);
}
