// SPDX-License-Identifier: Apache-2.0
#include "io/race.h"

#include <stdlib.h>
#include <unistd.h>

enum { US_PER_MS = 1000, PAUSE_DOUBLINGS = 6 };
_Static_assert(1 << PAUSE_DOUBLINGS == RACE_PAUSE_MAX_MS, "the longest pause is the last doubling");

bool race_again(Race *race, Err err) {
    race->tries++;
    if (err.code != ERR_CONFLICT || race->tries >= RACE_TRIES_MAX) return false;
    uint32_t doublings = race->tries - 1 < PAUSE_DOUBLINGS ? race->tries - 1 : PAUSE_DOUBLINGS;
    (void)usleep(arc4random_uniform((1U << doublings) * US_PER_MS));
    return true;
}
