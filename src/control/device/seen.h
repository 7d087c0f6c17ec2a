// SPDX-License-Identifier: Apache-2.0
/// When a device was last heard of.
///
/// While a node holds its channel that is in the node's memory (control/device/presences.h), and a
/// heartbeat writes nothing. What is stored is the change: which node has the channel, and since
/// when nobody has it. Of a node that was killed the last minute is what its row says
/// (control/device/node.h). Each change leaves an event: `device.online`, `device.offline`,
/// `device.state`.
#pragma once

#include "control/device/device.h"
#include "control/device/node.h"

typedef struct Seen {
    Presence presence;
    Time at; ///< absent: never
} Seen;

enum { NODE_SILENT_MS = 180'000 }; ///< a node that says nothing for so long is dead

/// How present a device is whose last word, without a channel, is so old. `last_seen`: absent if
/// never. `heartbeat_ms`: how often it should say something; late after one and a half, offline
/// after three.
Presence seen_presence(Time last_seen, uint64_t heartbeat_ms, uint64_t now_ms);
/// What is shown of a device with this last word. `node`: the row of the status's node_id; zero
/// where it has none. Of a device that another process had it is unknown for three heartbeats
/// after this one started: it may be on its way here.
Seen seen_of(const App *app, const DeviceStatus *status, const Node *node, uint64_t now_ms);
/// Collect the event that the status of `device` became another one, if it did.
Err seen_note(Tx *tx,
              Arena *arena,
              const Device *device,
              const DeviceStatus *before,
              const DeviceStatus *after,
              uint64_t now_ms);
/// Collect that nobody has the channel of this device any more, which was last heard of at
/// `heard_ms`; nothing where it has come back or is no more. `tx` is of the device's organisation.
Err seen_leave(const App *app, Tx *tx, Arena *arena, const Id *device_id, uint64_t heard_ms);
/// Slice.tidy: this process is alive, and the devices of one that is dead have gone.
Err seen_tidy(App *app, Tx *tx, uint64_t now_ms, bool *ret_more);
