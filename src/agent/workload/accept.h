// SPDX-License-Identifier: Apache-2.0
/// Which applications of a desired state are acted on: each is judged alone, pure.
///
/// One that is refused (docs/protocol.md, section 6) does not keep the others from being acted on;
/// what it ran before goes on running: its entry of the former desired state stays in the place of
/// the refused one. The same holds for the policy.
#pragma once

#include "wire/agent.h"

/// An application that is not acted on.
typedef struct Refused {
    Str name;
    uint64_t serial;
    Id release_id;
    Refusal refusal;
} Refused;
typedef struct RefusedList {
    Refused *items;
    size_t count;
} RefusedList;

/// What the workload aims at.
typedef struct Aim {
    uint64_t generation; ///< that this is about
    Desired desired;     ///< what is acted on, and what is refused and has no former entry
    RefusedList refused; ///< in the order of their names
    Str policy_refused;  ///< why the policy is not the one that was asked for; absent: it is
} Aim;
extern const Schema Aim_schema;

/// Judge `wanted`, which has passed desired_check, in the light of what was held before (`former`
/// NULL: nothing). Texts are borrowed from both, and made in `arena`. `ret_aim->desired` is what is
/// to be kept: it says the former generation if an entry of the former is in it, so that a later
/// start asks for the refused one again, for that program may be newer. ERR_MEMORY: arena
/// exhausted.
Err aim_make(const Desired *wanted, const Desired *former, Arena *arena, Aim *ret_aim);
/// Nothing of what was asked for is refused.
bool aim_is_whole(const Aim *aim);
/// Why the application is not acted on as it was asked for; NULL: it is.
const Refused *aim_refused(const Aim *aim, Str name);
