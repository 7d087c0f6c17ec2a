// SPDX-License-Identifier: Apache-2.0
/// Steps of a store's history: what a migration does, written once for all engines.
///
/// A step is frozen with the release that first has it. It names tables and fields by texts and
/// never by a Schema, since Schemas go on changing. An engine adds a renderer of these kinds and
/// nothing else; src/db/sqlite_step.h is the one of SQLite. Indexes are dropped before the fields
/// that they are on, and a key is never added, renamed or dropped: not every engine could.
///
/// Every column but the key may be NULL; the Schema is what requires. A STEP_ORDERED one is never
/// NULL: where it is added, rows that are there get 0 or "". Names are [a-z0-9_]+ and constant.
#pragma once

#include "base/text.h"

typedef enum StepType { STEP_TEXT, STEP_INTEGER, STEP_REAL, STEP_BYTES } StepType;

typedef enum StepRole {
    STEP_PLAIN,
    STEP_KEY,     ///< the primary key: the first column of its table, a text
    STEP_ORDERED, ///< rows are listed in its order: a text or an integer, never NULL
} StepRole;

typedef struct StepColumn {
    const char *name;
    StepType type;
    StepRole role;
} StepColumn;

typedef enum StepKind {
    STEP_ADD_TABLE,    ///< `columns`, the key first
    STEP_DROP_TABLE,   ///< with its rows and indexes
    STEP_RENAME_TABLE, ///< to `other`; its indexes keep their names
    STEP_ADD_FIELD,    ///< the one of `columns`
    STEP_DROP_FIELD,   ///< `name`, which no index is on
    STEP_RENAME_FIELD, ///< `name` to `other`, also in indexes
    STEP_ADD_INDEX,    ///< `name`, on `fields` in this order
    STEP_ADD_UNIQUE,   ///< likewise; no two rows have the same values, but any number has NULL
    STEP_DROP_INDEX,   ///< `name`; the table is said because some engines ask for it
    STEP_FILL_TEXT,    ///< `name` becomes `text` where it is NULL
    STEP_FILL_INTEGER, ///< `name` becomes `integer` where it is NULL
    STEP_FILL_FROM,    ///< `name` becomes what `other`, of its type, is in the row, where NULL
    STEP_KIND_COUNT,
} StepKind;

typedef struct Step {
    StepKind kind;
    const char *table;
    const char *name;  ///< of a field or an index
    const char *other; ///< the new name, or the field to fill from
    const StepColumn *columns;
    size_t column_count;
    const char *const *fields;
    size_t field_count;
    const char *text;
    int64_t integer;
} Step;

// Rows of a table of steps, at file scope: what they point to must live as long.
#define STEP_COLUMNS_(...)                        \
    .columns = (const StepColumn[]){__VA_ARGS__}, \
    .column_count = sizeof((const StepColumn[]){__VA_ARGS__}) / sizeof(StepColumn)
#define STEP_FIELDS_(...)                         \
    .fields = (const char *const[]){__VA_ARGS__}, \
    .field_count = sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)
#define ADD_TABLE(of, ...) \
    { STEP_ADD_TABLE, .table = (of), STEP_COLUMNS_(__VA_ARGS__) }
#define DROP_TABLE(of) \
    { STEP_DROP_TABLE, .table = (of) }
#define RENAME_TABLE(of, to) \
    { STEP_RENAME_TABLE, .table = (of), .other = (to) }
#define ADD_FIELD(of, ...) \
    { STEP_ADD_FIELD, .table = (of), STEP_COLUMNS_({__VA_ARGS__}) }
#define DROP_FIELD(of, field) \
    { STEP_DROP_FIELD, .table = (of), .name = (field) }
#define RENAME_FIELD(of, field, to) \
    { STEP_RENAME_FIELD, (of), (field), (to) }
#define ADD_INDEX(of, index, ...) \
    { STEP_ADD_INDEX, (of), (index), STEP_FIELDS_(__VA_ARGS__) }
#define ADD_UNIQUE(of, index, ...) \
    { STEP_ADD_UNIQUE, (of), (index), STEP_FIELDS_(__VA_ARGS__) }
#define DROP_INDEX(of, index) \
    { STEP_DROP_INDEX, (of), (index) }
#define FILL_TEXT(of, field, value) \
    { STEP_FILL_TEXT, (of), (field), .text = (value) }
#define FILL_INTEGER(of, field, value) \
    { STEP_FILL_INTEGER, (of), (field), .integer = (value) }
#define FILL_FROM(of, field, from) \
    { STEP_FILL_FROM, (of), (field), (from) }

/// Of a Migration: the steps of the array `of`, and how many.
#define STEPS(of) .steps = (of), .step_count = sizeof(of) / sizeof((of)[0])

/// Append what `step` says in a form that is the same for all engines and differs for any two steps
/// that differ. It is what a digest of a migration is taken of.
void step_print(const Step *step, Text *out);
