// SPDX-License-Identifier: Apache-2.0
/// How long to wait before the next try: doubling, capped, jittered.
///
/// A fleet whose server comes back must not come back all at once: each wait is a random point in
/// the upper half of its span. What the server asks for (Retry-After) is the least, never the most.
#pragma once

#include <stdint.h>

typedef struct Backoff {
    uint64_t first_ms; ///< span of the first wait
    uint64_t max_ms;   ///< longest span
    uint64_t random;   ///< state of the generator; seed it differently on each device
    uint32_t tries;    ///< failures in a row
} Backoff;

/// The wait after one more failure, in ms. `least_ms`: what the other side asked for, 0 = nothing.
uint64_t backoff_next(Backoff *backoff, uint64_t least_ms);
/// It worked: the next failure waits for the first span again.
void backoff_reset(Backoff *backoff);
/// A random number in 0..span, from the same generator: for the jitter of regular timers.
uint64_t backoff_jitter(Backoff *backoff, uint64_t span);
