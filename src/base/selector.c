// SPDX-License-Identifier: Apache-2.0
#include "base/selector_parts.h"

#include <assert.h>

/// The key has a value in the record.
static bool selector_term_is_there(const SelectorTerm *term, const void *record, uint64_t now_ms) {
    for (size_t i = 0; i < term->row_count; i++)
        if (selector_operand(&term->rows[i], term->entry, OPERAND_TEXT, record, now_ms).form)
            return true;
    return false;
}

static bool selector_value_holds(const SelectorTerm *term,
                                 const SelectorValue *value,
                                 const void *record,
                                 uint64_t now_ms) {
    const SelectorOperand *right = &value->operand;
    SelectorOperand left = selector_operand(value->field, term->entry, right->form, record, now_ms);
    if (left.form != right->form) return false;
    if (left.form == OPERAND_TEXT) return str_eq(left.text, right->text);
    bool is_below = left.number < right->number;
    bool is_above = left.number > right->number;
    if (term->op == SELECTOR_BELOW) return is_below;
    if (term->op == SELECTOR_AT_MOST) return !is_above;
    if (term->op == SELECTOR_ABOVE) return is_above;
    if (term->op == SELECTOR_AT_LEAST) return !is_below;
    return !is_below && !is_above;
}

static bool selector_term_holds(const SelectorTerm *term, const void *record, uint64_t now_ms) {
    if (term->op == SELECTOR_THERE || term->op == SELECTOR_MISSING)
        return selector_term_is_there(term, record, now_ms) == (term->op == SELECTOR_THERE);
    bool any = false;
    for (size_t i = 0; i < term->value_count && !any; i++)
        any = selector_value_holds(term, &term->values[i], record, now_ms);
    return any != (term->op == SELECTOR_IS_NOT);
}

/// The term is about a member that is filled in late.
static bool selector_term_is_computed(const SelectorTerm *term) {
    for (size_t i = 0; i < term->value_count; i++)
        if (term->values[i].field->flags & COMPUTED) return true;
    for (size_t i = 0; i < term->row_count && term->value_count == 0; i++)
        if (term->rows[i].flags & COMPUTED) return true;
    return false;
}

bool selector_matches(const Selector *selector, const void *record, uint64_t now_ms) {
    for (size_t i = 0; i < selector->count; i++)
        if (!selector_term_holds(&selector->terms[i], record, now_ms)) return false;
    return true;
}

bool selector_may_match(const Selector *selector, const void *record, uint64_t now_ms) {
    for (size_t i = 0; i < selector->count; i++) {
        const SelectorTerm *term = &selector->terms[i];
        if (!selector_term_is_computed(term) && !selector_term_holds(term, record, now_ms))
            return false;
    }
    return true;
}

/// The indexed field of `stored` that the term says one text of; NULL if there is none.
static const Field *selector_term_index(const SelectorTerm *term, const Schema *stored) {
    if (term->op != SELECTOR_IS || term->value_count != 1) return NULL;
    const Field *row = term->values[0].field;
    bool is_text = row->kind == KIND_STR || row->kind == KIND_ID || row->kind == KIND_ENUM;
    for (size_t i = 0; is_text && i < stored->count; i++) {
        const Field *field = &stored->fields[i];
        bool is_it = field->offset == row->offset && field->kind == row->kind;
        if (is_it && (field->flags & (KEY | UNIQUE | INDEXED))) return field;
    }
    return NULL;
}

bool selector_narrow(const Selector *selector,
                     const Schema *stored,
                     const Field **ret_field,
                     Str *ret_value) {
    const Field *best = NULL;
    for (size_t i = 0; i < selector->count; i++) {
        const Field *field = selector_term_index(&selector->terms[i], stored);
        bool is_better = field && (!best || !(best->flags & (KEY | UNIQUE)))
                         && (!best || field->flags & (KEY | UNIQUE));
        if (!is_better) continue;
        best = field;
        *ret_field = field;
        *ret_value = selector->terms[i].values[0].text;
    }
    return best != NULL;
}

bool selector_is_special(char c) {
    static const Str specials = S(" \t\r\n,()=!<>\"");
    return str_index(specials, c, 0) < specials.len;
}

static void selector_print_value(Str value, Text *out) {
    bool is_bare = true;
    for (size_t i = 0; i < value.len; i++)
        is_bare = is_bare && !selector_is_special(value.ptr[i]);
    if (is_bare) {
        text_add(out, value);
        return;
    }
    text_add_char(out, '"');
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (c == '"' || c == '\\') text_add_char(out, '\\');
        text_add_char(out, c);
    }
    text_add_char(out, '"');
}

static void selector_print_term(const SelectorTerm *term, Text *out) {
    static const char *const one[] = {"=", "!=", "<", "<=", ">", ">=", "", ""};
    static const char *const many[] = {" in (", " notin ("};
    if (term->op == SELECTOR_MISSING) text_add_char(out, '!');
    text_add(out, term->key);
    bool is_list = term->value_count > 1;
    text_add(out, str_from(is_list ? many[term->op] : one[term->op]));
    for (size_t i = 0; i < term->value_count; i++) {
        if (i > 0) text_add_char(out, ',');
        selector_print_value(term->values[i].text, out);
    }
    if (is_list) text_add_char(out, ')');
}

void selector_print(const Selector *selector, Text *out) {
    for (size_t i = 0; i < selector->count; i++) {
        if (i > 0) text_add_char(out, ',');
        selector_print_term(&selector->terms[i], out);
    }
}
