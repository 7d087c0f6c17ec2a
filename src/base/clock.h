// SPDX-License-Identifier: Apache-2.0
/// Time as it is kept and written: Unix milliseconds, RFC 3339 in UTC, durations as "1h30m".
///
/// Nothing in the domain reads a clock: it is given `now_ms`. Only `main` and the edges own a
/// `Clock`; tests and simulations pass one of their own.
#pragma once

#include "base/str.h"

/// An instant: Unix time in milliseconds. 0 is "absent". In JSON: RFC 3339, UTC, milliseconds.
typedef struct Time {
    uint64_t ms;
} Time;

/// A span of time in milliseconds. In JSON and config: "250ms", "30s", "1h30m", "7d".
typedef struct Duration {
    uint64_t ms;
} Duration;

enum {
    TIME_TEXT_LEN = 24,     ///< "2026-11-24T10:56:17.123Z"
    DURATION_TEXT_MAX = 40, ///< longest text of a Duration, with NUL
};

/// Where the time comes from.
typedef struct Clock {
    uint64_t (*now_ms)(void *ctx); ///< Unix time, ms
    void *ctx;
} Clock;

/// The operating system's wall clock.
Clock clock_system(void);
/// The clock's Unix time in milliseconds.
uint64_t clock_now_ms(const Clock *clock);
/// CLOCK_MONOTONIC in milliseconds, for deadlines and intervals.
uint64_t clock_monotonic_ms(void);
/// RFC 3339 text of `time`, NUL-terminated. Years 1970 to 9999.
void time_format(Time time, char ret_text[TIME_TEXT_LEN + 1]);
/// Parse RFC 3339 (any offset, any fraction; cut to milliseconds; leap seconds clamp to :59).
/// What is before 1970 is 0. ERR_INVALID: another form, or after 9999.
Err time_parse(Str text, Time *ret_time);
/// Text of `duration` in its largest whole units, largest first: "1d2h", "0s".
void duration_format(Duration duration, char ret_text[DURATION_TEXT_MAX]);
/// Parse one or more `NUMBER UNIT` pairs, units d h m s ms. ERR_INVALID: another form or overflow.
Err duration_parse(Str text, Duration *ret_duration);
