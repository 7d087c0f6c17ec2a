// SPDX-License-Identifier: Apache-2.0
#include "db/cursor.h"

#include "base/base64.h"

#include <string.h>

// FIELD NUL VALUE NUL KEY, in base64url; neither a text nor a key has a NUL.
enum { CURSOR_BYTES_MAX = 4 * FIELD_STR_MAX };

static Str cursor_order_name(const Select *select) {
    return select->table->columns[select->order]->name;
}

static Str cursor_value_text(const Select *select, Value value, Arena *arena) {
    if (select->order == select->table->key) return S("");
    return value.kind == VALUE_I64 ? str_print(arena, "%lld", (long long)value.i64) : value.text;
}

Err cursor_make(const Select *select, Value value, Str key, Arena *arena, Str *ret_cursor) {
    Str name = cursor_order_name(select);
    Str text = cursor_value_text(select, value, arena);
    Str plain = str_print(
        arena, "%.*s%c%.*s%c%.*s", STR_FMT(name), '\0', STR_FMT(text), '\0', STR_FMT(key));
    TRY(arena_check(arena));
    Bytes bytes = {(const uint8_t *)plain.ptr, name.len + text.len + key.len + 2};
    Str cursor = base64_encode(arena, bytes, BASE64URL);
    TRY(arena_check(arena));
    *ret_cursor = cursor;
    return SUCCESS;
}

/// What cursor_value_text made.
static bool cursor_value_parse(Str text, int kind, Value *ret_value) {
    bool is_negative = str_starts(text, S("-"));
    uint64_t number = 0;
    *ret_value = (Value){.kind = (unsigned)kind, .text = text};
    if (kind != VALUE_I64) return true;
    if (str_u64(str_slice(text, is_negative ? 1 : 0, text.len), &number).code != OK) return false;
    ret_value->i64 = is_negative ? (int64_t)-number : (int64_t)number;
    return true;
}

static bool cursor_parse(Str plain, Select *select) {
    Str name, value;
    if (!str_cut(&plain, '\0', &name) || !str_eq(name, cursor_order_name(select))) return false;
    if (!str_cut(&plain, '\0', &value) || !plain.ptr || !str_is_text(plain)) return false;
    bool by_key = select->order == select->table->key;
    if (by_key ? value.len > 0 : !str_is_text(value)) return false;
    select->after = plain;
    return by_key
           || cursor_value_parse(
               value, table_kind(select->table, select->order), &select->after_value);
}

Err cursor_apply(Str cursor, Arena *arena, Select *select) {
    uint8_t plain[CURSOR_BYTES_MAX];
    size_t len = 0;
    Err invalid = FAIL(ERR_INVALID, "the cursor is not one of this list");
    if (base64_decode(cursor, BASE64URL, plain, sizeof(plain), &len).code != OK) return invalid;
    Str copy = str_dup(arena, (Str){(const char *)plain, len});
    TRY(arena_check(arena));
    return cursor_parse(copy, select) ? SUCCESS : invalid;
}
