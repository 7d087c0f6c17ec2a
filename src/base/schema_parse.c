// SPDX-License-Identifier: Apache-2.0
/// Scalars from text: JSON strings, `key = value` pairs and fallbacks all come through here.
#include "base/base64.h"
#include "base/schema_parts.h"
#include "base/scope.h"

#include <math.h>

enum { FALLBACK_ARENA_MAX = 64 * 1024 };

bool decoder_is_strict(const Decoder *decoder) {
    return decoder->mode == DECODE_INPUT || decoder->mode == DECODE_PATCH
           || decoder->mode == DECODE_PEER;
}

bool decoder_is_lenient(const Decoder *decoder) {
    return decoder->mode == DECODE_PEER || decoder->mode == DECODE_REPLY;
}

static bool parse_len_fits(const Decoder *decoder, Range range, size_t len) {
    if (!decoder_is_strict(decoder)) return true;
    return (int64_t)len >= range.min && (int64_t)len <= range.max;
}

static bool parse_text_fits(const Decoder *decoder, const Pattern *pattern, Range range, Str text) {
    if (!parse_len_fits(decoder, range, text.len)) return false;
    return !pattern || !decoder_is_strict(decoder) || pattern->matches(text);
}

bool field_item_fits(const Decoder *decoder, const Field *field, Str item) {
    const Pattern *pattern = field->kind == KIND_STRS ? field->pattern : NULL;
    return parse_text_fits(decoder, pattern, field_item_range(field), item);
}

bool field_key_fits(const Decoder *decoder, const Field *field, Str key) {
    return parse_text_fits(decoder, field->pattern, (Range){1, FIELD_STR_MAX}, key);
}

bool field_count_fits(Decoder *decoder, const Path *path, const Field *field, size_t count) {
    if (parse_len_fits(decoder, field_range(field), count)) return true;
    decoder_refuse(decoder, path, field, "");
    return false;
}

bool field_set_u64(const Decoder *decoder, const Field *field, uint64_t value, void *member) {
    Range range = field_range(field);
    bool fits = value <= INT64_MAX && (int64_t)value >= range.min && (int64_t)value <= range.max;
    if (decoder_is_strict(decoder) && !fits) return false;
    *(uint64_t *)member = value;
    return true;
}

bool field_set_i64(const Decoder *decoder, const Field *field, int64_t value, void *member) {
    Range range = field_range(field);
    bool fits = value >= range.min && value <= range.max;
    if (decoder_is_strict(decoder) && !fits) return false;
    *(int64_t *)member = value;
    return true;
}

bool field_set_double(const Decoder *decoder, const Field *field, double value, void *member) {
    Range range = field_range(field);
    bool low = range.min != INT64_MIN && value < (double)range.min;
    bool high = range.max != INT64_MAX && value > (double)range.max;
    if (!isfinite(value) || (decoder_is_strict(decoder) && (low || high))) return false;
    *(double *)member = value + 0.0; // -0 becomes 0, as it is written
    return true;
}

static bool parse_bool(const Decoder *, const Field *, Str text, void *member) {
    bool value = str_eq(text, S("true"));
    if (!value && !str_eq(text, S("false"))) return false;
    *(bool *)member = value;
    return true;
}

static bool parse_u64(const Decoder *decoder, const Field *field, Str text, void *member) {
    uint64_t value;
    return str_u64(text, &value).code == OK && field_set_u64(decoder, field, value, member);
}

static bool parse_i64(const Decoder *decoder, const Field *field, Str text, void *member) {
    bool negative = str_starts(text, S("-"));
    uint64_t value;
    if (str_u64(str_slice(text, negative, text.len), &value).code != OK) return false;
    if (value > INT64_MAX) return false;
    return field_set_i64(decoder, field, negative ? -(int64_t)value : (int64_t)value, member);
}

/// A number as JSON writes it, in any locale.
static bool parse_double(const Decoder *decoder, const Field *field, Str text, void *member) {
    if (text.len == 0 || text.ptr[0] == ' ') return false;
    SCOPED(json_drop) json_t *json = json_loadb(text.ptr, text.len, JSON_DECODE_ANY, NULL);
    return json_is_number(json)
           && field_set_double(decoder, field, json_number_value(json), member);
}

static bool parse_enum(const Decoder *decoder, const Field *field, Str text, void *member) {
    for (size_t i = 0; i < field->names->count; i++) {
        if (!str_eq(text, str_from(field->names->items[i]))) continue;
        *(unsigned *)member = (unsigned)i;
        return true;
    }
    if (!decoder_is_lenient(decoder)) return false;
    *(unsigned *)member = field->names->unknown;
    return true;
}

static bool parse_str(const Decoder *decoder, const Field *field, Str text, void *member) {
    if (!parse_text_fits(decoder, field->pattern, field_range(field), text)) return false;
    *(Str *)member = str_dup(decoder->arena, text);
    return true;
}

static bool parse_id(const Decoder *, const Field *field, Str text, void *member) {
    return id_parse(text, str_from(field->prefix), member).code == OK;
}

/// The first instant of 1970 is refused: it would read as absent.
/// A peer's clock may stand before 1970: such a time is absent.
static bool parse_time(const Decoder *decoder, const Field *, Str text, void *member) {
    Time time;
    if (time_parse(text, &time).code != OK) return false;
    if (time.ms == 0 && !decoder_is_lenient(decoder)) return false;
    *(Time *)member = time;
    return true;
}

static bool parse_duration(const Decoder *decoder, const Field *field, Str text, void *member) {
    Duration duration;
    if (duration_parse(text, &duration).code != OK) return false;
    return field_set_u64(decoder, field, duration.ms, &((Duration *)member)->ms);
}

static bool parse_bytes(const Decoder *decoder, const Field *field, Str text, void *member) {
    size_t most = text.len / 4 * 3;
    if (text.len % 4 != 0) return false;
    if (most > (size_t)field_range(field).max + 2 && decoder_is_strict(decoder)) return false;
    uint8_t *bytes = arena_alloc(decoder->arena, most + 1, 1); // one more: never NULL when empty
    if (!bytes) return true;
    size_t len = 0;
    Err err = base64_decode(text, BASE64, bytes, most, &len);
    if (err.code != OK || !parse_len_fits(decoder, field_range(field), len)) return false;
    *(Bytes *)member = (Bytes){bytes, len};
    return true;
}

bool field_parse(const Decoder *decoder, const Field *field, Str text, void *member) {
    typedef bool (*Parse)(const Decoder *decoder, const Field *field, Str text, void *member);
    static const Parse parsers[] = {
        [KIND_BOOL] = parse_bool,
        [KIND_U64] = parse_u64,
        [KIND_I64] = parse_i64,
        [KIND_DOUBLE] = parse_double,
        [KIND_ENUM] = parse_enum,
        [KIND_STR] = parse_str,
        [KIND_ID] = parse_id,
        [KIND_TIME] = parse_time,
        [KIND_DURATION] = parse_duration,
        [KIND_BYTES] = parse_bytes,
    };
    return parsers[field->kind](decoder, field, text, member);
}

void field_encode_fallback(const Field *field, Text *out) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, FALLBACK_ARENA_MAX);
    Decoder decoder = {.mode = DECODE_INPUT, .arena = &arena};
    _Alignas(max_align_t) unsigned char member[sizeof(Id)] = {}; // the largest scalar
    if (field_parse(&decoder, field, str_from(field->fallback), member) && !arena.failed) {
        field_encode(field, member, ENCODE_REQUEST, out);
    } else {
        out->failed = true;
    }
}
