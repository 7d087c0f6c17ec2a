// SPDX-License-Identifier: Apache-2.0
#include "db/table.h"

#include <assert.h>
#include <string.h>

int table_kind(const Table *table, size_t position) {
    assert(position < table->column_count);
    switch (table->columns[position]->kind) {
    case KIND_BOOL:
    case KIND_U64:
    case KIND_I64:
    case KIND_TIME:
    case KIND_DURATION:
        return VALUE_I64;
    case KIND_DOUBLE:
        return VALUE_DOUBLE;
    case KIND_BYTES:
        return VALUE_BLOB;
    case KIND_ENUM:
    case KIND_STR:
    case KIND_ID:
    case KIND_JSON:
    case KIND_STRS:
    case KIND_MAP:
    case KIND_RECORD:
    case KIND_RECORDS:
        return VALUE_TEXT;
    }
    assert(false && "a field has a kind");
    return VALUE_NULL;
}

/// An ORDERED column is never NULL; so a UNIQUE one must never be absent.
static void table_order_check(const Field *field) {
    FieldKind kind = field->kind;
    assert(kind == KIND_U64 || kind == KIND_I64 || kind == KIND_TIME || kind == KIND_DURATION
           || kind == KIND_STR || kind == KIND_ID);
    assert(!(field->flags & UNIQUE) || field->flags & REQUIRED);
    assert(!(field->flags & (KEY | SCOPE)));
}

void table_init(Table *table, size_t number, const Schema *schema) {
    *table = (Table){.schema = schema,
                     .number = number,
                     .key = COLUMN_NONE,
                     .scope = COLUMN_NONE,
                     .rev = COLUMN_NONE};
    assert(schema_check(schema, NULL).code == OK);
    for (size_t i = 0; i < schema->count; i++) {
        const Field *field = &schema->fields[i];
        if (!field_is_stored(field)) continue;
        size_t position = table->column_count++;
        table->columns[position] = field;
        assert(!(field->flags & GLOBAL) || field->flags & UNIQUE);
        if (field->flags & ORDERED) table_order_check(field);
        assert(!(field->flags & LOOSE) || !(field->flags & (KEY | SCOPE | REV | UNIQUE)));
        if (field->flags & KEY) table->key = position;
        if (field->flags & SCOPE) table->scope = position;
        if (field->flags & REV) table->rev = position;
    }
    assert(table->key != COLUMN_NONE && table_kind(table, table->key) == VALUE_TEXT);
    assert(table->scope == COLUMN_NONE || table_kind(table, table->scope) == VALUE_TEXT);
    assert(table->rev == COLUMN_NONE || table->columns[table->rev]->kind == KIND_U64);
    assert(table->column_count >= 2); // a key alone would leave nothing to replace
}

size_t table_column(const Table *table, Str name) {
    for (size_t i = 0; i < table->column_count; i++)
        if (str_eq(table->columns[i]->name, name)) return i;
    return COLUMN_NONE;
}

size_t table_member(const Table *table, Member member) {
    assert(member.schema == table->schema);
    size_t position = 0;
    while (position < table->column_count && table->columns[position]->offset != member.offset)
        position++;
    assert(position < table->column_count); // else a member that is not stored
    return position;
}

bool table_is_loose(const Table *table, size_t position) {
    return table->columns[position]->flags & LOOSE;
}

bool table_is_findable(const Table *table, size_t position) {
    return table->columns[position]->flags & (KEY | SCOPE | UNIQUE | INDEXED | ORDERED);
}

bool table_is_unique(const Table *table, size_t position) {
    return position != table->key && (table->columns[position]->flags & UNIQUE);
}

bool table_is_scoped(const Table *table, size_t position) {
    return table->scope != COLUMN_NONE && table->scope != position
           && !(table->columns[position]->flags & GLOBAL);
}

Err table_row(const Table *table, const void *record, Arena *arena, Value **ret_row) {
    Value *row = ARENA_ARRAY(arena, Value, table->column_count);
    if (!row) return arena_check(arena);
    for (size_t i = 0; i < table->column_count; i++) {
        TRY(field_to_value(table->columns[i], record, arena, &row[i]));
        if (row[i].kind == VALUE_NULL && table->columns[i]->flags & ORDERED)
            row[i] = (Value){.kind = (unsigned)table_kind(table, i), .text = S("")};
        if (row[i].kind != VALUE_TEXT && row[i].kind != VALUE_BLOB) continue;
        row[i].text = str_dup(arena, row[i].text);
        if (!row[i].text.ptr) return arena_check(arena);
    }
    *ret_row = row;
    return SUCCESS;
}

Err table_record(const Table *table, const Value *row, Arena *arena, void *record) {
    for (size_t i = 0; i < table->column_count; i++) {
        Value value = row[i];
        if (table->columns[i]->flags & ORDERED && value.kind == VALUE_TEXT && value.text.len == 0)
            value.kind = VALUE_NULL;
        Err err = field_from_value(table->columns[i], value, arena, record);
        // The caller's input is not what is wrong here.
        if (err.code == ERR_INVALID)
            return (Err){ERR_SYSTEM, EBADMSG, "a stored row does not fit its schema"};
        TRY(err);
    }
    return SUCCESS;
}

bool value_is_same(const Value *a, const Value *b) {
    if (a->kind != b->kind) return false;
    switch (a->kind) {
    case VALUE_NULL:
        return true;
    case VALUE_I64:
        return a->i64 == b->i64;
    case VALUE_DOUBLE:
        return !(a->real < b->real) && !(a->real > b->real);
    case VALUE_TEXT:
    case VALUE_BLOB:
        return str_eq(a->text, b->text);
    }
    assert(false && "a value has a kind");
    return false;
}

int value_cmp(const Value *a, const Value *b) {
    assert(a->kind != VALUE_DOUBLE && b->kind != VALUE_DOUBLE);
    if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
    if (a->kind == VALUE_NULL) return 0;
    if (a->kind == VALUE_I64) return (a->i64 > b->i64) - (a->i64 < b->i64);
    return str_cmp(a->text, b->text);
}
