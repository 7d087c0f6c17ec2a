// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

enum { MS_PER_S = 1000, S_PER_DAY = 86400, MINUTES_PER_DAY = 1440 };

static uint64_t clock_ms_of(clockid_t id) {
    struct timespec at;
    int rc = clock_gettime(id, &at);
    assert(rc == 0);
    return (uint64_t)at.tv_sec * MS_PER_S + (uint64_t)at.tv_nsec / 1'000'000;
}

static uint64_t clock_system_now_ms(void *ctx) {
    (void)ctx;
    return clock_ms_of(CLOCK_REALTIME);
}

Clock clock_system(void) {
    return (Clock){.now_ms = clock_system_now_ms};
}

uint64_t clock_now_ms(const Clock *clock) {
    return clock->now_ms(clock->ctx);
}

uint64_t clock_monotonic_ms(void) {
    return clock_ms_of(CLOCK_MONOTONIC);
}

/// Days since 1970-01-01 of a Gregorian date; years of 400-year eras start in March, so the leap
/// day is the last day of its year.
static int64_t clock_days_from_civil(int64_t year, unsigned month, unsigned day) {
    year -= month <= 2;
    int64_t era = year / 400; // years are never negative here
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year =
        (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + (int64_t)day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

/// A date's numbers.
typedef struct Civil {
    uint64_t year, month, day;
} Civil;

/// The date of so many days since 1970-01-01: the way back.
static Civil clock_civil_from_days(uint64_t days) {
    days += 719468;
    uint64_t day_of_era = days % 146097;
    uint64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint64_t from_march = (5 * day_of_year + 2) / 153;
    uint64_t month = from_march < 10 ? from_march + 3 : from_march - 9;
    return (Civil){
        .year = days / 146097 * 400 + year_of_era + (month <= 2),
        .month = month,
        .day = day_of_year - (153 * from_march + 2) / 5 + 1,
    };
}

/// `digits` decimal digits and what stands behind them. Gives the next place.
static char *clock_put(char *at, size_t digits, uint64_t value, char behind) {
    for (size_t i = digits; i-- > 0; value /= 10)
        at[i] = (char)('0' + value % 10);
    at[digits] = behind;
    return at + digits + 1;
}

void time_format(Time time, char ret_text[TIME_TEXT_LEN + 1]) {
    uint64_t seconds = time.ms / MS_PER_S;
    Civil date = clock_civil_from_days(seconds / S_PER_DAY);
    assert(date.year <= 9999);
    char *at = clock_put(ret_text, 4, date.year, '-');
    at = clock_put(at, 2, date.month, '-');
    at = clock_put(at, 2, date.day, 'T');
    at = clock_put(at, 2, seconds / 3600 % 24, ':');
    at = clock_put(at, 2, seconds / 60 % 60, ':');
    at = clock_put(at, 2, seconds % 60, '.');
    at = clock_put(at, 3, time.ms % MS_PER_S, 'Z');
    *at = '\0';
}

/// Exactly `digits` decimal digits at the front of `*rest`, which moves on.
static bool clock_take_digits(Str *rest, size_t digits, unsigned *ret_value) {
    uint64_t value;
    if (rest->len < digits || str_u64(str_slice(*rest, 0, digits), &value).code != OK) return false;
    *rest = str_slice(*rest, digits, rest->len);
    *ret_value = (unsigned)value;
    return true;
}

static bool clock_take_char(Str *rest, char c) {
    if (rest->len == 0 || rest->ptr[0] != c) return false;
    *rest = str_slice(*rest, 1, rest->len);
    return true;
}

/// ".fraction" in milliseconds; 0 when there is none.
static bool clock_take_fraction_ms(Str *rest, unsigned *ret_ms) {
    *ret_ms = 0;
    if (!clock_take_char(rest, '.')) return true;
    unsigned weight = 100;
    size_t digits = 0;
    while (digits < rest->len && rest->ptr[digits] >= '0' && rest->ptr[digits] <= '9') {
        *ret_ms += weight * (unsigned)(rest->ptr[digits++] - '0');
        weight /= 10;
    }
    *rest = str_slice(*rest, digits, rest->len);
    return digits > 0;
}

/// "Z" or "+hh:mm" or "-hh:mm", in minutes east of UTC.
static bool clock_take_offset(Str *rest, int64_t *ret_minutes) {
    *ret_minutes = 0;
    if (clock_take_char(rest, 'Z') || clock_take_char(rest, 'z')) return true;
    bool west = clock_take_char(rest, '-');
    unsigned hours;
    unsigned minutes;
    if (!west && !clock_take_char(rest, '+')) return false;
    if (!clock_take_digits(rest, 2, &hours) || !clock_take_char(rest, ':')) return false;
    if (!clock_take_digits(rest, 2, &minutes) || hours > 23 || minutes > 59) return false;
    int64_t east = (int64_t)hours * 60 + minutes;
    *ret_minutes = west ? -east : east;
    return true;
}

static unsigned clock_days_in_month(unsigned year, unsigned month) {
    static const unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

Err time_parse(Str text, Time *ret_time) {
    const Err bad = FAIL(ERR_INVALID, "a time is not RFC 3339, like 2026-01-31T12:00:00Z");
    unsigned year, month, day, hour, minute, second, ms;
    int64_t offset;
    Str rest = text;
    if (!clock_take_digits(&rest, 4, &year) || !clock_take_char(&rest, '-')) return bad;
    if (!clock_take_digits(&rest, 2, &month) || !clock_take_char(&rest, '-')) return bad;
    if (!clock_take_digits(&rest, 2, &day)) return bad;
    if (!clock_take_char(&rest, 'T') && !clock_take_char(&rest, 't')
        && !clock_take_char(&rest, ' '))
        return bad;
    if (!clock_take_digits(&rest, 2, &hour) || !clock_take_char(&rest, ':')) return bad;
    if (!clock_take_digits(&rest, 2, &minute) || !clock_take_char(&rest, ':')) return bad;
    if (!clock_take_digits(&rest, 2, &second) || !clock_take_fraction_ms(&rest, &ms)) return bad;
    if (!clock_take_offset(&rest, &offset) || rest.len != 0) return bad;
    if (month < 1 || month > 12 || day < 1) return bad;
    if (day > clock_days_in_month(year, month) || hour > 23 || minute > 59 || second > 60)
        return bad;
    if (second == 60) second = 59;
    int64_t minutes =
        clock_days_from_civil(year, month, day) * MINUTES_PER_DAY + hour * 60 + minute;
    minutes -= offset;
    if (minutes >= clock_days_from_civil(10000, 1, 1) * MINUTES_PER_DAY) return bad;
    ret_time->ms = minutes < 0 ? 0 : ((uint64_t)minutes * 60 + second) * MS_PER_S + ms;
    return SUCCESS;
}

static const struct {
    Str name;
    uint64_t ms;
} units[] = {
    {{"d", 1},  (uint64_t)S_PER_DAY *MS_PER_S},
    {{"h", 1},  3'600'000                    },
    {{"m", 1},  60'000                       },
    {{"s", 1},  MS_PER_S                     },
    {{"ms", 2}, 1                            },
};
enum { UNIT_COUNT = sizeof(units) / sizeof(units[0]) };

void duration_format(Duration duration, char ret_text[DURATION_TEXT_MAX]) {
    size_t len = 0;
    uint64_t left = duration.ms;
    for (size_t i = 0; i < UNIT_COUNT; i++) {
        uint64_t whole = left / units[i].ms;
        left %= units[i].ms;
        if (whole == 0) continue;
        len += (size_t)snprintf(ret_text + len,
                                DURATION_TEXT_MAX - len,
                                "%llu%.*s",
                                (unsigned long long)whole,
                                STR_FMT(units[i].name));
    }
    if (len == 0) snprintf(ret_text, DURATION_TEXT_MAX, "0s");
}

/// The unit at the front of `text`, which is what stands before the next digit.
static bool clock_unit_find(Str text, uint64_t *ret_ms) {
    for (size_t i = 0; i < UNIT_COUNT; i++) {
        if (!str_eq(text, units[i].name)) continue;
        *ret_ms = units[i].ms;
        return true;
    }
    return false;
}

Err duration_parse(Str text, Duration *ret_duration) {
    const Err bad = FAIL(ERR_INVALID, "a duration is not like 30s, 1h30m or 7d");
    if (text.len == 0) return bad;
    uint64_t sum = 0;
    for (size_t at = 0; at < text.len;) {
        size_t digits = at;
        while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9')
            digits++;
        size_t letters = digits;
        while (letters < text.len && (text.ptr[letters] < '0' || text.ptr[letters] > '9'))
            letters++;
        uint64_t count;
        uint64_t unit_ms;
        if (str_u64(str_slice(text, at, digits), &count).code != OK) return bad;
        if (!clock_unit_find(str_slice(text, digits, letters), &unit_ms)) return bad;
        if (count > (UINT64_MAX - sum) / unit_ms) return bad;
        sum += count * unit_ms;
        at = letters;
    }
    ret_duration->ms = sum;
    return SUCCESS;
}
