// SPDX-License-Identifier: Apache-2.0
/// One device that is not there.
#pragma once

#include "agent/link/link.h"
#include "share.h"
#include "spread.h"
#include "wire/token_text.h"

/// What the devices of a process share.
typedef struct SimulatedHost {
    const SimulateOptions *options;
    ShareCount *count;
    Arena arena; ///< of the token
    TokenText token;
    ServerSet *gate; ///< the token's server, where `server` leads
    Server *server;
    ServerSet *servers; ///< where the devices live, as the first one was told; NULL: not yet
    Text told;          ///< the same as JSON
    struct event_base *loop;
    uint64_t started_ms; ///< monotonic; when they were told to be in touch
} SimulatedHost;

typedef struct Simulated {
    SimulatedHost *host;
    uint64_t number; ///< of all devices of all processes
    Identity identity;
    SessionMember member; ///< device absent: could not be enrolled
    Sync sync;
    Link *link;
    struct event_base *loop;      ///< its own, if faults befall connections; NULL: the host's
    char source[SPREAD_TEXT_MAX]; ///< empty: any
    uint64_t turn_ms;             ///< when its own loop turns again
    bool has_news;                ///< of its first try to get in touch, good or bad
    uint64_t accounted;           ///< the generation that the server has its last account of
    uint64_t beats;               ///< messages that it began
    bool is_open;
} Simulated;

/// A device with an identity, unknown to the server.
void simulated_init(Simulated *device, SimulatedHost *host, uint64_t number);
/// Join, with patience; a failure is counted and logged.
void simulated_enrol(Simulated *device);
/// The server has its account of a generation, for the first time since this was asked last.
bool simulated_has_accounted(Simulated *device);
/// Get in touch, if it has joined. ERR_LIMIT: out of memory.
Err simulated_open(Simulated *device);
/// What befalls it in from_ms..until_ms, and a turn of its own loop; times are since the start.
Err simulated_beat(Simulated *device, uint64_t from_ms, uint64_t until_ms);
/// The connection of a loop that has one alone; -1: there is none.
int simulated_connection(struct event_base *loop);
/// Leave, and free what it holds.
void simulated_done(Simulated *device);
