// SPDX-License-Identifier: Apache-2.0
#include "control/fleet/fleet.h"

uint64_t fleet_next_version(uint64_t previous, uint64_t now_ms) {
    return now_ms > previous ? now_ms : previous + 1;
}
