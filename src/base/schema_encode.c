// SPDX-License-Identifier: Apache-2.0
#include "base/schema_parts.h"
#include "base/scope.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

static void encode_bool(const Field *, const void *member, EncodeMode, Text *out) {
    text_add(out, *(const bool *)member ? S("true") : S("false"));
}

static void encode_u64(const Field *, const void *member, EncodeMode, Text *out) {
    text_add_u64(out, *(const uint64_t *)member);
}

static void encode_i64(const Field *, const void *member, EncodeMode, Text *out) {
    text_add_i64(out, *(const int64_t *)member);
}

static void encode_double(const Field *, const void *member, EncodeMode, Text *out) {
    json_write_double(*(const double *)member, out);
}

static void encode_enum(const Field *field, const void *member, EncodeMode, Text *out) {
    unsigned value = *(const unsigned *)member;
    assert(value < field->names->count);
    text_add_json(out, str_from(field->names->items[value]));
}

static void encode_str(const Field *, const void *member, EncodeMode, Text *out) {
    text_add_json(out, *(const Str *)member);
}

static void encode_id(const Field *, const void *member, EncodeMode, Text *out) {
    text_add_json(out, id_str(member));
}

static void encode_time(const Field *, const void *member, EncodeMode, Text *out) {
    char text[TIME_TEXT_LEN + 1];
    time_format(*(const Time *)member, text);
    text_add_json(out, str_from(text));
}

static void encode_duration(const Field *, const void *member, EncodeMode, Text *out) {
    char text[DURATION_TEXT_MAX];
    duration_format(*(const Duration *)member, text);
    text_add_json(out, str_from(text));
}

static void encode_bytes(const Field *, const void *member, EncodeMode, Text *out) {
    const Bytes *bytes = member;
    size_t size = sodium_base64_ENCODED_LEN(bytes->len, sodium_base64_VARIANT_ORIGINAL);
    SCOPED(mem_freep) char *text = malloc(size);
    if (!text) {
        out->failed = ERR_MEMORY;
        return;
    }
    sodium_bin2base64(text, size, bytes->ptr, bytes->len, sodium_base64_VARIANT_ORIGINAL);
    text_add_json(out, str_from(text));
}

static void encode_json(const Field *, const void *member, EncodeMode, Text *out) {
    text_add(out, ((const Json *)member)->text);
}

static void encode_strs(const Field *, const void *member, EncodeMode, Text *out) {
    const StrList *list = member;
    text_add_char(out, '[');
    for (size_t i = 0; i < list->count; i++) {
        if (i) text_add_char(out, ',');
        text_add_json(out, list->items[i]);
    }
    text_add_char(out, ']');
}

static void encode_map(const Field *, const void *member, EncodeMode, Text *out) {
    const StrMap *map = member;
    text_add_char(out, '{');
    for (size_t i = 0; i < map->count; i++) {
        if (i) text_add_char(out, ',');
        text_add_json(out, map->items[i].key);
        text_add_char(out, ':');
        text_add_json(out, map->items[i].value);
    }
    text_add_char(out, '}');
}

static void encode_record(const Field *field, const void *member, EncodeMode mode, Text *out) {
    schema_encode(field->record, member, mode, out);
}

static void encode_records(const Field *field, const void *member, EncodeMode mode, Text *out) {
    const Records *records = member;
    schema_encode_list(field->record, records->items, records->count, mode, out);
}

void field_encode(const Field *field, const void *member, EncodeMode mode, Text *out) {
    typedef void (*Encode)(const Field *field, const void *member, EncodeMode mode, Text *out);
    static const Encode encoders[] = {
        [KIND_BOOL] = encode_bool,
        [KIND_U64] = encode_u64,
        [KIND_I64] = encode_i64,
        [KIND_DOUBLE] = encode_double,
        [KIND_ENUM] = encode_enum,
        [KIND_STR] = encode_str,
        [KIND_ID] = encode_id,
        [KIND_TIME] = encode_time,
        [KIND_DURATION] = encode_duration,
        [KIND_BYTES] = encode_bytes,
        [KIND_JSON] = encode_json,
        [KIND_STRS] = encode_strs,
        [KIND_MAP] = encode_map,
        [KIND_RECORD] = encode_record,
        [KIND_RECORDS] = encode_records,
    };
    encoders[field->kind](field, member, mode, out);
}

void schema_encode(const Schema *schema, const void *record, EncodeMode mode, Text *out) {
    Str before = S("{\"");
    for (size_t i = 0; i < schema->count; i++) {
        const Field *field = &schema->fields[i];
        const void *member = field_in(field, record);
        if (!field_is_written(field, mode) || field_is_absent(field, member)) continue;
        text_add(out, before);
        text_add(out, field->name); // a C name needs no escape
        text_add(out, S("\":"));
        field_encode(field, member, mode, out);
        before = S(",\"");
    }
    text_add(out, before.ptr[0] == '{' ? S("{}") : S("}"));
}

void schema_encode_list(
    const Schema *schema, const void *items, size_t count, EncodeMode mode, Text *out) {
    text_add_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        if (i) text_add_char(out, ',');
        schema_encode(schema, (const char *)items + i * schema->size, mode, out);
    }
    text_add_char(out, ']');
}
