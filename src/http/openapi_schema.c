// SPDX-License-Identifier: Apache-2.0
/// OpenAPI 3.1, that is JSON Schema 2020-12, from the tables.
///
/// Lengths are bytes here and code points there, so a document that the schema accepts may still
/// be refused for a long text outside of ASCII, never the other way round for a maximum.
#include "http/openapi_schema.h"

#include "base/field.h"

#define ID_SUFFIX_REGEX "_[0-7][0-9a-hjkmnp-tv-z]{25}$"

bool field_is_viewed(const Field *field, SchemaView view) {
    static const DecodeMode modes[] = {
        [VIEW_REPLY] = DECODE_REPLY,
        [VIEW_INPUT] = DECODE_INPUT,
        [VIEW_PATCH] = DECODE_PATCH,
        [VIEW_PEER] = DECODE_PEER,
    };
    return field_is_accepted(field, modes[view]);
}

/// `,"name":"value"`
static void openapi_add_text(Text *out, const char *name, Str value) {
    text_print(out, ",\"%s\":", name);
    text_add_json(out, value);
}

/// `,"minX":1,"maxX":2`; a minimum of 0 goes without saying when `is_size`.
static void openapi_add_range(Text *out, Range range, const char *what, bool is_size) {
    if (range.min != INT64_MIN && !(is_size && range.min <= 0))
        text_print(out, ",\"min%s\":%lld", what, (long long)range.min);
    if (range.max != INT64_MAX) text_print(out, ",\"max%s\":%lld", what, (long long)range.max);
}

static void openapi_add_number(const Field *field, SchemaView, Text *out) {
    openapi_add_range(out, field_range(field), "imum", false);
}

/// A newer program may have more words.
static void openapi_add_enum(const Field *field, SchemaView view, Text *out) {
    if (view == VIEW_PEER) return;
    text_add(out, S(",\"enum\":["));
    for (size_t i = 0; i < field->names->count; i++) {
        if (i) text_add_char(out, ',');
        text_add_json(out, str_from(field->names->items[i]));
    }
    text_add_char(out, ']');
}

static void openapi_add_string(Text *out, Range range, const Pattern *pattern) {
    openapi_add_range(out, range, "Length", true);
    if (pattern) openapi_add_text(out, "pattern", str_from(pattern->regex));
}

static void openapi_add_str(const Field *field, SchemaView, Text *out) {
    openapi_add_string(out, field_range(field), field->pattern);
}

static void openapi_add_id(const Field *field, SchemaView, Text *out) {
    const char *noun = field->prefix ? field->prefix : "[a-z]{1,12}";
    text_print(out, ",\"pattern\":\"^%s" ID_SUFFIX_REGEX "\"", noun);
}

static void openapi_add_time(const Field *, SchemaView, Text *out) {
    openapi_add_text(out, "format", S("date-time"));
}

static void openapi_add_duration(const Field *, SchemaView, Text *out) {
    openapi_add_text(out, "pattern", S("^([0-9]+(d|h|m|s|ms))+$"));
}

static void openapi_add_bytes(const Field *field, SchemaView, Text *out) {
    Range range = field_range(field);
    range = (Range){(range.min + 2) / 3 * 4, (range.max + 2) / 3 * 4};
    openapi_add_text(out, "contentEncoding", S("base64"));
    openapi_add_range(out, range, "Length", true);
}

static void openapi_add_strs(const Field *field, SchemaView, Text *out) {
    openapi_add_range(out, field_range(field), "Items", true);
    text_add(out, S(",\"items\":{\"type\":\"string\""));
    openapi_add_string(out, field_item_range(field), field->pattern);
    text_add_char(out, '}');
}

/// In a change a null removes the key.
static void openapi_add_map(const Field *field, SchemaView view, Text *out) {
    bool is_change = view == VIEW_PATCH;
    openapi_add_range(out, field_range(field), "Properties", true);
    text_add(out, S(",\"propertyNames\":{\"type\":\"string\""));
    openapi_add_string(out, (Range){1, FIELD_STR_MAX}, field->pattern);
    text_add(out, S("},\"additionalProperties\":{\"type\":"));
    text_add(out, is_change ? S("[\"string\",\"null\"]") : S("\"string\""));
    openapi_add_string(out, field_item_range(field), NULL);
    text_add_char(out, '}');
}

/// A nested record is replaced as a whole, so a change takes what creation takes.
static void openapi_add_ref(const Schema *schema, SchemaView view, Text *out) {
    text_add(out, S("\"$ref\":\"#/components/schemas/"));
    schema_openapi_name(schema, view == VIEW_PATCH ? VIEW_INPUT : view, out);
    text_add_char(out, '"');
}

static bool openapi_is_nullable(const Field *field, SchemaView view) {
    return view == VIEW_PATCH && !(field->flags & REQUIRED) && !field_is_always_present(field);
}

static void openapi_add_record(const Field *field, SchemaView view, Text *out) {
    bool nullable = openapi_is_nullable(field, view);
    text_add(out, nullable ? S(",\"anyOf\":[{") : S(","));
    openapi_add_ref(field->record, view, out);
    if (nullable) text_add(out, S("},{\"type\":\"null\"}]"));
}

static void openapi_add_records(const Field *field, SchemaView view, Text *out) {
    openapi_add_range(out, field_range(field), "Items", true);
    text_add(out, S(",\"items\":{"));
    openapi_add_ref(field->record, view, out);
    text_add_char(out, '}');
}

void field_openapi(const Field *field, SchemaView view, Text *out) {
    static const struct {
        const char *type; ///< NULL: any, or what `add` says
        void (*add)(const Field *field, SchemaView view, Text *out);
    } kinds[] = {
        [KIND_BOOL] = {"boolean", NULL                },
        [KIND_U64] = {"integer", openapi_add_number  },
        [KIND_I64] = {"integer", openapi_add_number  },
        [KIND_DOUBLE] = {"number",  openapi_add_number  },
        [KIND_ENUM] = {"string",  openapi_add_enum    },
        [KIND_STR] = {"string",  openapi_add_str     },
        [KIND_ID] = {"string",  openapi_add_id      },
        [KIND_TIME] = {"string",  openapi_add_time    },
        [KIND_DURATION] = {"string",  openapi_add_duration},
        [KIND_BYTES] = {"string",  openapi_add_bytes   },
        [KIND_JSON] = {NULL,      NULL                },
        [KIND_STRS] = {"array",   openapi_add_strs    },
        [KIND_MAP] = {"object",  openapi_add_map     },
        [KIND_RECORD] = {NULL,      openapi_add_record  },
        [KIND_RECORDS] = {"array",   openapi_add_records },
    };
    const char *type = kinds[field->kind].type;
    text_add(out, S("{\"description\":"));
    text_add_json(out, str_from(field->doc));
    if (type && openapi_is_nullable(field, view)) {
        text_print(out, ",\"type\":[\"%s\",\"null\"]", type);
    } else if (type) {
        text_print(out, ",\"type\":\"%s\"", type);
    }
    if (kinds[field->kind].add) kinds[field->kind].add(field, view, out);
    if (field->flags & (READ_ONLY | COMPUTED)) text_add(out, S(",\"readOnly\":true"));
    if (field->flags & WRITE_ONLY) text_add(out, S(",\"writeOnly\":true"));
    if ((view == VIEW_INPUT || view == VIEW_PEER) && field->fallback) {
        text_add(out, S(",\"default\":"));
        field_encode_fallback(field, out);
    }
    text_add_char(out, '}');
}

void schema_openapi_name(const Schema *schema, SchemaView view, Text *out) {
    static const char *const suffixes[] = {
        [VIEW_REPLY] = "", [VIEW_INPUT] = "Input", [VIEW_PATCH] = "Patch", [VIEW_PEER] = "Peer"};
    text_print(out, "%s%s", schema->title, suffixes[view]);
}

static bool openapi_is_required(const Field *field, SchemaView view) {
    if (!field_is_viewed(field, view) || view == VIEW_PATCH) return false;
    bool is_shown = (field->flags & REQUIRED) && !(field->flags & UNSTORED);
    if (view == VIEW_REPLY) return is_shown || field_is_always_present(field);
    return (field->flags & REQUIRED) && !field->fallback;
}

void schema_openapi(const Schema *schema, SchemaView view, Text *out) {
    text_add(out, S("{\"type\":\"object\",\"description\":"));
    text_add_json(out, str_from(schema->doc));
    if (view != VIEW_PEER) text_add(out, S(",\"additionalProperties\":false"));
    text_add(out, S(",\"required\":["));
    const char *separator = "";
    for (size_t i = 0; i < schema->count; i++) {
        if (!openapi_is_required(&schema->fields[i], view)) continue;
        text_print(out, "%s\"%s\"", separator, schema->fields[i].name.ptr);
        separator = ",";
    }
    text_add(out, S("],\"properties\":{"));
    separator = "";
    for (size_t i = 0; i < schema->count; i++) {
        if (!field_is_viewed(&schema->fields[i], view)) continue;
        text_print(out, "%s\"%s\":", separator, schema->fields[i].name.ptr);
        field_openapi(&schema->fields[i], view, out);
        separator = ",";
    }
    text_add(out, S("}}"));
}
