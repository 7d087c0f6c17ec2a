// SPDX-License-Identifier: Apache-2.0
/// One field of a Schema, for those who make something else of a table: columns, OpenAPI, a
/// terminal's table, command-line options.
#pragma once

#include "base/schema.h"

/// Least and most of what `min` and `max` bound, the kind's defaults filled in. INT64_MIN and
/// INT64_MAX are "unbounded".
typedef struct Range {
    int64_t min;
    int64_t max;
} Range;

/// The bounds of the field, and of one item of its list or value of its map.
Range field_range(const Field *field);
Range field_item_range(const Field *field);
/// The kind has no absent value: bool, numbers, duration, enum.
bool field_is_always_present(const Field *field);
/// The member is absent: not in JSON, NULL in a row.
bool field_is_absent(const Field *field, const void *member);
/// The field takes part: in a decoding, an encoding, a row.
bool field_is_accepted(const Field *field, DecodeMode mode);
bool field_is_written(const Field *field, EncodeMode mode);
bool field_is_stored(const Field *field);
/// Append what the field may be, to complete "must be ...": "an integer from 1 to 64".
void field_allowed(const Field *field, Text *out);
/// Append a member as JSON.
void field_encode(const Field *field, const void *member, EncodeMode mode, Text *out);
/// Append the field's fallback as JSON.
void field_encode_fallback(const Field *field, Text *out);

/// What a database column holds.
typedef struct Value {
    enum { VALUE_NULL, VALUE_I64, VALUE_DOUBLE, VALUE_TEXT, VALUE_BLOB } kind;
    int64_t i64;
    double real;
    Str text; ///< of VALUE_TEXT and VALUE_BLOB
} Value;

/// The column value of a stored field; texts borrow from `record` or are made in `arena` (nested
/// records, lists and maps become JSON text). ERR_LIMIT: arena exhausted.
Err field_to_value(const Field *field, const void *record, Arena *arena, Value *ret_value);
/// Set the member from a column value, copying into `arena`. ERR_INVALID: the column holds
/// something that this field cannot be (a damaged or foreign row). ERR_LIMIT: arena exhausted.
Err field_from_value(const Field *field, Value value, Arena *arena, void *record);
