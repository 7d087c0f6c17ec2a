// SPDX-License-Identifier: Apache-2.0
/// What the compiler cannot see of a table.
#include "base/schema_parts.h"
#include "base/scope.h"

enum { CHECK_ARENA_MAX = 64 * 1024 };

#define KIND_BIT(kind) (1U << (kind))

/// The options that were given are those that the kind has.
static bool check_options(const Field *field) {
    const uint32_t numbers = KIND_BIT(KIND_U64) | KIND_BIT(KIND_I64) | KIND_BIT(KIND_DOUBLE);
    const uint32_t texts = KIND_BIT(KIND_STR) | KIND_BIT(KIND_BYTES) | KIND_BIT(KIND_JSON);
    const uint32_t lists = KIND_BIT(KIND_STRS) | KIND_BIT(KIND_MAP);
    const uint32_t nested = KIND_BIT(KIND_RECORD) | KIND_BIT(KIND_RECORDS);
    const uint32_t scalars = KIND_BIT(KIND_BYTES + 1) - 1;
    const uint32_t bounded =
        numbers | texts | lists | KIND_BIT(KIND_DURATION) | KIND_BIT(KIND_RECORDS);
    const struct {
        bool given;
        uint32_t kinds;
    } options[] = {
        {field->min || field->max, bounded                   },
        {field->item_max != 0,     lists                     },
        {field->pattern != NULL,   KIND_BIT(KIND_STR) | lists},
        {field->names != NULL,     KIND_BIT(KIND_ENUM)       },
        {field->prefix != NULL,    KIND_BIT(KIND_ID)         },
        {field->record != NULL,    nested                    },
        {field->fallback != NULL,  scalars                   },
    };
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        if (options[i].given && !(options[i].kinds & KIND_BIT(field->kind))) return false;
    return true;
}

static bool check_fallback(const Field *field) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, CHECK_ARENA_MAX);
    Decoder decoder = {.mode = DECODE_INPUT, .arena = &arena};
    _Alignas(max_align_t) unsigned char member[sizeof(Id)] = {}; // the largest scalar
    return field_parse(&decoder, field, str_from(field->fallback), member);
}

static bool check_names(const EnumNames *names) {
    if (!names || names->count == 0 || names->unknown >= names->count) return false;
    for (size_t i = 0; i < names->count; i++)
        if (!names->items[i]) return false;
    return true;
}

/// What is wrong with the row by itself; NULL if nothing is.
static const char *check_row(const Field *field) {
    bool is_nested = field->kind == KIND_RECORD || field->kind == KIND_RECORDS;
    bool is_key = field->kind == KIND_ID || field->kind == KIND_STR;
    if (field->name.len == 0 || !field->doc) return "has no name or no text";
    if (!check_options(field)) return "has an option that its kind does not have";
    if (is_nested && !field->record) return "has no schema";
    if (field->kind == KIND_ENUM && !check_names(field->names)) return "has no texts";
    Range range = field_range(field);
    if (range.min > range.max) return "has bounds that nothing is within";
    if ((field->flags & KEY) && !is_key) return "is a key that is neither Id nor Str";
    if ((field->flags & REV) && field->kind != KIND_U64) return "is a revision that is no uint64_t";
    if (field->fallback && !check_fallback(field)) return "has a default that it does not allow";
    return NULL;
}

/// What is wrong with the row among the others; NULL if nothing is.
static const char *check_place(const Schema *schema, const Field *field) {
    size_t end = field->offset + field_size(field);
    if (end > schema->size) return "is not a member of its record";
    for (const Field *other = schema->fields; other < field; other++) {
        if (str_eq(other->name, field->name)) return "is there twice";
        if (field->offset < other->offset + field_size(other) && other->offset < end)
            return "shares its member with another field";
    }
    return NULL;
}

static Err check_within(const Schema *schema, size_t depth, Reason *reason) {
    const Err unsound = FAIL(ERR_INVALID, "a schema does not describe its record");
    if (depth > SCHEMA_DEPTH_MAX || schema->count == 0 || schema->count > SCHEMA_FIELDS_MAX)
        return reason_fail(reason, unsound, "%s has too few or too many fields", schema->title);
    for (size_t i = 0; i < schema->count; i++) {
        const Field *field = &schema->fields[i];
        const char *fault = check_row(field);
        if (!fault) fault = check_place(schema, field);
        if (fault)
            return reason_fail(
                reason, unsound, "%s.%.*s %s", schema->title, STR_FMT(field->name), fault);
        if (field->record) TRY(check_within(field->record, depth + 1, reason));
    }
    return SUCCESS;
}

Err schema_check(const Schema *schema, Reason *reason) {
    return check_within(schema, 1, reason);
}
