// SPDX-License-Identifier: Apache-2.0
/// Which device has which channel, and when it was last heard of, in memory.
#pragma once

#include "base/id.h"

typedef struct Presences Presences;

/// Nobody is there. ERR_MEMORY: no memory.
Err presences_open(Presences **ret_presences);
/// NULL-safe; returns NULL.
Presences *presences_close(Presences *presences);
/// What is known of a device that is here.
typedef struct PresenceHere {
    uint64_t channel; ///< 0: it is not
    uint64_t heard_ms;
} PresenceHere;

/// The device's channel is open now, and it was heard of. `*ret_replaced`: the one it had before,
/// 0 = none; the caller ends it. ERR_MEMORY: no memory, nothing changed. Thread-safe, as all below.
Err presences_set(Presences *presences,
                  const Id *device_id,
                  PresenceHere here,
                  uint64_t *ret_replaced);
/// It was heard of again by this channel; does nothing if it has another one by now.
void presences_heard(Presences *presences, const Id *device_id, PresenceHere here);
/// The channel is gone. What was known of it; zero, and nothing is done, if the device has another
/// one by now.
PresenceHere presences_clear(Presences *presences, const Id *device_id, uint64_t channel);
/// What is known of the device.
PresenceHere presences_here(Presences *presences, const Id *device_id);
