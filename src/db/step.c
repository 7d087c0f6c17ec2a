// SPDX-License-Identifier: Apache-2.0
#include "db/step.h"

#include <inttypes.h>

// Words, not numbers: the order of the enums is free to change, digests in stores are not.
static const char *const step_kinds[STEP_KIND_COUNT] = {
    [STEP_ADD_TABLE] = "add table",
    [STEP_DROP_TABLE] = "drop table",
    [STEP_RENAME_TABLE] = "rename table",
    [STEP_ADD_FIELD] = "add field",
    [STEP_DROP_FIELD] = "drop field",
    [STEP_RENAME_FIELD] = "rename field",
    [STEP_ADD_INDEX] = "add index",
    [STEP_ADD_UNIQUE] = "add unique",
    [STEP_DROP_INDEX] = "drop index",
    [STEP_FILL_TEXT] = "fill text",
    [STEP_FILL_INTEGER] = "fill integer",
    [STEP_FILL_FROM] = "fill from",
};
static const char *const step_types[] = {
    [STEP_TEXT] = "text", [STEP_INTEGER] = "integer", [STEP_REAL] = "real", [STEP_BYTES] = "bytes"};
static const char *const step_roles[] = {
    [STEP_PLAIN] = "plain", [STEP_KEY] = "key", [STEP_ORDERED] = "ordered"};

/// A text with its length before it, so that no two lists of texts look alike; "-" for none.
static void step_print_text(const char *text, Text *out) {
    if (!text) {
        text_add(out, S(" -"));
        return;
    }
    Str str = str_from(text);
    text_print(out, " %zu:%.*s", str.len, STR_FMT(str));
}

void step_print(const Step *step, Text *out) {
    text_add(out, str_from(step_kinds[step->kind]));
    step_print_text(step->table, out);
    step_print_text(step->name, out);
    step_print_text(step->other, out);
    step_print_text(step->text, out);
    text_print(out, " %" PRId64, step->integer);
    for (size_t i = 0; i < step->column_count; i++) {
        const StepColumn *column = &step->columns[i];
        step_print_text(column->name, out);
        text_print(out, " %s %s", step_types[column->type], step_roles[column->role]);
    }
    for (size_t i = 0; i < step->field_count; i++)
        step_print_text(step->fields[i], out);
    text_add_char(out, '\n');
}
