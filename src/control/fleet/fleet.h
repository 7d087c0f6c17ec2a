// SPDX-License-Identifier: Apache-2.0
/// Fleets: devices that run the same release.
#pragma once

#include "api/fleet.h"
#include "control/slice.h"

typedef struct Tx Tx;

/// The generation of a desired state that replaces `previous`: the time, but always greater than
/// what was (a hybrid clock). So generations of different fleets compare, and never go back.
uint64_t fleet_next_generation(uint64_t previous, uint64_t now_ms);
/// The fleet with this id. ERR_NOT_FOUND.
Err fleet_get(Tx *tx, const Id *id, Fleet *ret_fleet);
/// Collect in `tx` that a device comes into the fleet (`by` is 1) or leaves it (-1). Whoever makes,
/// moves or removes a device does it in the same commit; so a fleet that is deleted has none. At
/// commit ERR_NOT_FOUND: the fleet is gone.
Err fleet_count(Tx *tx, const Id *id, int by);

extern const Slice fleet_slice;
