// SPDX-License-Identifier: Apache-2.0
// What a query means to an engine: columns instead of members, rows behind a cursor, the scope.
#include "db/cursor.h"
#include "db/tx_parts.h"

#include <assert.h>

static void tx_term_add(Select *select, Term term) {
    assert(select->term_count < SELECT_TERMS_MAX);
    assert(term.value.kind == VALUE_NULL
           || (int)term.value.kind == table_kind(select->table, term.column));
    select->terms[select->term_count++] = term;
}

void tx_select_add(Select *select, size_t column, Value value) {
    tx_term_add(select, (Term){column, HOW_IS, value});
}

Select tx_select_visible(Tx *tx, const Schema *schema) {
    Select select = {.table = db_table(tx->db, schema)};
    select.order = select.table->key;
    if (tx->sees_all) return select;
    if (!tx->scope.ptr)
        tx_select_add(&select, select.table->key, (Value){}); // which nothing meets
    else if (select.table->scope != COLUMN_NONE)
        tx_select_add(&select, select.table->scope, value_str(tx->scope));
    return select;
}

enum { CODE_MAX = 0x10FFFF, SURROGATES_BEGIN = 0xD800, SURROGATES_END = 0xE000 };

/// The character of `len` bytes at `ptr`, which are UTF-8.
static uint32_t tx_code_read(const char *ptr, size_t len) {
    static const uint8_t heads[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t code = (uint8_t)ptr[0] & heads[len];
    for (size_t i = 1; i < len; i++)
        code = code << 6 | ((uint8_t)ptr[i] & 0x3f);
    return code;
}

/// UTF-8 of one character. Gives its length.
static size_t tx_code_write(uint32_t code, char ret_bytes[4]) {
    static const uint8_t heads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--, code >>= 6)
        ret_bytes[i] = (char)(0x80 | (code & 0x3f));
    ret_bytes[0] = (char)(heads[len] | code);
    return len;
}

/// The least text behind all that begin with `prefix`: its last character replaced by the next one,
/// since an engine may take nothing that is not UTF-8. Absent: no text is behind them.
static Str tx_prefix_end(Arena *arena, Str prefix) {
    for (size_t end = prefix.len; end > 0;) {
        size_t at = end - 1;
        while (at > 0 && ((uint8_t)prefix.ptr[at] & 0xc0) == 0x80)
            at--;
        uint32_t code = tx_code_read(prefix.ptr + at, str_utf8_len(prefix, at));
        end = at;
        if (code == CODE_MAX) continue;
        char bytes[4];
        code = code + 1 == SURROGATES_BEGIN ? SURROGATES_END : code + 1;
        int len = (int)tx_code_write(code, bytes);
        return str_print(arena, "%.*s%.*s", STR_FMT(str_slice(prefix, 0, at)), len, bytes);
    }
    return (Str){};
}

static Err tx_begins_add(Tx *tx, Select *select, size_t column, Str prefix) {
    assert(table_kind(select->table, column) == VALUE_TEXT);
    tx_term_add(select, (Term){column, HOW_AT_LEAST, value_str(prefix)});
    if (!prefix.ptr) return SUCCESS;
    if (!str_is_text(prefix)) { // no text begins with it
        tx_term_add(select, (Term){column, HOW_ONE_OF, .count = 0});
        return SUCCESS;
    }
    Str end = tx_prefix_end(tx->arena, prefix);
    TRY(arena_check(tx->arena));
    if (end.ptr) tx_term_add(select, (Term){column, HOW_BELOW, value_str(end)});
    return SUCCESS;
}

/// The values of the array that are not absent.
static Err tx_one_of_add(Tx *tx, Select *select, size_t column, const Condition *condition) {
    Field item = *select->table->columns[column];
    item.offset = 0;
    Value *values = ARENA_ARRAY(tx->arena, Value, condition->count + 1);
    TRY(arena_check(tx->arena));
    size_t count = 0;
    for (size_t i = 0; i < condition->count; i++) {
        const void *at = (const char *)condition->items + i * condition->item_size;
        TRY(field_to_value(&item, at, tx->arena, &values[count]));
        if (values[count].kind != VALUE_NULL) count++;
    }
    tx_term_add(select, (Term){column, HOW_ONE_OF, .values = values, .count = count});
    return SUCCESS;
}

Value tx_condition_value(const Table *table, const Condition *condition) {
    const Field *field = table->columns[table_member(table, condition->member)];
    Value value = condition->value;
    if (field->kind != KIND_ENUM || value.kind != VALUE_I64) return value;
    assert((uint64_t)value.i64 < field->names->count);
    return value_str(str_from(field->names->items[value.i64]));
}

static Err tx_condition_add(Tx *tx, Select *select, const Condition *condition) {
    size_t column = table_member(select->table, condition->member);
    assert(table_is_findable(select->table, column));
    Value value = tx_condition_value(select->table, condition);
    if (condition->how == HOW_BEGINS) return tx_begins_add(tx, select, column, value.text);
    if (condition->how == HOW_ONE_OF) return tx_one_of_add(tx, select, column, condition);
    tx_term_add(select, (Term){column, condition->how, value});
    return SUCCESS;
}

Err tx_select_query(Tx *tx, const Schema *schema, const Query *query, Select *ret_select) {
    Select select = tx_select_visible(tx, schema);
    for (size_t i = 0; i < TX_CONDITIONS_MAX && query->where[i].member.schema; i++)
        TRY(tx_condition_add(tx, &select, &query->where[i]));
    if (query->order.schema) {
        select.order = table_member(select.table, query->order);
        assert(select.table->columns[select.order]->flags & ORDERED);
    }
    select.descending = query->descending;
    *ret_select = select;
    return SUCCESS;
}
