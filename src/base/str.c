// SPDX-License-Identifier: Apache-2.0
#include "base/str.h"

#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

Str str_from(const char *text) {
    return text ? (Str){text, strlen(text)} : (Str){};
}

bool str_eq(Str a, Str b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

int str_cmp(Str a, Str b) {
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common ? memcmp(a.ptr, b.ptr, common) : 0;
    if (order != 0) return order;
    return (a.len > b.len) - (a.len < b.len);
}

bool str_starts(Str text, Str prefix) {
    return text.len >= prefix.len && str_eq(str_slice(text, 0, prefix.len), prefix);
}

bool str_ends(Str text, Str suffix) {
    return text.len >= suffix.len
           && str_eq(str_slice(text, text.len - suffix.len, text.len), suffix);
}

Str str_slice(Str text, size_t from, size_t to) {
    if (to > text.len) to = text.len;
    if (from > to) from = to;
    return text.ptr ? (Str){text.ptr + from, to - from} : (Str){};
}

size_t str_index(Str text, char c, size_t from) {
    while (from < text.len && text.ptr[from] != c)
        from++;
    return from < text.len ? from : text.len;
}

bool str_cut(Str *rest, char separator, Str *ret_part) {
    if (!rest->ptr) return false;
    size_t at = str_index(*rest, separator, 0);
    *ret_part = str_slice(*rest, 0, at);
    *rest = at < rest->len ? str_slice(*rest, at + 1, rest->len) : (Str){};
    return true;
}

static bool str_is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

Str str_trim(Str text) {
    while (text.len && str_is_blank(text.ptr[0]))
        text = str_slice(text, 1, text.len);
    while (text.len && str_is_blank(text.ptr[text.len - 1]))
        text.len--;
    return text;
}

Err str_u64(Str text, uint64_t *ret_value) {
    if (text.len == 0) return FAIL(ERR_INVALID, "a number is missing");
    uint64_t value = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return FAIL(ERR_INVALID, "a number has other characters than digits");
        uint64_t digit = (uint64_t)(text.ptr[i] - '0');
        if (value > (UINT64_MAX - digit) / 10) return FAIL(ERR_INVALID, "a number is too large");
        value = value * 10 + digit;
    }
    *ret_value = value;
    return SUCCESS;
}

Str str_dup(Arena *arena, Str text) {
    if (!text.ptr) return (Str){};
    char *copy = arena_chars(arena, text.len + 1);
    if (!copy) return (Str){};
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return (Str){copy, text.len};
}

Str str_print(Arena *arena, const char *format, ...) {
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = len < 0 ? NULL : arena_chars(arena, (size_t)len + 1);
    if (text) vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return text ? (Str){text, (size_t)len} : (Str){};
}

Str str_map_find(StrMap map, Str key) {
    for (size_t i = 0; i < map.count; i++)
        if (str_eq(map.items[i].key, key)) return map.items[i].value;
    return (Str){};
}

uint64_t str_hash(Str text) {
    uint64_t hash = 14695981039346656037ULL;
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (uint8_t)text.ptr[i]) * 1099511628211ULL;
    return hash;
}

size_t str_utf8_len(Str text, size_t at) {
    const unsigned char *p = (const unsigned char *)text.ptr + at;
    size_t left = text.len - at;
    if (p[0] < 0x80) return 1;
    size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || left < len) return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80) return 0;
    bool overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    bool surrogate = p[0] == 0xed && p[1] > 0x9f;
    bool beyond = p[0] == 0xf4 && p[1] > 0x8f;
    return overlong || surrogate || beyond ? 0 : len;
}

bool str_is_text(Str text) {
    size_t at = 0;
    while (at < text.len && text.ptr[at] != '\0') {
        size_t len = str_utf8_len(text, at);
        if (len == 0) return false;
        at += len;
    }
    return at == text.len;
}
