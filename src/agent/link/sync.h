// SPDX-License-Identifier: Apache-2.0
/// The device's half of the sync exchange (wire/agent.h), without a connection.
///
/// Only what changed is sent, and it is sent again until it is acknowledged: a part of a message is
/// settled when an ack reaches the number it went out with, and unsent again when the connection is
/// lost before that. One message is under way at a time, so a slow server slows its devices down.
#pragma once

#include "agent/notes.h"
#include "wire/agent.h"

enum {
    SYNC_HEARTBEAT_MS = 30'000,
    SYNC_HEARTBEAT_MIN_MS = 1000, ///< whatever the server says
};

/// Something that the server is told when it changes.
typedef struct SyncPart {
    Arena arena; ///< holds its texts
    bool is_known;
    uint64_t sent_seq; ///< it went out with this message; 0: not since it changed
    bool is_acked;
} SyncPart;

typedef struct Sync {
    uint64_t seq;          ///< of the last message on this connection
    bool is_waiting;       ///< for the answer to it
    uint64_t heartbeat_ms; ///< the server's wish
    uint64_t generation;   ///< of the desired state that is held
    uint64_t floor;        ///< a desired state must be above it
    Notes *notes;          ///< NULL: none
    size_t notes_told;     ///< so many of them are in the account that was sent last
    SyncPart facts_part;
    Facts facts;
    SyncPart reported_part;
    Reported reported;
} Sync;

/// Nothing said yet. `generation`: of the desired state that is held, 0 = none. `notes` is borrowed
/// and goes with the account; NULL: none.
void sync_init(Sync *sync, uint64_t generation, Notes *notes);
/// Free. Fits SCOPED.
void sync_done(Sync *sync);
/// What the device is; told if it differs from before. ERR_LIMIT: too large.
Err sync_facts(Sync *sync, const Facts *facts);
/// How far the device is; told if it differs from before. ERR_LIMIT: too large.
Err sync_reported(Sync *sync, const Reported *reported);
/// There is something to tell, and nothing under way.
bool sync_is_due(Sync *sync);

/// What a message has beside what is due; each may be NULL.
typedef struct SyncSaid {
    const Hello *hello; ///< the first message of a connection
    const Stamp *stamp;
    const Telemetry *telemetry;
} SyncSaid;

/// Write the next message into `out`, which is empty: `said`, and what is unsent. With hello, what
/// does not fit into a first message is left for the next. A report that does not fit into a
/// message at all loses services.
void sync_up(Sync *sync, const SyncSaid *said, Text *out);
/// Take a message of the server that hello was accepted for. `*ret_is_newer`: `down->desired` is
/// newer than what is held, and in itself in order: keep it, then sync_held. One that is out of
/// order is noted. ERR_INVALID: it acknowledges what was not sent: end the connection.
Err sync_down(Sync *sync, const SyncDown *down, bool *ret_is_newer);
/// This generation is held.
void sync_held(Sync *sync, uint64_t generation);
/// Ask once more for what is held; nothing older is taken.
void sync_ask_again(Sync *sync);
/// The connection is gone: what was not acknowledged is unsent again, and numbers begin anew.
void sync_lost(Sync *sync);
/// Whoever is there now may not know what was once acknowledged: a server that was restored, or is
/// newer than it was. Everything is unsent again.
void sync_tell_all(Sync *sync);
