// SPDX-License-Identifier: Apache-2.0
#include "cli/table.h"

#include "base/field.h"
#include "base/scope.h"

#include <ctype.h>
#include <stdlib.h>

enum { CELL_MAX = 1024 * 1024, COLUMN_GAP = 2 };

static void table_show_str(const Field *, const void *member, Text *out) {
    text_add(out, *(const Str *)member);
}

static void table_show_time(const Field *, const void *member, Text *out) {
    char text[TIME_TEXT_LEN + 1];
    time_format(*(const Time *)member, text);
    text_print(out, "%.19sZ", text); // without the milliseconds
}

static void table_show_strs(const Field *, const void *member, Text *out) {
    const StrList *list = member;
    for (size_t i = 0; i < list->count; i++)
        text_print(out, "%s%.*s", i ? "," : "", STR_FMT(list->items[i]));
}

static void table_show_map(const Field *, const void *member, Text *out) {
    const StrMap *map = member;
    for (size_t i = 0; i < map->count; i++)
        text_print(out,
                   "%s%.*s=%.*s",
                   i ? "," : "",
                   STR_FMT(map->items[i].key),
                   STR_FMT(map->items[i].value));
}

static void table_show_json(const Field *field, const void *member, Text *out) {
    field_encode(field, member, ENCODE_REPLY, out);
}

/// The JSON string without its quotes, for kinds whose text needs no escape.
static void table_show_unquoted(const Field *field, const void *member, Text *out) {
    SCOPED(text_done) Text json;
    text_init(&json, CELL_MAX);
    field_encode(field, member, ENCODE_REPLY, &json);
    if (json.len >= 2) text_add(out, str_slice(text_str(&json), 1, json.len - 1));
}

/// Control characters would drive the reader's terminal; a table shows a '?' in their place.
static void table_add_printable(Text *out, Str text) {
    for (size_t at = 0; at < text.len;) {
        size_t len = str_utf8_len(text, at);
        Str character = str_slice(text, at, at + len);
        bool printable = len != 0 && Pattern_line.matches(character);
        text_add(out, printable ? character : S("?"));
        at += len ? len : 1;
    }
}

static void table_cell_add(const Field *field, const void *record, Text *out) {
    typedef void (*Show)(const Field *field, const void *member, Text *out);
    static const Show shows[] = {
        [KIND_BOOL] = table_show_json,
        [KIND_U64] = table_show_json,
        [KIND_I64] = table_show_json,
        [KIND_DOUBLE] = table_show_json,
        [KIND_ENUM] = table_show_unquoted,
        [KIND_STR] = table_show_str,
        [KIND_ID] = table_show_unquoted,
        [KIND_TIME] = table_show_time,
        [KIND_DURATION] = table_show_unquoted,
        [KIND_BYTES] = table_show_unquoted,
        [KIND_JSON] = table_show_json,
        [KIND_STRS] = table_show_strs,
        [KIND_MAP] = table_show_map,
        [KIND_RECORD] = table_show_json,
        [KIND_RECORDS] = table_show_json,
    };
    SCOPED(text_done) Text cell;
    text_init(&cell, CELL_MAX);
    const void *member = field_in(field, record);
    if (!field_is_absent(field, member)) shows[field->kind](field, member, &cell);
    table_add_printable(out, cell.len ? text_str(&cell) : S("-"));
}

static void table_header_add(const Field *field, Text *out) {
    for (size_t i = 0; i < field->name.len; i++) {
        char c = field->name.ptr[i];
        text_add_char(out, c == '_' ? ' ' : (char)toupper((unsigned char)c));
    }
}

/// Code points of well-formed UTF-8 from byte `from` on.
static size_t table_width_from(const Text *out, size_t from) {
    size_t width = 0;
    for (size_t i = from; i < out->len; i++)
        width += ((unsigned char)out->ptr[i] & 0xc0) != 0x80;
    return width;
}

static void table_pad(Text *out, size_t width, size_t column) {
    for (; width < column; width++)
        text_add_char(out, ' ');
}

/// The header of a column (`record` NULL) or a cell of it.
static void table_column_add(const Field *field, const void *record, Text *out) {
    if (record) {
        table_cell_add(field, record, out);
    } else {
        table_header_add(field, out);
    }
}

/// The field's column is in the table.
static bool table_is_column(const Field *field) {
    return (field->flags & LISTED) && field_is_written(field, ENCODE_REPLY);
}

static size_t
table_column_width(const Schema *schema, const Field *field, const char *items, size_t count) {
    SCOPED(text_done) Text cell;
    text_init(&cell, CELL_MAX);
    table_column_add(field, NULL, &cell);
    size_t width = table_width_from(&cell, 0);
    for (size_t i = 0; i < count; i++) {
        text_clear(&cell);
        table_column_add(field, items + i * schema->size, &cell);
        size_t cell_width = table_width_from(&cell, 0);
        if (cell_width > width) width = cell_width;
    }
    return width;
}

/// `record` NULL: the header. Padding goes before a column, so that no line ends in blanks.
static void
table_row_add(const Schema *schema, const void *record, const size_t *widths, Text *out) {
    size_t owed = 0; // blanks up to the next column
    for (size_t i = 0; i < schema->count; i++) {
        if (!table_is_column(&schema->fields[i])) continue;
        table_pad(out, 0, owed);
        size_t from = out->len;
        table_column_add(&schema->fields[i], record, out);
        owed = widths[i] - table_width_from(out, from) + COLUMN_GAP;
    }
    text_add_char(out, '\n');
}

void table_show(const Schema *schema, const void *items, size_t count, Text *out) {
    SCOPED(mem_freep) size_t *widths = calloc(schema->count + 1, sizeof(*widths));
    if (!widths) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < schema->count; i++)
        if (table_is_column(&schema->fields[i]))
            widths[i] = table_column_width(schema, &schema->fields[i], items, count);
    table_row_add(schema, NULL, widths, out);
    for (size_t i = 0; i < count; i++)
        table_row_add(schema, (const char *)items + i * schema->size, widths, out);
}

void table_line(const Schema *schema, const void *record, size_t *widths, Text *out) {
    for (size_t i = 0; i < schema->count; i++) {
        if (!table_is_column(&schema->fields[i])) continue;
        size_t width = table_column_width(schema, &schema->fields[i], record, record ? 1 : 0);
        if (width > widths[i]) widths[i] = width;
    }
    table_row_add(schema, record, widths, out);
}

void table_card(const Schema *schema, const void *record, Text *out) {
    size_t widest = 0;
    for (size_t i = 0; i < schema->count; i++)
        if (field_is_written(&schema->fields[i], ENCODE_REPLY)
            && schema->fields[i].name.len > widest)
            widest = schema->fields[i].name.len;
    for (size_t i = 0; i < schema->count; i++) {
        const Field *field = &schema->fields[i];
        if (!field_is_written(field, ENCODE_REPLY)) continue;
        text_add(out, field->name);
        table_pad(out, field->name.len, widest + COLUMN_GAP);
        table_cell_add(field, record, out);
        text_add_char(out, '\n');
    }
}
