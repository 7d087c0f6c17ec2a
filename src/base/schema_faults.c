// SPDX-License-Identifier: Apache-2.0
#include "base/schema_parts.h"

#include "base/scope.h"

#include <stdarg.h>
#include <stdio.h>

enum { FAULT_TEXT_MAX = 512 };

void faults_init(Faults *faults, Arena *arena) {
    faults->arena = arena;
    faults->count = 0;
    faults->dropped = 0;
}

/// Takes texts that live in the arena.
static void fault_put(Faults *faults, Str pointer, Str allowed) {
    if (faults->count == FAULTS_MAX || !pointer.ptr || !allowed.ptr) {
        faults->dropped++;
    } else {
        faults->items[faults->count++] = (Fault){pointer, allowed};
    }
}

static void fault_vadd(Faults *faults, Str pointer, const char *format, va_list args) {
    char text[FAULT_TEXT_MAX];
    int len = vsnprintf(text, sizeof(text), format, args);
    if (len < 0) len = 0;
    if (len >= (int)sizeof(text)) len = sizeof(text) - 1;
    fault_put(faults,
              str_dup(faults->arena, pointer.ptr ? pointer : S("")),
              str_dup(faults->arena, (Str){text, (size_t)len}));
}

void faults_add(Faults *faults, Str pointer, const char *format, ...) {
    va_list args;
    va_start(args, format);
    fault_vadd(faults, pointer, format, args);
    va_end(args);
}

Err faults_check(const Faults *faults) {
    return faults->count || faults->dropped
               ? FAIL(ERR_INVALID, "the input is not what is allowed here")
               : SUCCESS;
}

/// A reference token of RFC 6901: '~' and '/' are escaped.
static void pointer_add_name(Text *out, Str name) {
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (c == '~' || c == '/') {
            text_add(out, c == '~' ? S("~0") : S("~1"));
        } else {
            text_add_char(out, c);
        }
    }
}

static void pointer_add(Text *out, const Path *path) {
    if (!path) return;
    pointer_add(out, path->parent);
    text_add_char(out, '/');
    if (path->name.ptr) {
        pointer_add_name(out, path->name);
    } else {
        text_print(out, "%zu", path->index);
    }
}

void decoder_fault(Decoder *decoder, const Path *path, const char *format, ...) {
    SCOPED(text_done) Text pointer;
    text_init(&pointer, FAULT_TEXT_MAX); // a name that a stranger made up may be cut
    pointer_add(&pointer, path);
    va_list args;
    va_start(args, format);
    fault_vadd(decoder->faults, text_str(&pointer), format, args);
    va_end(args);
}

/// "at most 63 bytes", "1 to 63 bytes", "exactly 44 bytes".
static void range_add(Text *out, Range range, const char *unit) {
    const long long min = range.min;
    const long long max = range.max;
    if (min <= 0) {
        text_print(out, "at most %lld %s", max, unit);
    } else if (min == max) {
        text_print(out, "exactly %lld %s", max, unit);
    } else {
        text_print(out, "%lld to %lld %s", min, max, unit);
    }
}

static void allowed_number(const Field *field, Text *out) {
    Range range = field_range(field);
    text_add(out, field->kind == FIELD_DOUBLE ? S("a number") : S("an integer"));
    if (range.min != INT64_MIN) text_print(out, " from %lld", (long long)range.min);
    if (range.max != INT64_MAX) text_print(out, " to %lld", (long long)range.max);
}

static void allowed_enum(const Field *field, Text *out) {
    text_add(out, S("one of "));
    for (size_t i = 0; i < field->names->count; i++)
        text_print(out, "%s%s", i ? ", " : "", field->names->items[i]);
}

static void allowed_id(const Field *field, Text *out) {
    if (!field->prefix) {
        text_add(out, S("an id"));
    } else {
        text_print(out,
                   "the id of a %s, like %s_01h455vb4pex5vsknk084sn02q",
                   field->prefix,
                   field->prefix);
    }
}

static void allowed_duration(const Field *field, Text *out) {
    char bound[DURATION_TEXT_MAX];
    text_add(out, S("a duration, like 30s, 1h30m or 7d"));
    if (field->min) {
        duration_format((Duration){(uint64_t)field->min}, bound);
        text_print(out, ", of at least %s", bound);
    }
    if (field->max) {
        duration_format((Duration){(uint64_t)field->max}, bound);
        text_print(out, "%s at most %s", field->min ? " and" : ", of", bound);
    }
}

static void allowed_text(const Pattern *pattern, Range range, Text *out) {
    text_print(out, "%s%s", pattern ? pattern->allowed : "a text of ", pattern ? "; " : "");
    range_add(out, range, "bytes");
}

void field_allowed(const Field *field, Text *out) {
    switch (field->kind) {
    case FIELD_BOOL:
        text_add(out, S("true or false"));
        break;
    case FIELD_U64:
    case FIELD_I64:
    case FIELD_DOUBLE:
        allowed_number(field, out);
        break;
    case FIELD_ENUM:
        allowed_enum(field, out);
        break;
    case FIELD_STR:
        allowed_text(field->pattern, field_range(field), out);
        break;
    case FIELD_ID:
        allowed_id(field, out);
        break;
    case FIELD_TIME:
        text_add(out, S("a time in RFC 3339, like 2026-01-31T12:00:00Z"));
        break;
    case FIELD_DURATION:
        allowed_duration(field, out);
        break;
    case FIELD_BYTES:
        text_add(out, S("base64 of "));
        range_add(out, field_range(field), "bytes");
        break;
    case FIELD_JSON:
        text_add(out, S("JSON of "));
        range_add(out, field_range(field), "bytes");
        break;
    case FIELD_STRS:
        text_add(out, S("a list of "));
        range_add(out, field_range(field), "texts");
        break;
    case FIELD_MAP:
        text_add(out, S("an object of "));
        range_add(out, field_range(field), "texts");
        break;
    case FIELD_RECORD:
        text_add(out, S("an object"));
        break;
    case FIELD_RECORDS:
        text_add(out, S("a list of "));
        range_add(out, field_range(field), "objects");
        break;
    }
}

void decoder_refuse(Decoder *decoder, const Path *path, const Field *field, const char *prefix) {
    SCOPED(text_done) Text allowed;
    text_init(&allowed, FAULT_TEXT_MAX);
    field_allowed(field, &allowed);
    decoder_fault(decoder, path, "must be %s%.*s", prefix, STR_FMT(text_str(&allowed)));
}

void decoder_refuse_item(Decoder *decoder, const Path *path, const Field *field, bool is_key) {
    SCOPED(text_done) Text allowed;
    text_init(&allowed, FAULT_TEXT_MAX);
    bool has_pattern = is_key == (field->kind == FIELD_MAP);
    Range range = is_key ? (Range){1, FIELD_STR_MAX} : field_item_range(field);
    allowed_text(has_pattern ? field->pattern : NULL, range, &allowed);
    const char *prefix = is_key ? "named by " : "";
    decoder_fault(decoder, path, "must be %s%.*s", prefix, STR_FMT(text_str(&allowed)));
}
