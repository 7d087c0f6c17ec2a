// SPDX-License-Identifier: Apache-2.0
#include "fault_plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MINUTE_MS = 60'000, MS_PER_S = 1000, VALUE_TEXT_MAX = 15 };

static const struct {
    const char *name;
    double max;
    bool is_chance; ///< else a whole number from 1 on
} kinds[FAULT_KIND_COUNT] = {
    [FAULT_DROP] = {"drop",    1,      true },
    [FAULT_SILENT] = {"silent",  1,      true },
    [FAULT_GARBAGE] = {"garbage", 1,      true },
    [FAULT_FAIL] = {"fail",    1,      true },
    [FAULT_SLOW] = {"slow",    60'000, false},
    [FAULT_FLAP] = {"flap",    86'400, false},
};

static Err fault_plan_value(Str text, double *ret_value) {
    char copy[VALUE_TEXT_MAX + 1] = {};
    if (text.len == 0 || text.len > VALUE_TEXT_MAX)
        return FAIL(ERR_INVALID, "a fault needs a number behind =");
    memcpy(copy, text.ptr, text.len);
    char *end;
    double value = strtod(copy, &end);
    if (*end || strspn(copy, "0123456789.") != text.len)
        return FAIL(ERR_INVALID, "a fault needs a number behind =");
    *ret_value = value;
    return SUCCESS;
}

Err fault_plan_add(FaultPlan *plan, Str text) {
    Str name;
    Str rest = text;
    (void)str_cut(&rest, '=', &name);
    for (size_t kind = 0; kind < FAULT_KIND_COUNT; kind++) {
        if (!str_eq(name, str_from(kinds[kind].name))) continue;
        double value;
        TRY(fault_plan_value(rest, &value));
        bool is_whole = value >= 1 && value == floor(value);
        if (value > kinds[kind].max || (!kinds[kind].is_chance && !is_whole))
            return FAIL(ERR_INVALID, "the fault's number is not within its bounds");
        plan->value[kind] = value;
        return SUCCESS;
    }
    return FAIL(ERR_INVALID, "no such fault: drop, silent, slow, garbage, fail, flap");
}

bool fault_plan_is_of_connections(const FaultPlan *plan) {
    return plan->value[FAULT_DROP] > 0 || plan->value[FAULT_SILENT] > 0
           || plan->value[FAULT_GARBAGE] > 0 || plan->value[FAULT_SLOW] > 0;
}

/// splitmix64 over what makes the moment.
static uint64_t fault_plan_random(const FaultPlan *plan, FaultKind kind, uint64_t a, uint64_t b) {
    uint64_t mixed = plan->seed;
    for (size_t i = 0; i < 3; i++) {
        mixed += 0x9e37'79b9'7f4a'7c15 + (const uint64_t[]){kind, a, b}[i];
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58'476d'1ce4'e5b9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d0'49bb'1331'11eb;
        mixed ^= mixed >> 31;
    }
    return mixed;
}

static bool fault_plan_happens(const FaultPlan *plan, FaultKind kind, uint64_t random) {
    return (double)(random >> 11) * 0x1p-53 < plan->value[kind];
}

/// Each device at its own moments of the period, so that they do not all flap at once.
static bool
fault_plan_flaps(const FaultPlan *plan, uint64_t device, uint64_t from, uint64_t until) {
    uint64_t period_ms = (uint64_t)plan->value[FAULT_FLAP] * MS_PER_S;
    if (period_ms == 0) return false;
    uint64_t phase_ms = fault_plan_random(plan, FAULT_FLAP, device, 0) % period_ms;
    uint64_t first = from + period_ms - 1 - phase_ms, end = until + period_ms - 1 - phase_ms;
    return first / period_ms != end / period_ms;
}

bool fault_plan_strikes(
    const FaultPlan *plan, FaultKind kind, uint64_t device, uint64_t from_ms, uint64_t until_ms) {
    if (kind == FAULT_FLAP) return fault_plan_flaps(plan, device, from_ms, until_ms);
    if (plan->value[kind] <= 0) return false;
    for (uint64_t minute = from_ms / MINUTE_MS; minute * MINUTE_MS < until_ms; minute++) {
        uint64_t random = fault_plan_random(plan, kind, device, minute);
        uint64_t at_ms = minute * MINUTE_MS + (random & 0x7ff) * MINUTE_MS / 0x800;
        if (at_ms >= from_ms && at_ms < until_ms && fault_plan_happens(plan, kind, random))
            return true;
    }
    return false;
}

bool fault_plan_fails(const FaultPlan *plan, uint64_t device, uint64_t version) {
    return fault_plan_happens(
        plan, FAULT_FAIL, fault_plan_random(plan, FAULT_FAIL, device, version));
}
