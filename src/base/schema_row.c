// SPDX-License-Identifier: Apache-2.0
/// Members to database columns and back. What a column cannot hold as it is becomes JSON text.
#include "base/schema_parts.h"
#include "base/scope.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { COLUMN_TEXT_MAX = 16 * 1024 * 1024 };

static Value row_number(int64_t value) {
    return (Value){.kind = VALUE_I64, .i64 = value};
}

static Value row_text(Str value) {
    return (Value){.kind = VALUE_TEXT, .text = value};
}

static Value row_to_bool(const Field *, const void *member) {
    return row_number(*(const bool *)member);
}

/// uint64_t, int64_t, and the milliseconds of Time and Duration.
static Value row_to_i64(const Field *, const void *member) {
    return row_number(*(const int64_t *)member);
}

static Value row_to_double(const Field *, const void *member) {
    return (Value){.kind = VALUE_DOUBLE, .real = *(const double *)member};
}

static Value row_to_enum(const Field *field, const void *member) {
    unsigned value = *(const unsigned *)member;
    assert(value < field->names->count);
    return row_text(str_from(field->names->items[value]));
}

/// Str and Json.
static Value row_to_text(const Field *, const void *member) {
    return row_text(*(const Str *)member);
}

static Value row_to_id(const Field *, const void *member) {
    return row_text(id_str(member));
}

static Value row_to_blob(const Field *, const void *member) {
    const Bytes *bytes = member;
    return (Value){
        .kind = VALUE_BLOB, .text = {(const char *)bytes->ptr, bytes->len}
    };
}

static Err row_to_json(const Field *field, const void *member, Arena *arena, Value *ret_value) {
    SCOPED(text_done) Text out;
    text_init(&out, COLUMN_TEXT_MAX);
    field_encode(field, member, ENCODE_STORED, &out);
    TRY(text_check(&out));
    Str copy = str_dup(arena, text_str(&out));
    if (!copy.ptr) return arena_check(arena);
    *ret_value = row_text(copy);
    return SUCCESS;
}

Err field_to_value(const Field *field, const void *record, Arena *arena, Value *ret_value) {
    typedef Value (*ToValue)(const Field *field, const void *member);
    static const ToValue converters[KIND_RECORDS + 1] = {
        [KIND_BOOL] = row_to_bool,
        [KIND_U64] = row_to_i64,
        [KIND_I64] = row_to_i64,
        [KIND_DOUBLE] = row_to_double,
        [KIND_ENUM] = row_to_enum,
        [KIND_STR] = row_to_text,
        [KIND_ID] = row_to_id,
        [KIND_TIME] = row_to_i64,
        [KIND_DURATION] = row_to_i64,
        [KIND_BYTES] = row_to_blob,
        [KIND_JSON] = row_to_text,
    };
    const void *member = field_in(field, record);
    ToValue convert = converters[field->kind];
    if (field_is_absent(field, member)) {
        *ret_value = (Value){.kind = VALUE_NULL};
        return SUCCESS;
    }
    if (!convert) return row_to_json(field, member, arena, ret_value);
    *ret_value = convert(field, member);
    return SUCCESS;
}

static bool row_from_bool(const Field *, Value value, Arena *, void *member) {
    if (value.kind != VALUE_I64 || (value.i64 != 0 && value.i64 != 1)) return false;
    *(bool *)member = value.i64 == 1;
    return true;
}

/// uint64_t and Duration.
static bool row_from_u64(const Field *, Value value, Arena *, void *member) {
    if (value.kind != VALUE_I64 || value.i64 < 0) return false;
    *(uint64_t *)member = (uint64_t)value.i64;
    return true;
}

static bool row_from_i64(const Field *, Value value, Arena *, void *member) {
    if (value.kind != VALUE_I64) return false;
    *(int64_t *)member = value.i64;
    return true;
}

/// Some engines hand a whole real back as an integer.
static bool row_from_double(const Field *, Value value, Arena *, void *member) {
    if (value.kind == VALUE_I64) value = (Value){.kind = VALUE_DOUBLE, .real = (double)value.i64};
    if (value.kind != VALUE_DOUBLE || !isfinite(value.real)) return false;
    *(double *)member = value.real + 0.0; // no -0
    return true;
}

static bool row_from_time(const Field *, Value value, Arena *, void *member) {
    if (value.kind != VALUE_I64 || value.i64 < 0 || (uint64_t)value.i64 > TIME_MAX_MS) return false;
    ((Time *)member)->ms = (uint64_t)value.i64;
    return true;
}

/// Scalars whose column is their text: enum, id, text.
static bool row_from_text(const Field *field, Value value, Arena *arena, void *member) {
    if (value.kind != VALUE_TEXT) return false;
    if (!value.text.ptr) value.text = S(""); // an empty text is not an absent one
    Decoder decoder = {.mode = DECODE_STORED, .arena = arena};
    return field_parse(&decoder, field, value.text, member);
}

/// We wrote the document, so it is not parsed again.
static bool row_from_json_text(const Field *, Value value, Arena *arena, void *member) {
    if (value.kind != VALUE_TEXT) return false;
    ((Json *)member)->text = str_dup(arena, value.text);
    return true;
}

static bool row_from_blob(const Field *, Value value, Arena *arena, void *member) {
    if (value.kind != VALUE_BLOB) return false;
    Str copy = str_dup(arena, value.text.ptr ? value.text : S(""));
    *(Bytes *)member = (Bytes){(const uint8_t *)copy.ptr, copy.len};
    return true;
}

/// Lists, maps and nested records.
static bool row_from_json(const Field *field, Value value, Arena *arena, void *member) {
    if (value.kind != VALUE_TEXT) return false;
    Faults faults;
    faults_init(&faults, arena);
    SCOPED(json_drop) json_t *tree = NULL;
    Err err = json_read(value.text, &faults, &tree);
    if (err.code == ERR_MEMORY) arena_fail(arena, ERR_MEMORY);
    if (err.code != OK) return false;
    Decoder decoder = {.mode = DECODE_STORED, .arena = arena, .faults = &faults};
    field_decode(&decoder, NULL, field, tree, member);
    return faults_check(&faults).code == OK;
}

Err field_from_value(const Field *field, Value value, Arena *arena, void *record) {
    typedef bool (*FromValue)(const Field *field, Value value, Arena *arena, void *member);
    static const FromValue converters[] = {
        [KIND_BOOL] = row_from_bool,
        [KIND_U64] = row_from_u64,
        [KIND_I64] = row_from_i64,
        [KIND_DOUBLE] = row_from_double,
        [KIND_ENUM] = row_from_text,
        [KIND_STR] = row_from_text,
        [KIND_ID] = row_from_text,
        [KIND_TIME] = row_from_time,
        [KIND_DURATION] = row_from_u64,
        [KIND_BYTES] = row_from_blob,
        [KIND_JSON] = row_from_json_text,
        [KIND_STRS] = row_from_json,
        [KIND_MAP] = row_from_json,
        [KIND_RECORD] = row_from_json,
        [KIND_RECORDS] = row_from_json,
    };
    void *member = field_of(field, record);
    if (value.kind == VALUE_NULL && !field_is_always_present(field)) {
        memset(member, 0, field_size(field));
        return SUCCESS;
    }
    bool fits = converters[field->kind](field, value, arena, member);
    TRY(arena_check(arena));
    return fits ? SUCCESS : FAIL(ERR_INVALID, "a stored value is not what its field can be");
}
