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
        if (field->kind == FIELD_STR && (field->flags & UNIQUE) && !(field->flags & HIDDEN))
            name = field;
    }
    return name;
}

bool field_is_stored(const Field *field) {
    return !(field->flags & (WRITE_ONLY | COMPUTED));
}

bool field_is_accepted(const Field *field, DecodeMode mode) {
    static const uint32_t refused[] = {
        [DECODE_INPUT] = READ_ONLY | COMPUTED | HIDDEN,
        [DECODE_PATCH] = READ_ONLY | COMPUTED | HIDDEN | IMMUTABLE,
        [DECODE_REPLY] = WRITE_ONLY | HIDDEN,
        [DECODE_STORED] = WRITE_ONLY | COMPUTED,
    };
    return !(field->flags & refused[mode]);
}

bool field_is_written(const Field *field, EncodeMode mode) {
    static const uint32_t left_out[] = {
        [ENCODE_REPLY] = WRITE_ONLY | HIDDEN,
        [ENCODE_REQUEST] = READ_ONLY | COMPUTED | HIDDEN,
        [ENCODE_STORED] = WRITE_ONLY | COMPUTED,
    };
    return !(field->flags & left_out[mode]);
}

bool field_is_viewed(const Field *field, SchemaView view) {
    static const DecodeMode modes[] = {
        [VIEW_REPLY] = DECODE_REPLY,
        [VIEW_INPUT] = DECODE_INPUT,
        [VIEW_PATCH] = DECODE_PATCH,
    };
    return field_is_accepted(field, modes[view]);
}

Range field_range(const Field *field) {
    static const Range defaults[] = {
        [FIELD_U64] = {0,          INT53_MAX      },
        [FIELD_I64] = {-INT53_MAX, INT53_MAX      },
        [FIELD_DOUBLE] = {INT64_MIN,  INT64_MAX      },
        [FIELD_STR] = {0,          FIELD_STR_MAX  },
        [FIELD_DURATION] = {0,          INT53_MAX      },
        [FIELD_BYTES] = {0,          FIELD_BYTES_MAX},
        [FIELD_JSON] = {0,          FIELD_JSON_MAX },
        [FIELD_STRS] = {0,          FIELD_ITEMS_MAX},
        [FIELD_MAP] = {0,          FIELD_ITEMS_MAX},
        [FIELD_RECORDS] = {0,          FIELD_ITEMS_MAX},
    };
    Range range = defaults[field->kind];
    if (field->min || field->max) range.min = field->min;
    if (field->max) range.max = field->max;
    bool is_text = field->kind == FIELD_STR || field->kind == FIELD_BYTES;
    if (is_text && (field->flags & REQUIRED) && range.min < 1) range.min = 1;
    return range;
}

Range field_item_range(const Field *field) {
    return (Range){0, field->item_max ? field->item_max : FIELD_STR_MAX};
}

size_t field_size(const Field *field) {
    static const size_t sizes[] = {
        [FIELD_BOOL] = sizeof(bool),
        [FIELD_U64] = sizeof(uint64_t),
        [FIELD_I64] = sizeof(int64_t),
        [FIELD_DOUBLE] = sizeof(double),
        [FIELD_ENUM] = sizeof(unsigned),
        [FIELD_STR] = sizeof(Str),
        [FIELD_ID] = sizeof(Id),
        [FIELD_TIME] = sizeof(Time),
        [FIELD_DURATION] = sizeof(Duration),
        [FIELD_BYTES] = sizeof(Bytes),
        [FIELD_JSON] = sizeof(Json),
        [FIELD_STRS] = sizeof(StrList),
        [FIELD_MAP] = sizeof(StrMap),
        [FIELD_RECORDS] = sizeof(Records),
    };
    return field->kind == FIELD_RECORD ? field->record->size : sizes[field->kind];
}

bool field_is_always_present(const Field *field) {
    static const bool always[FIELD_RECORDS + 1] = {
        [FIELD_BOOL] = true,
        [FIELD_U64] = true,
        [FIELD_I64] = true,
        [FIELD_DOUBLE] = true,
        [FIELD_ENUM] = true,
        [FIELD_DURATION] = true,
    };
    return always[field->kind];
}

bool field_is_scalar(const Field *field) {
    return field->kind <= FIELD_BYTES;
}

static bool is_zero(const void *member, size_t size) {
    const unsigned char *bytes = member;
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != 0) return false;
    return true;
}

bool field_is_absent(const Field *field, const void *member) {
    if (field_is_always_present(field)) return false;
    switch (field->kind) {
    case FIELD_STRS:
    case FIELD_MAP:
    case FIELD_RECORDS: // all begin with a pointer, then the count
        return !(field->flags & REQUIRED) && ((const Records *)member)->count == 0;
    case FIELD_RECORD:
        return !(field->flags & REQUIRED) && is_zero(member, field->record->size);
    case FIELD_STR:
    case FIELD_BYTES:
        return ((const Str *)member)->ptr == NULL;
    case FIELD_JSON:
        return ((const Json *)member)->text.len == 0;
    case FIELD_BOOL:
    case FIELD_U64:
    case FIELD_I64:
    case FIELD_DOUBLE:
    case FIELD_ENUM:
    case FIELD_ID:
    case FIELD_TIME:
    case FIELD_DURATION:
        break;
    }
    return is_zero(member, field->kind == FIELD_ID ? 1 : field_size(field));
}

_Static_assert(sizeof(StrList) == sizeof(Records) && sizeof(StrMap) == sizeof(Records)
                   && offsetof(StrList, count) == offsetof(Records, count)
                   && offsetof(StrMap, count) == offsetof(Records, count)
                   && offsetof(Bytes, ptr) == offsetof(Str, ptr),
               "lists share one layout, and so do text and bytes");
