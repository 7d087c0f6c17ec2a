// SPDX-License-Identifier: Apache-2.0
/// The running control plane: what main wires and every handler may reach by its Call.
#pragma once

#include "base/clock.h"
#include "base/jws.h"
#include "control/config.h"
#include "http/route.h"
#include "wire/agent.h"

typedef struct Db Db;
typedef struct Gateway Gateway;
typedef struct LoginGate LoginGate;
typedef struct Presences Presences;
typedef struct Sealer Sealer;
typedef struct WorkerPool WorkerPool;

typedef struct App {
    Config config;
    Clock clock;
    Id installation; ///< audience of what devices sign
    JwsKey key;      ///< signs access tokens and checkpoints; its seed is the root of other keys
    Servers servers; ///< what devices are told
    Str authority;   ///< of enrolment tokens: fingerprint, "public", or absent
    Db *db;
    Sealer *sealer;        ///< moves what changes leave behind into the journal
    LoginGate *login_gate; ///< slows guessing down
    Presences *presences;  ///< which device has which channel
    uint64_t process;      ///< random: tells the connections of this process from another's
    WorkerPool *workers;   ///< runs calls
    WorkerPool *pushers;   ///< tells devices of news; apart, so that calls never wait for it
    Gateway *gateway;      ///< holds the channels; NULL where there is none (tests)
    uint16_t channel_port; ///< told to devices; 0: they poll
} App;

/// The App behind a call.
static inline App *app_of(const Call *call) {
    return call->app;
}
