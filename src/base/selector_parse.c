// SPDX-License-Identifier: Apache-2.0
#include "base/selector_parts.h"

#include "base/scope.h"

#include <string.h>

enum { ALLOWED_MAX = 400 };

/// One reading under way.
typedef struct SelectorCursor {
    Str text;
    size_t at;
    const SelectorKeys *keys;
    Arena *arena;
    Reason *reason;
} SelectorCursor;

/// Characters before the byte `at`, and one.
static size_t selector_column(const SelectorCursor *cursor, size_t at) {
    size_t column = 1;
    for (size_t i = 0; i < at && i < cursor->text.len; i++)
        column += ((unsigned char)cursor->text.ptr[i] & 0xc0) != 0x80;
    return column;
}

#define SELECTOR_REFUSE(cursor, at, format, ...)          \
    reason_fail((cursor)->reason,                         \
                FAIL(ERR_INVALID, "this is no selector"), \
                "column %zu: " format,                    \
                selector_column((cursor), (at)) __VA_OPT__(, ) __VA_ARGS__)

/// The characters are UTF-8, and no control characters but blanks.
static Err selector_check_text(const SelectorCursor *cursor) {
    Str text = cursor->text;
    for (size_t at = 0; at < text.len;) {
        size_t len = str_utf8_len(text, at);
        if (len == 0) return SELECTOR_REFUSE(cursor, at, "this is not UTF-8");
        bool is_blank = len == 1 && memchr("\t\r\n", text.ptr[at], 3);
        if (!is_blank && !Pattern_line.matches(str_slice(text, at, at + len)))
            return SELECTOR_REFUSE(cursor, at, "control characters are not allowed");
        at += len;
    }
    return SUCCESS;
}

/// The next character that is no blank; 0 at the end.
static char selector_peek(SelectorCursor *cursor) {
    Str text = cursor->text;
    while (cursor->at < text.len && memchr(" \t\r\n", text.ptr[cursor->at], 4))
        cursor->at++;
    return cursor->at < text.len ? text.ptr[cursor->at] : '\0';
}

/// Move past `token` if it is what stands here.
static bool selector_take(SelectorCursor *cursor, Str token) {
    (void)selector_peek(cursor);
    if (!str_starts(str_slice(cursor->text, cursor->at, SIZE_MAX), token)) return false;
    cursor->at += token.len;
    return true;
}

/// What stands here up to a character that ends a word, perhaps nothing.
static Str selector_take_word(SelectorCursor *cursor) {
    (void)selector_peek(cursor);
    size_t from = cursor->at;
    while (cursor->at < cursor->text.len && !selector_is_special(cursor->text.ptr[cursor->at]))
        cursor->at++;
    return str_slice(cursor->text, from, cursor->at);
}

static bool selector_is_key_char(char c, bool is_first) {
    bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return is_plain || c == '_' || (!is_first && (c == '-' || c == '.' || c == '/'));
}

static Err selector_take_key(SelectorCursor *cursor, SelectorTerm *term) {
    (void)selector_peek(cursor);
    size_t from = cursor->at;
    Str key = selector_take_word(cursor);
    if (key.len == 0) return SELECTOR_REFUSE(cursor, from, "a key is missing");
    for (size_t i = 0; i < key.len; i++)
        if (!selector_is_key_char(key.ptr[i], i == 0))
            return SELECTOR_REFUSE(cursor,
                                   from + i,
                                   "a key has letters, digits, '_', '-', '.' and '/', and begins "
                                   "with one of the first three");
    term->key = str_dup(cursor->arena, key);
    TRY(arena_check(cursor->arena));
    if (selector_key_find(cursor->keys, term)) return SUCCESS;
    return SELECTOR_REFUSE(cursor, from, "there is no key %.*s", STR_FMT(key));
}

/// "..." with \" and \\, without the first quote, which has been taken.
static Err selector_take_quoted(SelectorCursor *cursor, size_t from, Str *ret_value) {
    char *value = arena_alloc(cursor->arena, cursor->text.len - cursor->at + 1, 1);
    if (!value) return arena_check(cursor->arena);
    size_t len = 0;
    for (size_t at = cursor->at; at < cursor->text.len; at++) {
        char c = cursor->text.ptr[at];
        if (c == '"') {
            cursor->at = at + 1;
            *ret_value = (Str){value, len};
            return SUCCESS;
        }
        char next = at + 1 < cursor->text.len ? cursor->text.ptr[at + 1] : '\0';
        if (c == '\\' && next != '"' && next != '\\')
            return SELECTOR_REFUSE(cursor, at, "a backslash goes before '\"' or another one");
        if (c == '\\') c = cursor->text.ptr[++at];
        value[len++] = c;
    }
    return SELECTOR_REFUSE(cursor, from, "the closing quote is missing");
}

static Err
selector_refuse_value(const SelectorCursor *cursor, size_t at, const SelectorTerm *term) {
    SCOPED(text_done) Text allowed;
    text_init(&allowed, ALLOWED_MAX);
    selector_key_allowed(term, &allowed);
    return SELECTOR_REFUSE(
        cursor, at, "%.*s must be %.*s", STR_FMT(term->key), STR_FMT(text_str(&allowed)));
}

/// Put the value among the others, in its order, unless it is there already.
static void selector_add_value(SelectorTerm *term, const SelectorValue *value) {
    size_t at = term->value_count;
    while (at > 0 && str_cmp(value->text, term->values[at - 1].text) < 0)
        at--;
    if (at > 0 && str_eq(value->text, term->values[at - 1].text)) return;
    memmove(&term->values[at + 1],
            &term->values[at],
            (term->value_count - at) * sizeof(term->values[0]));
    term->values[at] = *value;
    term->value_count++;
}

/// A value, which may be empty where the operator does not order, into `values`, which have room.
static Err selector_take_value(SelectorCursor *cursor, SelectorTerm *term) {
    (void)selector_peek(cursor);
    size_t from = cursor->at;
    Str text;
    if (selector_take(cursor, S("\""))) {
        TRY(selector_take_quoted(cursor, from, &text));
    } else {
        text = str_dup(cursor->arena, selector_take_word(cursor));
        TRY(arena_check(cursor->arena));
    }
    SelectorValue value;
    if (!selector_key_read(term, text, &value)) return selector_refuse_value(cursor, from, term);
    selector_add_value(term, &value);
    return SUCCESS;
}

static Err selector_make_room(SelectorCursor *cursor, SelectorTerm *term, size_t count) {
    term->values = ARENA_ARRAY(cursor->arena, SelectorValue, count);
    return arena_check(cursor->arena);
}

/// "(a,b)".
static Err selector_take_list(SelectorCursor *cursor, SelectorTerm *term) {
    TRY(selector_make_room(cursor, term, SELECTOR_VALUES_MAX));
    if (!selector_take(cursor, S("(")))
        return SELECTOR_REFUSE(cursor, cursor->at, "values in brackets are missing: (a,b)");
    for (size_t count = 0; count < SELECTOR_VALUES_MAX; count++) {
        TRY(selector_take_value(cursor, term));
        if (selector_take(cursor, S(")"))) return SUCCESS;
        if (!selector_take(cursor, S(",")))
            return SELECTOR_REFUSE(cursor, cursor->at, "a comma or a closing bracket is missing");
    }
    return SELECTOR_REFUSE(cursor, cursor->at, "more than %d values", SELECTOR_VALUES_MAX);
}

/// Operators, a longer one before what it begins with.
static const struct {
    Str token;
    SelectorOp op;
} selector_ops[] = {
    {{"==", 2}, SELECTOR_IS      },
    {{"=", 1},  SELECTOR_IS      },
    {{"!=", 2}, SELECTOR_IS_NOT  },
    {{"<=", 2}, SELECTOR_AT_MOST },
    {{"<", 1},  SELECTOR_BELOW   },
    {{">=", 2}, SELECTOR_AT_LEAST},
    {{">", 1},  SELECTOR_ABOVE   },
};
enum { OP_COUNT = sizeof(selector_ops) / sizeof(selector_ops[0]) };

static Err selector_take_op(SelectorCursor *cursor, SelectorOp *ret_op, bool *ret_is_list) {
    *ret_is_list = false;
    for (size_t i = 0; i < OP_COUNT; i++) {
        if (!selector_take(cursor, selector_ops[i].token)) continue;
        *ret_op = selector_ops[i].op;
        return SUCCESS;
    }
    size_t from = cursor->at;
    Str word = selector_take_word(cursor);
    *ret_is_list = str_eq(word, S("in")) || str_eq(word, S("notin"));
    *ret_op = str_eq(word, S("in")) ? SELECTOR_IS : SELECTOR_IS_NOT;
    if (*ret_is_list) return SUCCESS;
    return SELECTOR_REFUSE(
        cursor, from, "a comma or one of =, !=, in, notin, <, <=, > and >= is missing");
}

/// The operator cannot compare this key.
static Err selector_refuse_op(const SelectorCursor *cursor, size_t at, const SelectorTerm *term) {
    if (selector_op_orders(term->op))
        return SELECTOR_REFUSE(
            cursor, at, "%.*s has no order: use =, !=, in or notin", STR_FMT(term->key));
    return SELECTOR_REFUSE(cursor, at, "%.*s is an age: use <, <=, > or >=", STR_FMT(term->key));
}

static bool selector_is_at_end(SelectorCursor *cursor) {
    char next = selector_peek(cursor);
    return next == ',' || cursor->at == cursor->text.len;
}

static Err selector_take_term(SelectorCursor *cursor, SelectorTerm *term) {
    bool is_missing = selector_take(cursor, S("!"));
    TRY(selector_take_key(cursor, term));
    term->op = is_missing ? SELECTOR_MISSING : SELECTOR_THERE;
    if (is_missing || selector_is_at_end(cursor)) return SUCCESS;
    size_t op_at = cursor->at;
    bool is_list;
    TRY(selector_take_op(cursor, &term->op, &is_list));
    if (!selector_key_takes_op(term)) return selector_refuse_op(cursor, op_at, term);
    if (is_list) return selector_take_list(cursor, term);
    TRY(selector_make_room(cursor, term, 1));
    return selector_take_value(cursor, term);
}

static Err selector_take_terms(SelectorCursor *cursor, Selector *selector) {
    do {
        (void)selector_peek(cursor);
        if (selector->count == SELECTOR_TERMS_MAX)
            return SELECTOR_REFUSE(cursor, cursor->at, "more than %d terms", SELECTOR_TERMS_MAX);
        TRY(selector_take_term(cursor, &selector->terms[selector->count++]));
        if (!selector_is_at_end(cursor))
            return SELECTOR_REFUSE(
                cursor, cursor->at, "a comma is missing, or quotes around the value");
    } while (selector_take(cursor, S(",")));
    return SUCCESS;
}

/// The canonical text, which may have a blank more in each term, is not too long to be read again.
static Err selector_check_canonical(const SelectorCursor *cursor, const Selector *selector) {
    SCOPED(text_done) Text text;
    text_init(&text, SELECTOR_BYTES_MAX);
    selector_print(selector, &text);
    Err err = text_check(&text);
    if (err.code != ERR_LIMIT) return err;
    return SELECTOR_REFUSE(cursor, SELECTOR_BYTES_MAX, "longer than %d bytes", SELECTOR_BYTES_MAX);
}

Err selector_parse(
    Str text, const SelectorKeys *keys, Arena *arena, Selector *ret_selector, Reason *reason) {
    SelectorCursor cursor = {.text = text, .keys = keys, .arena = arena, .reason = reason};
    if (text.len > SELECTOR_BYTES_MAX)
        return SELECTOR_REFUSE(
            &cursor, SELECTOR_BYTES_MAX, "longer than %d bytes", SELECTOR_BYTES_MAX);
    TRY(selector_check_text(&cursor));
    Selector selector = {.terms = ARENA_ARRAY(arena, SelectorTerm, SELECTOR_TERMS_MAX)};
    TRY(arena_check(arena));
    (void)selector_peek(&cursor);
    if (cursor.at < text.len) TRY(selector_take_terms(&cursor, &selector));
    TRY(selector_check_canonical(&cursor, &selector));
    *ret_selector = selector;
    return SUCCESS;
}
