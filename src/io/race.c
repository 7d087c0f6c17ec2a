// SPDX-License-Identifier: Apache-2.0
#include "io/race.h"

#include <stdlib.h>
#include <unistd.h>

enum { PAUSE_DOUBLINGS = 6, US_PER_MS = 1000 };
_Static_assert(1 << PAUSE_DOUBLINGS == RACE_PAUSE_MAX_MS, "the longest pause is the last doubling");

bool race_again(Race *race, Err err, uint32_t *ret_pause_ms) {
    race->tries++;
    if (err.code != ERR_CONFLICT || race->tries >= RACE_TRIES_MAX) return false;
    uint32_t doublings = race->tries - 1 < PAUSE_DOUBLINGS ? race->tries - 1 : PAUSE_DOUBLINGS;
    *ret_pause_ms = arc4random_uniform((1U << doublings) + 1);
    return true;
}

bool race_again_here(Race *race, Err err) {
    uint32_t pause_ms = 0;
    bool again = race_again(race, err, &pause_ms);
    if (again) (void)usleep(pause_ms * US_PER_MS);
    return again;
}
