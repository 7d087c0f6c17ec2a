// SPDX-License-Identifier: Apache-2.0
#include "base/json_slice.h"

#include <string.h>

static size_t json_slice_blanks(Str json, size_t at) {
    while (at < json.len && json.ptr[at] && strchr(" \t\r\n", json.ptr[at]))
        at++;
    return at;
}

/// The end of the string that begins at `at`.
static size_t json_slice_string(Str json, size_t at) {
    for (at++; at < json.len && json.ptr[at] != '"'; at++)
        if (json.ptr[at] == '\\') at++;
    return at < json.len ? at + 1 : json.len;
}

/// The end of the value that begins at `at`.
static size_t json_slice_value(Str json, size_t at) {
    size_t depth = 0;
    while (at < json.len) {
        char c = json.ptr[at];
        if (c == '"') {
            at = json_slice_string(json, at);
        } else if (c == '{' || c == '[') {
            depth++;
            at++;
        } else if (c == '}' || c == ']') {
            if (depth == 0) return at;
            depth--;
            at++;
        } else if (depth == 0 && (c == ',' || (c && strchr(" \t\r\n", c)))) {
            return at;
        } else {
            at++;
            continue; // a number or a word goes on
        }
        if (depth == 0) return at;
    }
    return at;
}

bool json_slice_next_member(Str *members, Str *ret_name, Str *ret_value) {
    size_t at = json_slice_blanks(*members, 0);
    if (at == members->len || (members->ptr[at] != '{' && members->ptr[at] != ',')) return false;
    size_t name = json_slice_blanks(*members, at + 1);
    if (name == members->len || members->ptr[name] != '"') return false;
    size_t name_end = json_slice_string(*members, name);
    size_t colon = json_slice_blanks(*members, name_end);
    size_t value = json_slice_blanks(*members, colon + 1);
    size_t end = json_slice_value(*members, value);
    *ret_name = str_slice(*members, name + 1, name_end - 1);
    *ret_value = str_slice(*members, value, end);
    *members = str_slice(*members, end, members->len);
    return true;
}

Str json_slice_member(Str json, Str name) {
    Str found, value;
    while (json_slice_next_member(&json, &found, &value))
        if (str_eq(found, name)) return value;
    return (Str){};
}

bool json_slice_next(Str *items, Str *ret_item) {
    size_t at = json_slice_blanks(*items, 0);
    if (at == items->len || (items->ptr[at] != '[' && items->ptr[at] != ',')) return false;
    at = json_slice_blanks(*items, at + 1);
    if (at == items->len || items->ptr[at] == ']') return false;
    size_t end = json_slice_value(*items, at);
    if (end == at) return false;
    *ret_item = str_slice(*items, at, end);
    *items = str_slice(*items, end, items->len);
    return true;
}
