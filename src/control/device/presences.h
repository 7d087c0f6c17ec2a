// SPDX-License-Identifier: Apache-2.0
/// Which device has which channel, and when it was last heard of, in memory.
#pragma once

#include "base/id.h"

typedef struct Presences Presences;

/// Nobody is there. ERR_MEMORY: no memory.
Err presences_open(Presences **ret_presences);
/// NULL-safe; returns NULL.
Presences *presences_close(Presences *presences);
/// Where the talk with a device stands: it was told everything. Zero: it may not have been.
typedef struct Settled {
    uint64_t moment;     ///< presences_moment, before that was read
    uint64_t generation; ///< of the desired state that it holds
    uint64_t rev;        ///< of its row
} Settled;
/// What is known of a device that is here.
typedef struct PresenceHere {
    uint64_t channel; ///< 0: it is not
    uint64_t heard_ms;
    Settled settled; ///< zero also where there has been news since
    uint64_t held;   ///< generation at which it was settled last
} PresenceHere;

/// The device's channel is open now, and it was heard of. `*ret_replaced`: the one it had before,
/// 0 = none; the caller ends it. ERR_MEMORY: no memory, nothing changed. Thread-safe, as all below.
Err presences_set(Presences *presences,
                  const Id *device_id,
                  PresenceHere here,
                  uint64_t *ret_replaced);
/// It was heard of again by this channel. What is known of it; zero, and nothing is done, if the
/// device has another one by now.
PresenceHere
presences_heard(Presences *presences, const Id *device_id, uint64_t channel, uint64_t heard_ms);
/// Everything that was to be told by this channel has been; nothing if the device has another one.
void presences_settle(Presences *presences, const Id *device_id, uint64_t channel, Settled settled);
/// Now, as Settled.moment counts it; not 0.
uint64_t presences_moment(const Presences *presences);
/// There may be something to tell to any of them: none is settled any more.
void presences_news(Presences *presences);
/// The channel is gone. What was known of it; zero, and nothing is done, if the device has another
/// one by now.
PresenceHere presences_clear(Presences *presences, const Id *device_id, uint64_t channel);
/// What is known of the device.
PresenceHere presences_here(Presences *presences, const Id *device_id);
