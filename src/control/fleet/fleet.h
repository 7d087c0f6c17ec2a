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
/// The newest generation that one of its devices may hold.
uint64_t fleet_newest(const Fleet *fleet);
/// Require in `tx` that the fleet is there, as in `*ret_fleet`, when it commits. ERR_NOT_FOUND: it
/// is not.
Err fleet_expect(Tx *tx, const Id *id, Fleet *ret_fleet);
/// Collect that a device comes which may hold `generation`: what the fleet's devices are told next
/// is newer than that. ERR_NOT_FOUND: there is no such fleet.
Err fleet_enter(Tx *tx, const Id *id, uint64_t generation);

extern const Slice fleet_slice;
