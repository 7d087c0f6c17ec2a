// SPDX-License-Identifier: Apache-2.0
/// One device's tie to its server: a channel, or polls, taken up again for ever.
///
///     waiting --timer--> token --> open (channel or polling) --lost--> waiting, longer each time
///
/// Runs on a libevent loop's thread; many links may share one (a simulation does). Fetching a token
/// and a poll block it for the length of an exchange. A server that is away, or that denies the
/// device, changes nothing on the device.
#pragma once

#include "agent/link/session.h"
#include "agent/link/sync.h"

typedef struct Link Link;
struct event_base;

typedef struct LinkOptions {
    struct event_base *loop;
    Server *server;     ///< may be shared by links of one loop
    const char *source; ///< the channel goes out from this address of the machine; NULL: any
    const Identity *identity;
    Id device_id;
    Sync *sync;
    uint64_t
        poll_ms;   ///< poll so often; 0: hold a channel, or poll at the heartbeat if there is none
    uint64_t seed; ///< for the jitter
    /// Fill in the measurements for a heartbeat.
    void (*measure)(void *app, Telemetry *ret_telemetry);
    /// A newer desired state: keep it durably, then act on it. An error: it will come again.
    Err (*desired)(void *app, const SyncNews *news);
    /// The server has answered (true), or the tie is lost: `why`, and what was `said` about it.
    void (*changed)(void *app, bool is_open, Err why, const Reason *said);
    void *app;
} LinkOptions;

/// Begin, at once. ERR_MEMORY: out of memory.
Err link_open(const LinkOptions *options, Link **ret_link);
/// Say goodbye and free. NULL-safe; returns NULL.
Link *link_close(Link *link);
/// The sync has something to tell.
void link_poke(Link *link);
