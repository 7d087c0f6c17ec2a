// SPDX-License-Identifier: Apache-2.0
#include "agent/link/pace.h"

enum {
    PACE_FIRST_MS = 1000,
    PACE_RETRY_MAX_MS = 120'000,
    PACE_CHANGE_MAX_MS = 3'600'000, ///< whoever is not wanted asks seldom
    PACE_NEVER_MS = 4 * 3'600'000,
    PACE_REPLACED_MS = 300'000, ///< and up to three times as long
    PACE_AWAY_MIN_MS = 1000,
    PACE_AWAY_MAX_MS = 5000,
    PACE_NEXT_MS = 500,        ///< to the next server: spread a little, for a whole fleet may come
    PACE_ASKED_MAX_S = 86'400, ///< no answer sends a device away for ever
    PACE_MS_PER_S = 1000,
};

void pace_init(Pace *pace, size_t count, uint64_t seed) {
    *pace = (Pace){
        .backoff = {PACE_FIRST_MS, PACE_RETRY_MAX_MS, .random = seed},
        .count = count,
    };
}

static uint64_t pace_between(Pace *pace, uint64_t min_ms, uint64_t max_ms) {
    return min_ms + backoff_jitter(&pace->backoff, max_ms - min_ms);
}

static uint64_t pace_back_off(Pace *pace, uint64_t max_ms, uint64_t retry_after_s) {
    pace->backoff.max_ms = max_ms;
    if (retry_after_s > PACE_ASKED_MAX_S) retry_after_s = PACE_ASKED_MAX_S;
    return backoff_next(&pace->backoff, retry_after_s * PACE_MS_PER_S);
}

static uint64_t pace_failed(Pace *pace, const TieEnd *end) {
    if (!end->was_open && pace->at + 1 < pace->count) {
        pace->at++;
        return pace_between(pace, 0, PACE_NEXT_MS);
    }
    pace->at = 0;
    return pace_back_off(pace, PACE_RETRY_MAX_MS, end->retry_after_s);
}

static uint64_t pace_refused(Pace *pace, const TieEnd *end) {
    if (end->class == REFUSAL_NEVER) return pace_between(pace, PACE_NEVER_MS, 2 * PACE_NEVER_MS);
    if (end->class == REFUSAL_CHANGE)
        return pace_back_off(pace, PACE_CHANGE_MAX_MS, end->retry_after_s);
    pace->at = (pace->at + 1) % pace->count;
    return pace_back_off(pace, PACE_RETRY_MAX_MS, end->retry_after_s);
}

uint64_t pace_next(Pace *pace, const TieEnd *end) {
    switch (end->kind) {
    case TIE_FAILED:
        return pace_failed(pace, end);
    case TIE_REFUSED:
        return pace_refused(pace, end);
    case TIE_REPLACED: // whoever has copied the device may be gone again soon
        return pace_between(pace, PACE_REPLACED_MS, 3 * PACE_REPLACED_MS);
    case TIE_AWAY:
        pace->at = 0;
        break;
    case TIE_RENEWED:
        break;
    }
    return pace_between(pace, PACE_AWAY_MIN_MS, PACE_AWAY_MAX_MS);
}

void pace_open(Pace *pace) {
    backoff_reset(&pace->backoff);
}
