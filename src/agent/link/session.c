// SPDX-License-Identifier: Apache-2.0
#include "agent/link/session.h"

Err session_challenge(Server *server, Arena *arena, Challenge *ret_challenge, Reason *reason) {
    return server_post(
        server, AGENT_CHALLENGE_PATH, NULL, NULL, &Challenge_schema, arena, ret_challenge, reason);
}

Err session_enrol(Server *server,
                  const Identity *identity,
                  const SessionWish *wish,
                  Arena *arena,
                  Enrolled *ret_enrolled,
                  Reason *reason) {
    Challenge challenge;
    TRY(session_challenge(server, arena, &challenge, reason));
    EnrolInput input = {
        .secret = wish->secret,
        .public_key = identity_public_key(identity, arena),
        .name = wish->name,
        .facts = wish->facts,
        .agent_version = S(MUSTER_VERSION),
        .abilities = ability_words(arena),
    };
    Proof claims = {
        .aud = challenge.audience,
        .use = PROOF_ENROL,
        .nonce = challenge.nonce,
        .about = sha256_hex(arena, wish->secret),
    };
    TRY(identity_prove(identity, &claims, arena, &input.proof));
    return server_post(server,
                       AGENT_ENROL_PATH,
                       &EnrolInput_schema,
                       &input,
                       &Enrolled_schema,
                       arena,
                       ret_enrolled,
                       reason);
}

Err session_hello(const SessionMember *member,
                  const Keyring *ring,
                  const Challenge *challenge,
                  Bytes binding,
                  Arena *arena,
                  Hello *ret_hello) {
    if (!id_eq(&challenge->audience, &member->installation))
        return FAIL(ERR_FORBIDDEN, "the server is of another installation than this device");
    Hello hello = {
        .device_id = member->device_id,
        .epoch = member->epoch,
        .agent_version = S(MUSTER_VERSION),
        .abilities = ability_words(arena),
    };
    Proof claims = {
        .aud = challenge->audience,
        .use = PROOF_HELLO,
        .nonce = challenge->nonce,
        .sub = member->device_id,
        .binding = binding,
    };
    const Identity *next = keyring_offered(ring);
    if (next) {
        Proof rotate = claims;
        rotate.use = PROOF_ROTATE;
        rotate.about = claims.about = hello.next_key.public_key = identity_public_key(next, arena);
        TRY(identity_prove(next, &rotate, arena, &hello.next_key.proof));
    }
    TRY(identity_prove(keyring_by(ring), &claims, arena, &hello.proof));
    TRY(arena_check(arena));
    *ret_hello = hello;
    return SUCCESS;
}
