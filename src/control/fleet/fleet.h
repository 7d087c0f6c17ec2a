// SPDX-License-Identifier: Apache-2.0
/// Fleets: devices that run the same release.
#pragma once

#include "http/router.h"
#include "wire/fleet.h"

/// The version of a desired state that replaces `previous`: the time, but always greater than what
/// was (a hybrid clock). So versions of different fleets compare, and never go back.
uint64_t fleet_next_version(uint64_t previous, uint64_t now_ms);

extern const RouteTable fleet_routes;
