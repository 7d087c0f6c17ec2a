// SPDX-License-Identifier: Apache-2.0
#include "db/condition.h"

Value value_bool(bool value) {
    return (Value){.kind = VALUE_I64, .i64 = value};
}

Value value_enum(unsigned value) {
    return (Value){.kind = VALUE_I64, .i64 = value};
}

Value value_u64(uint64_t value) {
    // Stored numbers are below 2^53: a larger one is above all of them, as this is.
    return (Value){.kind = VALUE_I64, .i64 = value > INT64_MAX ? INT64_MAX : (int64_t)value};
}

Value value_i64(int64_t value) {
    return (Value){.kind = VALUE_I64, .i64 = value};
}

Value value_str(Str value) {
    return (Value){.kind = value.ptr ? VALUE_TEXT : VALUE_NULL, .text = value};
}

Value value_id(const Id *value) {
    return value_str(id_str(value));
}

Value value_time(Time value) {
    return value.ms ? value_u64(value.ms) : (Value){.kind = VALUE_NULL};
}

Value value_duration(Duration value) {
    return value_u64(value.ms);
}
