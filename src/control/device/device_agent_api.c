// SPDX-License-Identifier: Apache-2.0
#include "control/device/device_agent_api.h"

#include "control/call.h"
#include "control/device/hello.h"
#include "db/tx.h"

Err agent_challenge(Call *call) {
    const App *app = app_of(call);
    Challenge challenge = {
        .now = {call->now_ms},
        .audience = app->installation,
    };
    TRY(challenge_make(&app->key, (ChallengeFor){}, call->now_ms, call->arena, &challenge.nonce));
    return call_reply(call, &challenge);
}

/// Each poll says hello: there is no connection that would remember the one before.
Err agent_sync(Call *call) {
    const SyncUp *up = call->in;
    const App *app = app_of(call);
    if (id_is_absent(&up->hello.device_id))
        return call_refuse(call, S("/hello"), "must be given: an object");
    Device device;
    SyncDown down = {};
    TRY(call_see_all(call));
    tx_patient(call->tx);
    call->yields = true; // a key that another has taken since then
    TRY(hello_judge(app,
                    call->tx,
                    call->arena,
                    &up->hello,
                    &(ProofWanted){},
                    call->now_ms,
                    &device,
                    &down.refused));
    if (down.refused.code.ptr) return call_reply(call, &down);
    TRY(call_see(call, &device.org_id));
    TRY(hello_answer(app, call->tx, call->arena, &device, up, SYNC_BY_POLL, call->now_ms, &down));
    return call_reply(call, &down);
}
