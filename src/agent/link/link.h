// SPDX-License-Identifier: Apache-2.0
/// One device's tie to its installation: a channel, or polls, taken up again for ever.
///
///     waiting --timer--> challenge --> hello --accepted--> open --lost, refused--> waiting
///     (pace.h)
///
/// A list of servers that the installation sends is tried beside the one in force, by a second tie;
/// when hello is accepted there, that tie takes the place of the first. Runs on a libevent loop's
/// thread; many links may share one (a simulation does). A poll blocks it for the length of an
/// exchange. A server that is away, or that denies the device, changes nothing on the device.
#pragma once

#include "agent/link/server_set.h"
#include "agent/link/session.h"
#include "agent/link/sync.h"

typedef struct Link Link;
struct event_base;

/// What the owner of a link does; all run on the loop. NULL: what it would do is left undone, but
/// `measure`, `desired` and `changed` must be there.
typedef struct LinkHandlers {
    /// Fill in the measurements for a heartbeat, all zero before; leave them if they are no news.
    void (*measure)(void *app, Telemetry *ret_telemetry);
    /// A newer desired state: keep it durably, then act on it. An error: it is not held, and will
    /// come again with a later answer. Who keeps says himself why he could not.
    Err (*desired)(void *app, const Desired *desired);
    /// A list of servers to try: keep it beside the one in force.
    Err (*servers_try)(void *app, const Servers *servers);
    /// The list on trial is the one in force from now on (true), or is no good.
    void (*servers_done)(void *app, bool works);
    /// Make the key that is to replace the present one, and keep it beside it.
    Err (*key_make)(void *app, Identity *ret_next);
    /// The server knows the device by `identity`, the key that was made (true), or never will.
    void (*key_done)(void *app, const Identity *identity, bool works);
    /// The server has answered (true), or the tie is lost: `why`, and what was `said` about it. Not
    /// repeated for the same reason.
    void (*changed)(void *app, bool is_open, Err why, const Reason *said);
} LinkHandlers;

typedef struct LinkOptions {
    struct event_base *loop;
    const ServerSet *servers; ///< the list in force; borrowed
    const Servers *trial;     ///< a list on trial, borrowed for link_open; NULL: none
    SessionMember member;
    const Identity *identity;
    const Identity *next; ///< to replace it; NULL: none
    Sync *sync;
    const char *source; ///< connect from this address of the machine; NULL: any
    uint64_t poll_ms;   ///< poll so often; 0: hold a channel
    uint64_t trial_ms;  ///< between two rounds of a trial; 0: 10 s
    uint64_t seed;      ///< for the jitter
    LinkHandlers handlers;
    void *app;
} LinkOptions;

/// Begin, at once. ERR_MEMORY.
Err link_open(const LinkOptions *options, Link **ret_link);
/// Say goodbye and free. NULL-safe; returns NULL.
Link *link_close(Link *link);
/// The sync has something to tell.
void link_poke(Link *link);
