// SPDX-License-Identifier: Apache-2.0
#include "io/race.h"

#include <stdlib.h>

enum { PAUSE_DOUBLINGS = 6 };
_Static_assert(1 << PAUSE_DOUBLINGS == RACE_PAUSE_MAX_MS, "the longest pause is the last doubling");

bool race_again(Race *race, Err err, uint32_t *ret_pause_ms) {
    race->tries++;
    if (err.code != ERR_CONFLICT || race->tries >= RACE_TRIES_MAX) return false;
    uint32_t doublings = race->tries - 1 < PAUSE_DOUBLINGS ? race->tries - 1 : PAUSE_DOUBLINGS;
    *ret_pause_ms = arc4random_uniform((1U << doublings) + 1);
    return true;
}
