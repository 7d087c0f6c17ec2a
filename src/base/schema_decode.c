// SPDX-License-Identifier: Apache-2.0
#include "base/schema_parts.h"
#include "base/scope.h"

#include <assert.h>
#include <string.h>

static void decode_members(
    Decoder *decoder, const Path *path, const Schema *schema, json_t *json, void *record);

static Str decode_str_of(json_t *json) {
    return (Str){json_string_value(json), json_string_length(json)};
}

static void
decode_bool(Decoder *decoder, const Path *path, const Field *field, json_t *json, void *member) {
    if (json_is_boolean(json)) {
        *(bool *)member = json_is_true(json);
    } else {
        decoder_refuse(decoder, path, field, "");
    }
}

static void
decode_u64(Decoder *decoder, const Path *path, const Field *field, json_t *json, void *member) {
    json_int_t value = json_integer_value(json);
    if (!json_is_integer(json) || value < 0
        || !field_set_u64(decoder, field, (uint64_t)value, member))
        decoder_refuse(decoder, path, field, "");
}

static void
decode_i64(Decoder *decoder, const Path *path, const Field *field, json_t *json, void *member) {
    if (!json_is_integer(json) || !field_set_i64(decoder, field, json_integer_value(json), member))
        decoder_refuse(decoder, path, field, "");
}

static void
decode_double(Decoder *decoder, const Path *path, const Field *field, json_t *json, void *member) {
    if (!json_is_number(json) || !field_set_double(decoder, field, json_number_value(json), member))
        decoder_refuse(decoder, path, field, "");
}

/// Every scalar that is a string in JSON.
static void
decode_text(Decoder *decoder, const Path *path, const Field *field, json_t *json, void *member) {
    if (!json_is_string(json) || !field_parse(decoder, field, decode_str_of(json), member))
        decoder_refuse(decoder, path, field, "");
}

static void
decode_json(Decoder *decoder, const Path *path, const Field *field, json_t *json, void *member) {
    Range range = field_range(field);
    SCOPED(text_done) Text text;
    text_init(&text, SIZE_MAX / 2); // it cannot grow much over what it was read from
    json_write(json, false, &text);
    bool fits = (int64_t)text.len >= range.min && (int64_t)text.len <= range.max;
    if (text.failed) {
        arena_fail(decoder->arena, text.failed);
    } else if (!fits && decoder_is_strict(decoder)) {
        decoder_refuse(decoder, path, field, "");
    } else {
        ((Json *)member)->text = str_dup(decoder->arena, text_str(&text));
    }
}

static void
decode_strs(Decoder *decoder, const Path *path, const Field *field, json_t *json, void *member) {
    size_t count = json_array_size(json);
    if (!json_is_array(json)) {
        decoder_refuse(decoder, path, field, "");
        return;
    }
    if (!field_count_fits(decoder, path, field, count)) return;
    Str *items = ARENA_ARRAY(decoder->arena, Str, count);
    if (!items) return;
    for (size_t i = 0; i < count; i++) {
        json_t *item = json_array_get(json, i);
        if (json_is_string(item) && field_item_fits(decoder, field, decode_str_of(item))) {
            items[i] = str_dup(decoder->arena, decode_str_of(item));
        } else {
            decoder_refuse_item(decoder, &(Path){.parent = path, .index = i}, field, false);
        }
    }
    *(StrList *)member = (StrList){items, count};
}

/// In a change: what the map has already and `json` does not name. Its end in `ret_items`.
static StrPair *decode_map_keep(const StrMap *map, json_t *json, StrPair *ret_items) {
    for (size_t i = 0; i < map->count; i++) {
        Str key = map->items[i].key;
        if (!json_object_getn(json, key.ptr, key.len)) *ret_items++ = map->items[i];
    }
    return ret_items;
}

static void
decode_map(Decoder *decoder, const Path *path, const Field *field, json_t *json, void *member) {
    if (!json_is_object(json)) {
        decoder_refuse(decoder, path, field, "");
        return;
    }
    bool is_change = decoder->mode == DECODE_PATCH;
    StrMap old = is_change ? *(StrMap *)member : (StrMap){};
    StrPair *items = ARENA_ARRAY(decoder->arena, StrPair, old.count + json_object_size(json));
    if (!items) return;
    StrPair *next = decode_map_keep(&old, json, items);
    for (void *it = json_object_iter(json); it; it = json_object_iter_next(json, it)) {
        Str key = str_from(json_object_iter_key(it));
        json_t *value = json_object_iter_value(it);
        if (is_change && json_is_null(value)) continue;
        Path at = {.parent = path, .name = key};
        bool key_fits = field_key_fits(decoder, field, key);
        bool value_fits =
            json_is_string(value) && field_item_fits(decoder, field, decode_str_of(value));
        if (!key_fits) decoder_refuse_item(decoder, &at, field, true);
        if (!value_fits) decoder_refuse_item(decoder, &at, field, false);
        if (!key_fits || !value_fits) continue;
        *next++ =
            (StrPair){str_dup(decoder->arena, key), str_dup(decoder->arena, decode_str_of(value))};
    }
    size_t count = (size_t)(next - items);
    if (field_count_fits(decoder, path, field, count)) *(StrMap *)member = (StrMap){items, count};
}

/// A nested record replaces the old one as a whole, also in a change.
static Decoder decode_whole(const Decoder *decoder) {
    Decoder nested = *decoder;
    if (nested.mode == DECODE_PATCH) nested.mode = DECODE_INPUT;
    return nested;
}

static void
decode_record(Decoder *decoder, const Path *path, const Field *field, json_t *json, void *member) {
    Decoder nested = decode_whole(decoder);
    decode_members(&nested, path, field->record, json, member);
}

/// Decode the items of `array` into a new array of records; nothing if the arena is exhausted.
static void decode_items(
    Decoder *decoder, const Path *path, const Schema *schema, json_t *array, Records *ret_records) {
    size_t count = json_array_size(array);
    char *items = arena_array(decoder->arena, count, schema->size, _Alignof(max_align_t));
    if (!items) return;
    for (size_t i = 0; i < count; i++)
        decode_members(decoder,
                       &(Path){.parent = path, .index = i},
                       schema,
                       json_array_get(array, i),
                       items + i * schema->size);
    *ret_records = (Records){items, count};
}

static void
decode_records(Decoder *decoder, const Path *path, const Field *field, json_t *json, void *member) {
    if (!json_is_array(json)) {
        decoder_refuse(decoder, path, field, "");
    } else if (field_count_fits(decoder, path, field, json_array_size(json))) {
        Decoder nested = decode_whole(decoder);
        decode_items(&nested, path, field->record, json, member);
    }
}

void field_decode(
    Decoder *decoder, const Path *path, const Field *field, json_t *json, void *member) {
    typedef void (*Decode)(
        Decoder * decoder, const Path *path, const Field *field, json_t *json, void *member);
    static const Decode decoders[] = {
        [KIND_BOOL] = decode_bool,
        [KIND_U64] = decode_u64,
        [KIND_I64] = decode_i64,
        [KIND_DOUBLE] = decode_double,
        [KIND_ENUM] = decode_text,
        [KIND_STR] = decode_text,
        [KIND_ID] = decode_text,
        [KIND_TIME] = decode_text,
        [KIND_DURATION] = decode_text,
        [KIND_BYTES] = decode_text,
        [KIND_JSON] = decode_json,
        [KIND_STRS] = decode_strs,
        [KIND_MAP] = decode_map,
        [KIND_RECORD] = decode_record,
        [KIND_RECORDS] = decode_records,
    };
    decoders[field->kind](decoder, path, field, json, member);
}

void field_missing(Decoder *decoder, const Path *path, const Field *field, void *member) {
    if (field->fallback) {
        bool allowed = field_parse(decoder, field, str_from(field->fallback), member);
        assert(allowed); // a fallback is part of the table
    } else if (field->flags & REQUIRED) {
        decoder_refuse(decoder, path, field, "given: ");
    }
}

/// null in a change: clear the field, if it can be.
static void
decode_member_clear(Decoder *decoder, const Path *path, const Field *field, void *member) {
    if ((field->flags & REQUIRED) || field_is_always_present(field)) {
        decoder_refuse(decoder, path, field, "");
        return;
    }
    memset(member, 0, field_size(field));
    field_missing(decoder, path, field, member);
}

static const char *decode_refusal(const Field *field) {
    if (!field || (field->flags & HIDDEN)) return "must not be given: there is no such field";
    if (field->flags & (READ_ONLY | COMPUTED)) return "must not be given: it is read-only";
    return "must not be given: it cannot be changed";
}

/// Faults for what the mode does not accept.
static void
decode_refuse_others(Decoder *decoder, const Path *path, const Schema *schema, json_t *json) {
    for (void *it = json_object_iter(json); it; it = json_object_iter_next(json, it)) {
        Path at = {.parent = path, .name = str_from(json_object_iter_key(it))};
        const Field *field = schema_field(schema, at.name);
        if (field && field_is_accepted(field, decoder->mode)) continue;
        decoder_fault(decoder, &at, "%s", decode_refusal(field));
    }
}

static void decode_members(
    Decoder *decoder, const Path *path, const Schema *schema, json_t *json, void *record) {
    if (!json_is_object(json)) {
        decoder_fault(decoder, path, "must be an object");
        return;
    }
    bool is_change = decoder->mode == DECODE_PATCH;
    if (!is_change) memset(record, 0, schema->size);
    if (schema->presence) *(bool *)((char *)record + schema->presence - 1) = true;
    if (decoder_is_strict(decoder) && !decoder_is_lenient(decoder))
        decode_refuse_others(decoder, path, schema, json);
    for (size_t i = 0; i < schema->count; i++) {
        const Field *field = &schema->fields[i];
        if (!field_is_accepted(field, decoder->mode)) continue;
        json_t *value = json_object_get(json, field->name.ptr);
        Path at = {.parent = path, .name = field->name};
        void *member = field_of(field, record);
        if (value && !json_is_null(value)) {
            field_decode(decoder, &at, field, value, member);
        } else if (is_change) {
            if (value) decode_member_clear(decoder, &at, field, member);
        } else if (decoder_is_strict(decoder)) {
            field_missing(decoder, &at, field, member);
        }
    }
}

Err schema_decode(
    const Schema *schema, Str json, DecodeMode mode, Arena *arena, Faults *faults, void *record) {
    SCOPED(json_drop) json_t *tree = NULL;
    TRY(json_read(json, faults, &tree));
    Decoder decoder = {.mode = mode, .arena = arena, .faults = faults};
    decode_members(&decoder, NULL, schema, tree, record);
    TRY(arena_check(arena));
    return faults_check(faults);
}

Err schema_read(
    const Schema *schema, Str json, DecodeMode mode, Arena *arena, void *record, Reason *reason) {
    Faults faults;
    faults_init(&faults, arena);
    Err err = schema_decode(schema, json, mode, arena, &faults, record);
    if (err.code != ERR_INVALID) return err;
    err.what = "a document is not what it should be";
    if (faults.count == 0) return err;
    const Fault *first = &faults.items[0];
    const char *blank = first->pointer.len ? " " : "";
    return reason_fail(
        reason, err, "%.*s%s%.*s", STR_FMT(first->pointer), blank, STR_FMT(first->allowed));
}

Err schema_decode_list(const Schema *schema,
                       Str json,
                       DecodeMode mode,
                       size_t max,
                       Arena *arena,
                       Faults *faults,
                       void **ret_items,
                       size_t *ret_count) {
    assert(mode != DECODE_PATCH);
    SCOPED(json_drop) json_t *tree = NULL;
    TRY(json_read(json, faults, &tree));
    if (!json_is_array(tree) || json_array_size(tree) > max) {
        faults_add(faults, S(""), "must be a list of at most %zu objects", max);
        return faults_check(faults);
    }
    Decoder decoder = {.mode = mode, .arena = arena, .faults = faults};
    Records records = {};
    decode_items(&decoder, NULL, schema, tree, &records);
    TRY(arena_check(arena));
    TRY(faults_check(faults));
    *ret_items = records.items;
    *ret_count = records.count;
    return SUCCESS;
}
