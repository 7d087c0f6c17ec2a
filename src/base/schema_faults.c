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

__attribute__((format(printf, 3, 0))) static void
faults_vadd(Faults *faults, Str pointer, const char *format, va_list args) {
    char text[FAULT_TEXT_MAX];
    int len = vsnprintf(text, sizeof(text), format, args);
    Str allowed = str_slice((Str){text, sizeof(text) - 1}, 0, len < 0 ? 0 : (size_t)len);
    Fault fault = {};
    if (faults->count < FAULTS_MAX) { // beyond, nothing is allocated any more
        fault.pointer = str_dup(faults->arena, pointer.ptr ? pointer : S(""));
        fault.allowed = str_dup(faults->arena, allowed);
    }
    if (fault.pointer.ptr && fault.allowed.ptr) {
        faults->items[faults->count++] = fault;
    } else {
        faults->dropped++;
    }
}

void faults_add(Faults *faults, Str pointer, const char *format, ...) {
    va_list args;
    va_start(args, format);
    faults_vadd(faults, pointer, format, args);
    va_end(args);
}

Err faults_check(const Faults *faults) {
    return faults->count || faults->dropped
               ? FAIL(ERR_INVALID, "the input is not what is allowed here")
               : SUCCESS;
}

/// A reference token of RFC 6901: '~' and '/' are escaped.
static void faults_pointer_add_name(Text *out, Str name) {
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (c == '~' || c == '/') {
            text_add(out, c == '~' ? S("~0") : S("~1"));
        } else {
            text_add_char(out, c);
        }
    }
}

static void faults_pointer_add(Text *out, const Path *path) {
    if (!path) return;
    faults_pointer_add(out, path->parent);
    text_add_char(out, '/');
    if (path->name.ptr) {
        faults_pointer_add_name(out, path->name);
    } else {
        text_print(out, "%zu", path->index);
    }
}

void decoder_fault(Decoder *decoder, const Path *path, const char *format, ...) {
    SCOPED(text_done) Text pointer;
    text_init(&pointer, FAULT_TEXT_MAX); // a name that a stranger made up may be cut
    faults_pointer_add(&pointer, path);
    va_list args;
    va_start(args, format);
    faults_vadd(decoder->faults, text_str(&pointer), format, args);
    va_end(args);
}

/// "at most 63 bytes", "1 to 63 bytes", "exactly 44 bytes".
static void faults_add_range(Range range, const char *unit, Text *out) {
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

static void faults_add_bounds(const Field *field, Text *out) {
    Range range = field_range(field);
    if (range.min != INT64_MIN) text_print(out, " from %lld", (long long)range.min);
    if (range.max != INT64_MAX) text_print(out, " to %lld", (long long)range.max);
}

static void faults_add_names(const Field *field, Text *out) {
    for (size_t i = 0; i < field->names->count; i++)
        text_print(out, "%s%s", i ? ", " : "", field->names->items[i]);
}

static void faults_add_id(const Field *field, Text *out) {
    const char *noun = field->prefix;
    text_add(out, noun ? S("the id of a ") : S("an id"));
    if (noun) text_print(out, "%s, like %s_01h455vb4pex5vsknk084sn02q", noun, noun);
}

static void faults_add_duration_bounds(const Field *field, Text *out) {
    char bound[DURATION_TEXT_MAX];
    if (field->min) {
        duration_format((Duration){(uint64_t)field->min}, bound);
        text_print(out, ", of at least %s", bound);
    }
    if (field->max) {
        duration_format((Duration){(uint64_t)field->max}, bound);
        text_print(out, "%s at most %s", field->min ? " and" : ", of", bound);
    }
}

static void faults_add_text(const Pattern *pattern, Range range, Text *out) {
    text_print(out, "%s%s", pattern ? pattern->allowed : "a text of ", pattern ? "; " : "");
    faults_add_range(range, "bytes", out);
}

static void faults_add_str(const Field *field, Text *out) {
    faults_add_text(field->pattern, field_range(field), out);
}

void field_allowed(const Field *field, Text *out) {
    static const struct {
        const char *words;
        const char *unit; ///< what the field's bounds count; NULL: `add` tells
        void (*add)(const Field *field, Text *out);
    } kinds[] = {
        [KIND_BOOL] = {"true or false",                                 NULL,      NULL                      },
        [KIND_U64] = {"an integer",                                    NULL,      faults_add_bounds         },
        [KIND_I64] = {"an integer",                                    NULL,      faults_add_bounds         },
        [KIND_DOUBLE] = {"a number",                                      NULL,      faults_add_bounds         },
        [KIND_ENUM] = {"one of ",                                       NULL,      faults_add_names          },
        [KIND_STR] = {"",                                              NULL,      faults_add_str            },
        [KIND_ID] = {"",                                              NULL,      faults_add_id             },
        [KIND_TIME] = {"a time in RFC 3339, like 2026-01-31T12:00:00Z", NULL,      NULL                      },
        [KIND_DURATION] = {"a duration, like 30s, 1h30m or 7d",             NULL,      faults_add_duration_bounds},
        [KIND_BYTES] = {"base64 of ",                                    "bytes",   NULL                      },
        [KIND_JSON] = {"JSON of ",                                      "bytes",   NULL                      },
        [KIND_STRS] = {"a list of ",                                    "texts",   NULL                      },
        [KIND_MAP] = {"an object of ",                                 "texts",   NULL                      },
        [KIND_RECORD] = {"an object",                                     NULL,      NULL                      },
        [KIND_RECORDS] = {"a list of ",                                    "objects", NULL                      },
    };
    text_print(out, "%s", kinds[field->kind].words);
    if (kinds[field->kind].unit) faults_add_range(field_range(field), kinds[field->kind].unit, out);
    if (kinds[field->kind].add) kinds[field->kind].add(field, out);
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
    bool has_pattern = is_key == (field->kind == KIND_MAP);
    Range range = is_key ? (Range){1, FIELD_STR_MAX} : field_item_range(field);
    faults_add_text(has_pattern ? field->pattern : NULL, range, &allowed);
    const char *prefix = is_key ? "named by " : "";
    decoder_fault(decoder, path, "must be %s%.*s", prefix, STR_FMT(text_str(&allowed)));
}
