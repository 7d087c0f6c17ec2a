// SPDX-License-Identifier: Apache-2.0
/// Which device has which channel, in memory.
#pragma once

#include "base/id.h"

typedef struct Presences Presences;

/// Nobody is there. ERR_MEMORY: no memory.
Err presences_open(Presences **ret_presences);
/// NULL-safe; returns NULL.
Presences *presences_close(Presences *presences);
/// The device's channel is open now. `*ret_replaced`: the one it had before, 0 = none; the caller
/// ends it. ERR_MEMORY: no memory, nothing changed. Thread-safe, as all below.
Err presences_set(Presences *presences,
                  const Id *device_id,
                  uint64_t channel,
                  uint64_t *ret_replaced);
/// The channel is gone; does nothing if the device has another one by now.
void presences_clear(Presences *presences, const Id *device_id, uint64_t channel);
/// The device's channel; 0 = none.
uint64_t presences_channel(Presences *presences, const Id *device_id);
