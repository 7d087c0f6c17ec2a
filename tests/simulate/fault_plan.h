// SPDX-License-Identifier: Apache-2.0
/// What goes wrong with simulated devices, and when: decided by seed, device and time alone, so
/// that a run can be repeated.
#pragma once

#include "base/str.h"

/// Each with its parameter in `--fault NAME=VALUE`.
typedef enum FaultKind {
    FAULT_DROP,    ///< its connection is cut without a word; chance a minute
    FAULT_SILENT,  ///< it stops answering without closing, for a while; chance a minute
    FAULT_GARBAGE, ///< it sends bytes that are no message; chance a minute
    FAULT_FAIL,    ///< its workload fails instead of running; chance a deployment
    FAULT_SLOW,    ///< it reads no oftener than each so many ms
    FAULT_FLAP,    ///< it leaves and comes back each so many seconds
    FAULT_KIND_COUNT,
} FaultKind;

typedef struct FaultPlan {
    uint64_t seed;
    double value[FAULT_KIND_COUNT]; ///< 0: it does not happen
} FaultPlan;

/// Take in "drop=0.1". ERR_INVALID: no such fault, or a value that makes no sense.
Err fault_plan_add(FaultPlan *plan, Str text);
/// One of the faults is of connections: drop, silent, garbage or slow.
bool fault_plan_is_of_connections(const FaultPlan *plan);
/// The fault, of a minute or flap, befalls the device at a moment of from_ms..until_ms, without the
/// end. Times are since the start.
bool fault_plan_strikes(
    const FaultPlan *plan, FaultKind kind, uint64_t device, uint64_t from_ms, uint64_t until_ms);
/// The device's workload fails at this version of its desired state.
bool fault_plan_fails(const FaultPlan *plan, uint64_t device, uint64_t version);
