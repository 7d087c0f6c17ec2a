// SPDX-License-Identifier: Apache-2.0
#include "agent/link/backoff.h"

#include <assert.h>

/// splitmix64: good enough to spread devices, and a test can replay it.
static uint64_t backoff_random(uint64_t *state) {
    uint64_t z = (*state += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

uint64_t backoff_jitter(Backoff *backoff, uint64_t span) {
    if (span == UINT64_MAX) return backoff_random(&backoff->random);
    return backoff_random(&backoff->random) % (span + 1);
}

uint64_t backoff_next(Backoff *backoff, uint64_t least_ms) {
    assert(backoff->first_ms > 0 && backoff->max_ms >= backoff->first_ms);
    uint64_t span = backoff->first_ms;
    for (uint32_t i = 0; i < backoff->tries && span < backoff->max_ms; i++)
        span = span <= backoff->max_ms / 2 ? span * 2 : backoff->max_ms;
    if (backoff->tries < UINT32_MAX) backoff->tries++;
    uint64_t wait = span - span / 2 + backoff_jitter(backoff, span / 2);
    // Everybody was asked for the same Retry-After, so the jitter comes on top of it.
    return wait >= least_ms ? wait : least_ms + backoff_jitter(backoff, span);
}

void backoff_reset(Backoff *backoff) {
    backoff->tries = 0;
}
