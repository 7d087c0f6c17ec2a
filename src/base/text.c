// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY_MIN = 64 };

void text_init(Text *text, size_t max) {
    *text = (Text){.max = max};
}

void text_done(Text *text) {
    free(text->ptr);
    text_init(text, text->max);
}

void text_clear(Text *text) {
    text->len = 0;
    text->failed = OK;
    if (text->ptr) text->ptr[0] = '\0';
}

/// Room for `more` bytes and the NUL; remembers the refusal.
static bool text_reserve(Text *text, size_t more) {
    if (text->failed) return false;
    if (more > text->max - text->len) {
        text->failed = ERR_LIMIT;
        return false;
    }
    size_t need = text->len + more + 1;
    if (need <= text->capacity) return true;
    size_t capacity = text->capacity ? text->capacity : CAPACITY_MIN;
    while (capacity < need)
        capacity *= 2;
    char *grown = realloc(text->ptr, capacity);
    if (!grown) {
        text->failed = ERR_MEMORY;
        return false;
    }
    text->ptr = grown;
    text->capacity = capacity;
    return true;
}

void text_add(Text *text, Str part) {
    if (part.len == 0 || !text_reserve(text, part.len)) return;
    memcpy(text->ptr + text->len, part.ptr, part.len);
    text->len += part.len;
    text->ptr[text->len] = '\0';
}

void text_add_char(Text *text, char c) {
    if (!text_reserve(text, 1)) return;
    text->ptr[text->len++] = c;
    text->ptr[text->len] = '\0';
}

void text_add_u64(Text *text, uint64_t value) {
    char digits[20]; // of 2^64-1
    size_t first = sizeof(digits);
    do {
        digits[--first] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    text_add(text, (Str){digits + first, sizeof(digits) - first});
}

void text_add_i64(Text *text, int64_t value) {
    if (value < 0) text_add_char(text, '-');
    text_add_u64(text, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void text_print(Text *text, const char *format, ...) {
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0) text->failed = ERR_LIMIT; // longer than printf can count
    if (len > 0 && text_reserve(text, (size_t)len)) {
        vsnprintf(text->ptr + text->len, (size_t)len + 1, format, again);
        text->len += (size_t)len;
    }
    va_end(again);
}

static void text_add_escape(Text *text, unsigned char c) {
    static const char short_form[] = {['\b'] = 'b',
                                      ['\t'] = 't',
                                      ['\n'] = 'n',
                                      ['\f'] = 'f',
                                      ['\r'] = 'r',
                                      ['"'] = '"',
                                      ['\\'] = '\\'};
    if (c < sizeof(short_form) && short_form[c]) {
        text_add(text,
                 (Str){
                     (const char[]){'\\', short_form[c]},
                      2
        });
    } else {
        text_print(text, "\\u%04x", c);
    }
}

/// The end of what stands in a JSON string as it is, from `at` on.
static size_t text_plain_end(Str value, size_t at) {
    while (at < value.len) {
        unsigned char c = (unsigned char)value.ptr[at];
        size_t len = c < 0x80 ? c >= 0x20 && c != '"' && c != '\\' : str_utf8_len(value, at);
        if (len == 0) break;
        at += len;
    }
    return at;
}

void text_add_json(Text *text, Str value) {
    text_add_char(text, '"');
    for (size_t at = 0; at < value.len; at++) {
        size_t end = text_plain_end(value, at);
        text_add(text, str_slice(value, at, end));
        at = end;
        if (at == value.len) break;
        unsigned char c = (unsigned char)value.ptr[at];
        if (c < 0x80)
            text_add_escape(text, c);
        else
            text_add(text, S("\xef\xbf\xbd"));
    }
    text_add_char(text, '"');
}

Str text_str(const Text *text) {
    return text->ptr ? (Str){text->ptr, text->len} : S("");
}

Err text_check(const Text *text) {
    if (text->failed == OK) return SUCCESS;
    if (text->failed == ERR_MEMORY) return OUT_OF_MEMORY;
    return FAIL(text->failed, "the text grew over its limit");
}
