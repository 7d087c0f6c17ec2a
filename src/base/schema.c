// SPDX-License-Identifier: Apache-2.0
#include "base/schema_parts.h"

#define INT53_MAX INT64_C(9007199254740991)

const Field *schema_field(const Schema *schema, Str name) {
    for (size_t i = 0; i < schema->count; i++)
        if (str_eq(schema->fields[i].name, name)) return &schema->fields[i];
    return NULL;
}

const Field *schema_flagged(const Schema *schema, uint32_t flags) {
    for (size_t i = 0; i < schema->count; i++)
        if ((schema->fields[i].flags & flags) == flags) return &schema->fields[i];
    return NULL;
}

const Field *schema_name_field(const Schema *schema) {
    const Field *name = schema_field(schema, S("name"));
    for (size_t i = 0; !name && i < schema->count; i++) {
        const Field *field = &schema->fields[i];
        if (field->kind == KIND_STR && (field->flags & UNIQUE) && !(field->flags & HIDDEN))
            name = field;
    }
    return name;
}

bool field_is_stored(const Field *field) {
    return !(field->flags & (WRITE_ONLY | COMPUTED | UNSTORED));
}

bool field_is_accepted(const Field *field, DecodeMode mode) {
    static const uint32_t refused[] = {
        [DECODE_INPUT] = READ_ONLY | COMPUTED | HIDDEN,
        [DECODE_PATCH] = READ_ONLY | COMPUTED | HIDDEN | IMMUTABLE,
        [DECODE_PEER] = READ_ONLY | COMPUTED | HIDDEN,
        [DECODE_REPLY] = WRITE_ONLY | HIDDEN,
        [DECODE_STORED] = WRITE_ONLY | COMPUTED | UNSTORED,
    };
    return !(field->flags & refused[mode]);
}

bool field_is_written(const Field *field, EncodeMode mode) {
    static const uint32_t left_out[] = {
        [ENCODE_REPLY] = WRITE_ONLY | HIDDEN,
        [ENCODE_REQUEST] = READ_ONLY | COMPUTED | HIDDEN,
        [ENCODE_STORED] = WRITE_ONLY | COMPUTED | UNSTORED,
    };
    return !(field->flags & left_out[mode]);
}

Range field_range(const Field *field) {
    static const Range defaults[] = {
        [KIND_U64] = {0,          INT53_MAX      },
        [KIND_I64] = {-INT53_MAX, INT53_MAX      },
        [KIND_DOUBLE] = {0,          INT53_MAX      },
        [KIND_STR] = {0,          FIELD_STR_MAX  },
        [KIND_DURATION] = {0,          INT53_MAX      },
        [KIND_BYTES] = {0,          FIELD_BYTES_MAX},
        [KIND_JSON] = {0,          FIELD_JSON_MAX },
        [KIND_STRS] = {0,          FIELD_ITEMS_MAX},
        [KIND_MAP] = {0,          FIELD_ITEMS_MAX},
        [KIND_RECORDS] = {0,          FIELD_ITEMS_MAX},
    };
    Range range = defaults[field->kind];
    if (field->min || field->max) range.min = field->min;
    if (field->max) range.max = field->max;
    bool is_text = field->kind == KIND_STR || field->kind == KIND_BYTES;
    if (is_text && (field->flags & REQUIRED) && range.min < 1) range.min = 1;
    return range;
}

Range field_item_range(const Field *field) {
    return (Range){0, field->item_max ? field->item_max : FIELD_STR_MAX};
}

size_t field_size(const Field *field) {
    static const size_t sizes[] = {
        [KIND_BOOL] = sizeof(bool),
        [KIND_U64] = sizeof(uint64_t),
        [KIND_I64] = sizeof(int64_t),
        [KIND_DOUBLE] = sizeof(double),
        [KIND_ENUM] = sizeof(unsigned),
        [KIND_STR] = sizeof(Str),
        [KIND_ID] = sizeof(Id),
        [KIND_TIME] = sizeof(Time),
        [KIND_DURATION] = sizeof(Duration),
        [KIND_BYTES] = sizeof(Bytes),
        [KIND_JSON] = sizeof(Json),
        [KIND_STRS] = sizeof(StrList),
        [KIND_MAP] = sizeof(StrMap),
        [KIND_RECORDS] = sizeof(Records),
    };
    return field->kind == KIND_RECORD ? field->record->size : sizes[field->kind];
}

bool field_is_always_present(const Field *field) {
    static const bool always[KIND_RECORDS + 1] = {
        [KIND_BOOL] = true,
        [KIND_U64] = true,
        [KIND_I64] = true,
        [KIND_DOUBLE] = true,
        [KIND_ENUM] = true,
        [KIND_DURATION] = true,
    };
    return always[field->kind];
}

bool field_is_scalar(const Field *field) {
    return field->kind <= KIND_BYTES;
}

static bool schema_is_zero(const void *member, size_t size) {
    const unsigned char *bytes = member;
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != 0) return false;
    return true;
}

/// A list or record that is written though it is empty.
static bool schema_field_is_kept(const Field *field) {
    return (field->flags & REQUIRED) && !(field->flags & UNSTORED);
}

bool field_is_absent(const Field *field, const void *member) {
    if (field_is_always_present(field)) return false;
    switch (field->kind) {
    case KIND_STRS:
    case KIND_MAP:
    case KIND_RECORDS: // all begin with a pointer, then the count
        return !schema_field_is_kept(field) && ((const Records *)member)->items == NULL;
    case KIND_RECORD:
        return !schema_field_is_kept(field) && schema_is_zero(member, field->record->size);
    case KIND_STR:
    case KIND_BYTES:
        return ((const Str *)member)->ptr == NULL;
    case KIND_JSON:
        return ((const Json *)member)->text.len == 0;
    case KIND_BOOL:
    case KIND_U64:
    case KIND_I64:
    case KIND_DOUBLE:
    case KIND_ENUM:
    case KIND_ID:
    case KIND_TIME:
    case KIND_DURATION:
        break;
    }
    return schema_is_zero(member, field->kind == KIND_ID ? 1 : field_size(field));
}

_Static_assert(sizeof(StrList) == sizeof(Records) && sizeof(StrMap) == sizeof(Records)
                   && offsetof(StrList, count) == offsetof(Records, count)
                   && offsetof(StrMap, count) == offsetof(Records, count)
                   && offsetof(Bytes, ptr) == offsetof(Str, ptr),
               "lists share one layout, and so do text and bytes");
