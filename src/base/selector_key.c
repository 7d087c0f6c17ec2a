// SPDX-License-Identifier: Apache-2.0
// Keys, and how the values of records and of terms become what can be compared.
#include "base/selector_parts.h"

#include <assert.h>

enum { DIGITS_MAX = 15 }; // so that a double holds them and their scaling exactly

bool selector_op_orders(SelectorOp op) {
    return op == SELECTOR_BELOW || op == SELECTOR_AT_MOST || op == SELECTOR_ABOVE
           || op == SELECTOR_AT_LEAST;
}

/// The map among the keys; NULL if there is none.
static const Field *selector_key_map(const SelectorKeys *keys) {
    for (size_t i = 0; i < keys->count; i++)
        if (keys->rows[i].kind == KIND_MAP) return &keys->rows[i];
    return NULL;
}

/// The first row of this name; NULL if there is none.
static const Field *selector_key_row(const SelectorKeys *keys, Str name) {
    for (size_t i = 0; i < keys->count; i++)
        if (str_eq(keys->rows[i].name, name)) return &keys->rows[i];
    return NULL;
}

bool selector_key_find(const SelectorKeys *keys, SelectorTerm *term) {
    const Field *row = selector_key_row(keys, term->key);
    if (row && row->kind != KIND_MAP) {
        const Field *end = keys->rows + keys->count;
        term->rows = row;
        while (row < end && str_eq(row->name, term->key))
            row++;
        term->row_count = (size_t)(row - term->rows);
        return true;
    }
    const Field *map = selector_key_map(keys);
    if (!map) return false;
    term->rows = map;
    term->row_count = 1;
    Str entry = term->key;
    Str name = {};
    bool is_long = str_cut(&entry, '.', &name) && entry.len > 0 && str_eq(name, map->name);
    term->entry = is_long ? entry : term->key;
    return true;
}

/// Digits at the front of `*rest`, added to `*digits` at the end.
static size_t selector_digits_take(Str *rest, uint64_t *digits) {
    size_t count = 0;
    while (count < rest->len && rest->ptr[count] >= '0' && rest->ptr[count] <= '9') {
        if (count <= DIGITS_MAX) *digits = *digits * 10 + (uint64_t)(rest->ptr[count] - '0');
        count++;
    }
    *rest = str_slice(*rest, count, rest->len);
    return count;
}

/// "-12.5": at most DIGITS_MAX digits, at least one on each side of a point.
static SelectorOperand selector_number(Str text) {
    const SelectorOperand none = {};
    bool is_negative = str_starts(text, S("-"));
    Str rest = str_slice(text, is_negative ? 1 : 0, text.len);
    uint64_t digits = 0;
    size_t whole = selector_digits_take(&rest, &digits);
    size_t fraction = 0;
    if (str_starts(rest, S("."))) {
        rest = str_slice(rest, 1, rest.len);
        fraction = whole <= DIGITS_MAX ? selector_digits_take(&rest, &digits) : 0;
        if (fraction == 0) return none;
    }
    if (whole == 0 || rest.len > 0 || whole + fraction > DIGITS_MAX) return none;
    double scale = 1;
    while (fraction-- > 0)
        scale *= 10;
    double number = (double)digits / scale;
    return (SelectorOperand){OPERAND_NUMBER, {}, is_negative ? -number : number};
}

static SelectorOperand selector_span(Str text) {
    Duration span;
    if (duration_parse(text, &span).code != OK) return (SelectorOperand){};
    return (SelectorOperand){OPERAND_SPAN, {}, (double)span.ms};
}

static SelectorOperand selector_text(Str text) {
    return (SelectorOperand){.form = text.ptr ? OPERAND_TEXT : OPERAND_ABSENT, .text = text};
}

// How a row of a kind reads the text of a value: the first are for =, the others for <.

static SelectorOperand selector_read_text(const Field *, Str text) {
    return selector_text(text);
}

static SelectorOperand selector_read_bool(const Field *, Str text) {
    bool is_bool = str_eq(text, S("true")) || str_eq(text, S("false"));
    return selector_text(is_bool ? text : (Str){});
}

static SelectorOperand selector_read_enum(const Field *row, Str text) {
    for (size_t i = 0; i < row->names->count; i++)
        if (str_eq(str_from(row->names->items[i]), text)) return selector_text(text);
    return (SelectorOperand){};
}

static SelectorOperand selector_read_id(const Field *row, Str text) {
    Id id;
    bool is_id = id_parse(text, str_from(row->prefix), &id).code == OK;
    return selector_text(is_id ? text : (Str){});
}

static SelectorOperand selector_read_number(const Field *, Str text) {
    return selector_number(text);
}

static SelectorOperand selector_read_span(const Field *, Str text) {
    return selector_span(text);
}

static SelectorOperand selector_read_scale(const Field *, Str text) {
    SelectorOperand number = selector_number(text);
    return number.form ? number : selector_span(text);
}

/// What is wanted of a member.
typedef struct SelectorWish {
    Str entry;
    OperandForm form;
    uint64_t now_ms;
} SelectorWish;

static SelectorOperand selector_of_bool(const Field *, const void *member, const SelectorWish *) {
    return selector_text(*(const bool *)member ? S("true") : S("false"));
}

static SelectorOperand selector_of_u64(const Field *, const void *member, const SelectorWish *) {
    return (SelectorOperand){OPERAND_NUMBER, {}, (double)*(const uint64_t *)member};
}

static SelectorOperand selector_of_i64(const Field *, const void *member, const SelectorWish *) {
    return (SelectorOperand){OPERAND_NUMBER, {}, (double)*(const int64_t *)member};
}

static SelectorOperand selector_of_double(const Field *, const void *member, const SelectorWish *) {
    return (SelectorOperand){OPERAND_NUMBER, {}, *(const double *)member};
}

static SelectorOperand
selector_of_enum(const Field *row, const void *member, const SelectorWish *) {
    return selector_text(str_from(row->names->items[*(const unsigned *)member]));
}

static SelectorOperand selector_of_id(const Field *, const void *member, const SelectorWish *) {
    return selector_text(id_str(member));
}

static SelectorOperand
selector_of_duration(const Field *, const void *member, const SelectorWish *) {
    return (SelectorOperand){OPERAND_SPAN, {}, (double)((const Duration *)member)->ms};
}

static SelectorOperand
selector_of_time(const Field *, const void *member, const SelectorWish *wish) {
    uint64_t then_ms = ((const Time *)member)->ms;
    uint64_t age_ms = wish->now_ms > then_ms ? wish->now_ms - then_ms : 0;
    return (SelectorOperand){OPERAND_SPAN, {}, (double)age_ms};
}

static SelectorOperand selector_of_text(Str text, OperandForm form) {
    if (form == OPERAND_NUMBER) return selector_number(text);
    if (form == OPERAND_SPAN) return selector_span(text);
    return selector_text(text);
}

static SelectorOperand
selector_of_str(const Field *, const void *member, const SelectorWish *wish) {
    return selector_of_text(*(const Str *)member, wish->form);
}

static SelectorOperand
selector_of_map(const Field *, const void *member, const SelectorWish *wish) {
    return selector_of_text(str_map_find(*(const StrMap *)member, wish->entry), wish->form);
}

#define NUMBER_ALLOWED "a number of at most 15 digits, like 12.5"
#define SPAN_ALLOWED "a duration, like 30s, 1h30m or 7d"
#define SCALE_ALLOWED "a number or a duration, like 12.5 or 1h30m"
_Static_assert(DIGITS_MAX == 15, "the text of NUMBER_ALLOWED says so");

/// What can be done with the kinds that a key can be of.
static const struct {
    SelectorOperand (*equal)(const Field *row, Str text); ///< NULL: not by =
    SelectorOperand (*order)(const Field *row, Str text); ///< NULL: not by <
    SelectorOperand (*of)(const Field *row, const void *member, const SelectorWish *wish);
    const char *allowed; ///< NULL: what the field allows
} selector_kinds[] = {
    [KIND_BOOL] = {selector_read_bool,   NULL,                 selector_of_bool,     NULL          },
    [KIND_U64] = {selector_read_number, selector_read_number, selector_of_u64,      NUMBER_ALLOWED},
    [KIND_I64] = {selector_read_number, selector_read_number, selector_of_i64,      NUMBER_ALLOWED},
    [KIND_DOUBLE] = {selector_read_number,
                   selector_read_number,                       selector_of_double,
                   NUMBER_ALLOWED                                                                  },
    [KIND_ENUM] = {selector_read_enum,   NULL,                 selector_of_enum,     NULL          },
    [KIND_STR] = {selector_read_text,   selector_read_scale,  selector_of_str,      SCALE_ALLOWED },
    [KIND_ID] = {selector_read_id,     NULL,                 selector_of_id,       NULL          },
    [KIND_TIME] = {NULL,                 selector_read_span,   selector_of_time,     SPAN_ALLOWED  },
    [KIND_DURATION] = {selector_read_span,   selector_read_span,   selector_of_duration, SPAN_ALLOWED  },
    [KIND_MAP] = {selector_read_text,   selector_read_scale,  selector_of_map,      SCALE_ALLOWED },
    [KIND_RECORDS] = {NULL,                 NULL,                 NULL,                 NULL          },
};

bool selector_key_takes_op(const SelectorTerm *term) {
    bool is_order = selector_op_orders(term->op);
    for (size_t i = 0; i < term->row_count; i++) {
        FieldKind kind = term->rows[i].kind;
        assert(selector_kinds[kind].of);
        if (is_order ? selector_kinds[kind].order : selector_kinds[kind].equal) return true;
    }
    return false;
}

bool selector_key_read(const SelectorTerm *term, Str text, SelectorValue *ret_value) {
    bool is_order = selector_op_orders(term->op);
    for (size_t i = 0; i < term->row_count; i++) {
        const Field *row = &term->rows[i];
        SelectorOperand (*read)(const Field *row, Str text) =
            is_order ? selector_kinds[row->kind].order : selector_kinds[row->kind].equal;
        SelectorOperand operand = read ? read(row, text) : (SelectorOperand){};
        if (!operand.form) continue;
        *ret_value = (SelectorValue){.text = text, .field = row, .operand = operand};
        return true;
    }
    return false;
}

void selector_key_allowed(const SelectorTerm *term, Text *out) {
    const Field *row = &term->rows[term->row_count - 1];
    const char *allowed = selector_kinds[row->kind].allowed;
    if (allowed)
        text_add(out, str_from(allowed));
    else
        field_allowed(row, out);
}

SelectorOperand selector_operand(
    const Field *row, Str entry, OperandForm form, const void *record, uint64_t now_ms) {
    const void *member = field_in(row, record);
    if (field_is_absent(row, member)) return (SelectorOperand){};
    const SelectorWish wish = {.entry = entry, .form = form, .now_ms = now_ms};
    return selector_kinds[row->kind].of(row, member, &wish);
}

/// What is wrong with a row; NULL: nothing.
static const char *selector_key_fault(const SelectorKeys *keys, const Field *row) {
    if (row->kind > KIND_RECORDS || !selector_kinds[row->kind].of) return "cannot be compared";
    if (row->kind == KIND_ENUM && !row->names) return "has no texts";
    if (row->kind == KIND_ID && !row->prefix) return "has no prefix";
    if (row->kind == KIND_MAP && row != selector_key_map(keys)) return "is a second map";
    bool is_first = row == selector_key_row(keys, row->name);
    if (!is_first && !str_eq(row[-1].name, row->name)) return "stands apart from its first row";
    return NULL;
}

Err selector_keys_check(const SelectorKeys *keys, Reason *reason) {
    for (size_t i = 0; i < keys->count; i++) {
        const char *fault = selector_key_fault(keys, &keys->rows[i]);
        const Err unsound = FAIL(ERR_INVALID, "a table of keys is not sound");
        if (fault)
            return reason_fail(reason, unsound, "%.*s %s", STR_FMT(keys->rows[i].name), fault);
    }
    return SUCCESS;
}
