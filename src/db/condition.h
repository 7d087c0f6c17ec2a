// SPDX-License-Identifier: Apache-2.0
/// "This member is / is below / ... that": WHERE(Device, fleet_id, IS, &fleet->id).
///
/// A member is named to the compiler, not by a text: a wrong member, a value of another type,
/// BEGINS of a time, BELOW of a bool and a list of another type do not compile. What the compiler
/// cannot see, that the member has the flag that its use needs, the first use asserts.
#pragma once

#include "base/field.h"

/// How a member must be to meet a condition. Nothing meets a condition about an absent value, and
/// no condition is met by an absent member. Texts compare by their bytes.
typedef enum How {
    HOW_IS = 1,   ///< equal
    HOW_BELOW,    ///< less
    HOW_AT_LEAST, ///< equal or more
    HOW_BEGINS,   ///< a text that begins with it
    HOW_ONE_OF,   ///< equal to one of several
} How;

/// A member of a record: BY(Device, name).
typedef struct Member {
    const Schema *schema; ///< NULL: none
    size_t offset;
} Member;

/// Made by WHERE and WHERE_ONE_OF.
typedef struct Condition {
    Member member; ///< a KEY, SCOPE, UNIQUE, INDEXED or ORDERED one
    How how;
    Value value;       ///< of an enum: its number or its text
    const void *items; ///< of HOW_ONE_OF: an array of the member's type, borrowed
    size_t item_size;
    size_t count;
} Condition;

/// The value of a condition. Texts and ids are borrowed.
Value value_bool(bool value);
Value value_enum(unsigned value);
Value value_u64(uint64_t value);
Value value_i64(int64_t value);
Value value_str(Str value);
Value value_id(const Id *value);
Value value_time(Time value);
Value value_duration(Duration value);

// clang-format off
#define MEMBER_TYPE(type, name) __typeof__(((type *)0)->name)
#define AS_ORDERED uint64_t: value_u64, int64_t: value_i64, Str: value_str, Id: value_id,          \
                   Time: value_time, Duration: value_duration
#define AS_IS(x) _Generic((x), bool: value_bool, unsigned: value_enum, AS_ORDERED)
#define AS_BELOW(x) _Generic((x), AS_ORDERED)
#define AS_AT_LEAST(x) _Generic((x), AS_ORDERED)
#define AS_BEGINS(x) _Generic((x), Str: value_str, Id: value_str)
/// WHERE(Device, name, BEGINS, prefix); the value of an Id is a pointer to one, but a Str of BEGINS.
#define WHERE(type, name, means, v)                                                                \
    ((Condition){.member = {&type##_schema, offsetof(type, name)}, .how = HOW_##means,             \
                 .value = AS_##means(((type *)0)->name)(v)})
/// WHERE_ONE_OF(Device, fleet_id, ids, count)
#define WHERE_ONE_OF(type, name, array, n)                                                         \
    ((Condition){.member = {&type##_schema, offsetof(type, name)}, .how = HOW_ONE_OF,              \
                 .items = _Generic((array), MEMBER_TYPE(type, name) *: (array),                    \
                                   const MEMBER_TYPE(type, name) *: (array)),                      \
                 .item_size = sizeof(MEMBER_TYPE(type, name)), .count = (n)})
#define BY(type, name) ((Member){&type##_schema, offsetof(type, name)})
/// A whole number: COUNTER(Token, uses).
#define COUNTER(type, name)                                                                        \
    ((Member){&type##_schema,                                                                      \
              _Generic(((type *)0)->name, uint64_t: 0, int64_t: 0) + offsetof(type, name)})
/// MEMBERS(BY(Device, rotate_key), BY(Device, epoch)): some members of one record.
#define MEMBERS(...) ((const Member[]){__VA_ARGS__, {}})
// clang-format on
