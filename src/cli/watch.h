// SPDX-License-Identifier: Apache-2.0
/// How a deployment comes along, told from what the devices report. Pure: no clock, no network.
///
/// A device is done when it reports the release as running; away when it was never heard of or is
/// offline; failed when it says so (it keeps trying, so this may pass).
#pragma once

#include "api/device.h"

enum { WATCH_DEVICES_MAX = 10'000 };

typedef struct WatchSeen {
    Id device_id;
    uint64_t mark; ///< of the line that was printed last
} WatchSeen;

typedef struct Watch {
    Id release_id;
    WatchSeen *seen;
    size_t seen_count;
} Watch;

typedef struct WatchCounts {
    size_t devices;
    size_t done;
    size_t away;
    size_t failed;
    size_t pending; ///< the rest
} WatchCounts;

/// Watch for `release_id`; memory is taken from `arena`, which must live as long. ERR_LIMIT.
Err watch_init(Watch *watch, const Id *release_id, Arena *arena);
/// Look at all devices of the fleet: append a line for each whose state changed since the last
/// look, and count them. At most WATCH_DEVICES_MAX are remembered.
void watch_step(
    Watch *watch, const Device *devices, size_t count, Text *out, WatchCounts *ret_counts);
/// Append the end: a line that counts, and one for each device that is not done.
void watch_end(const Watch *watch, const Device *devices, size_t count, Text *out);
/// Nothing is left to wait for.
bool watch_is_over(const WatchCounts *counts, bool allow_away);
