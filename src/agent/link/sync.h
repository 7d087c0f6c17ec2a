// SPDX-License-Identifier: Apache-2.0
/// The device's half of the sync exchange (wire/agent.h), without a connection.
///
/// Only what changed is sent, and it is sent again until it is acknowledged: a part of a message is
/// settled when an ack reaches the number it went out with, and unsent again when the connection is
/// lost before that. One message is under way at a time, so a slow server slows its devices down.
#pragma once

#include "agent/workload/workload.h"

enum { SYNC_ARENA_MAX = 1024 * 1024, SYNC_HEARTBEAT_MS = 30'000 };

/// Something that the server is told when it changes.
typedef struct SyncPart {
    Arena arena; ///< holds its texts
    bool is_known;
    uint64_t sent_seq; ///< it went out with this message; 0: not since it changed
    bool is_acked;
} SyncPart;

typedef struct Sync {
    uint64_t seq;          ///< of the last message
    bool is_waiting;       ///< for the answer to it
    uint64_t heartbeat_ms; ///< the server's wish
    uint64_t held_version; ///< of the desired state that is kept
    SyncPart facts_part;
    Facts facts;
    SyncPart reported_part;
    Reported reported;
    uint64_t refused_version; ///< newer than held, but not fit to act on; 0: none
    Id refused_release;
    Reason refused_why;
} Sync;

/// What a message of the server means.
typedef struct SyncNews {
    bool is_newer; ///< `desired` is newer than what is held, and fit to act on: keep it, then
                   ///< sync_held
    Desired desired;
    Manifest manifest;
} SyncNews;

/// Nothing said yet. `held_version`: of the desired state on disk, 0 = none.
void sync_init(Sync *sync, uint64_t held_version);
/// Free. Fits SCOPED.
void sync_done(Sync *sync);
/// What the device is; told if it differs from before. ERR_LIMIT: too large.
Err sync_facts(Sync *sync, const Facts *facts);
/// How far the device is; told if it differs from before. ERR_LIMIT: too large.
Err sync_reported(Sync *sync, const Reported *reported);
/// There is something to tell, and nothing under way.
bool sync_is_due(const Sync *sync);
/// Append the next message: what is unsent, and `telemetry` unless NULL.
void sync_up(Sync *sync, const Telemetry *telemetry, Text *out);
/// Read a message of the server. Texts of the news live in `arena`. A desired state that is older
/// or the same is passed over; one that is newer but not fit is remembered and reported.
/// ERR_INVALID: no SyncDown, or it acknowledges what was not sent: end the connection.
/// ERR_LIMIT: arena exhausted.
Err sync_down(Sync *sync, Str message, Arena *arena, SyncNews *ret_news);
/// The desired state `version` is kept on disk.
void sync_held(Sync *sync, uint64_t version);
/// The connection is gone: what was not acknowledged is unsent again.
void sync_lost(Sync *sync);
