// SPDX-License-Identifier: Apache-2.0
/// The running control plane: what main wires and every handler may reach by its Call.
#pragma once

#include "base/clock.h"
#include "base/jws.h"
#include "control/config.h"
#include "http/route.h"
#include "wire/agent.h"

#include <stdatomic.h>

typedef struct AccessCache AccessCache;
typedef struct Db Db;
typedef struct Feed Feed;
typedef struct Gateway Gateway;
typedef struct LoginGate LoginGate;
typedef struct Presences Presences;
typedef struct Sealer Sealer;
typedef struct WorkerPool WorkerPool;

/// Which threads run a call (Route.pool): what one kind of caller does keeps none of another kind
/// waiting.
typedef enum Pool {
    POOL_OPERATORS, ///< the API
    POOL_DEVICES,   ///< what devices say, by channel or poll, and how they join
    POOL_LONG,      ///< what takes seconds, at a low priority
    POOL_LOGINS,    ///< passwords: each takes memory and a while
    POOL_COUNT,
    POOL_NONE =
        POOL_COUNT, ///< a network thread: what only computes, for less than a hand-over takes
} Pool;

typedef struct App {
    Config config;
    Clock clock;
    Id installation; ///< audience of what devices sign
    JwsKey key;      ///< signs access tokens and checkpoints; its seed is the root of other keys
    Servers servers; ///< what devices are told
    Str authority;   ///< of enrolment tokens: fingerprint, "public", or absent
    Db *db;
    Sealer *sealer;                    ///< moves what changes leave behind into the journal
    Feed *feed;                        ///< streams of events
    AccessCache *access_cache;         ///< tokens that were verified
    LoginGate *login_gate;             ///< slows guessing down
    Presences *presences;              ///< which device has which channel
    Id node;                           ///< this process (control/device/node.h)
    uint64_t started_ms;               ///< when it started
    atomic_bool is_stopping;           ///< channels that end now end because it does
    WorkerPool *pools[POOL_COUNT + 1]; ///< run calls; NULL at POOL_NONE
    WorkerPool *pushers; ///< tells devices of news; apart, so that calls never wait for it
    Gateway *gateway;    ///< holds the channels; NULL where there is none (tests)
} App;

/// The App behind a call.
static inline App *app_of(const Call *call) {
    return call->app;
}
