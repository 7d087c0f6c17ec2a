// SPDX-License-Identifier: Apache-2.0
/// JSON text to tree and back. The tree is jansson's; the bounds and the canonical form are ours.
#include "base/schema_parts.h"
#include "base/scope.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DOUBLE_TEXT_MAX = 40 };

static _Thread_local bool json_is_starved; ///< a malloc of jansson has failed on this thread

static void *json_malloc(size_t size) {
    void *bytes = malloc(size);
    if (!bytes) json_is_starved = true;
    return bytes;
}

/// Jansson tells a malloc that failed within a text as bad syntax: it is counted here instead.
__attribute__((constructor)) static void json_setup(void) {
    json_set_alloc_funcs(json_malloc, free);
}

void json_drop(json_t **json) {
    json_decref(*json);
}

/// How deep the document nests: exact for JSON, and otherwise for what stands before the error.
static size_t json_depth_scan(Str json) {
    size_t depth = 0;
    size_t deepest = 0;
    bool in_text = false;
    for (size_t i = 0; i < json.len; i++) {
        char c = json.ptr[i];
        if (in_text && c == '\\') i++;
        if (c == '"') in_text = !in_text;
        if (in_text) continue;
        if ((c == '[' || c == '{') && ++depth > deepest) deepest = depth;
        if ((c == ']' || c == '}') && depth > 0) depth--;
    }
    return deepest;
}

Err json_read(Str json, Faults *faults, json_t **ret_json) {
    if (json_depth_scan(json) > JSON_DEPTH_MAX) {
        faults_add(faults, S(""), "must be nested at most %d deep", JSON_DEPTH_MAX);
        return faults_check(faults);
    }
    if (json.len && memchr(json.ptr, '\0', json.len)) { // jansson passes over some of them
        faults_add(faults, S(""), "must be JSON, which has no NUL");
        return faults_check(faults);
    }
    json_error_t error;
    json_is_starved = false;
    json_t *tree = json_loadb(
        json.ptr ? json.ptr : "", json.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (json_is_starved) {
        json_decref(tree);
        return OUT_OF_MEMORY;
    }
    if (tree) {
        *ret_json = tree;
        return SUCCESS;
    }
    faults_add(faults,
               S(""),
               "must be JSON; line %d, column %d: %s",
               error.line,
               error.column,
               error.text);
    return faults_check(faults);
}

/// A decimal point is whatever the locale makes of it; JSON's is '.'.
static void json_add_number_text(const char *text, Text *out) {
    bool in_point = false;
    for (; *text; text++) {
        bool is_number_char = strchr("0123456789+-e", *text) != NULL;
        if (is_number_char) {
            text_add_char(out, *text);
        } else if (!in_point) {
            text_add_char(out, '.');
        }
        in_point = !is_number_char;
    }
}

void json_write_double(double value, Text *out) {
    if (!isfinite(value)) {
        text_add(out, S("null"));
        return;
    }
    bool is_exact = fabs(value) <= 9007199254740992.0;   // 2^53
    if (is_exact && value == (double)(long long)value) { // 1.0 is written 1, and -0 as 0
        text_add_i64(out, (int64_t)value);
        return;
    }
    char text[DOUBLE_TEXT_MAX];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    json_add_number_text(text, out);
}

static int json_key_order(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/// The object's keys, malloc'ed; NULL when there is no memory.
static const char **json_keys_of(json_t *object, bool sorted) {
    size_t count = json_object_size(object);
    const char **keys = calloc(count + 1, sizeof(*keys));
    if (!keys) return NULL;
    size_t at = 0;
    for (void *it = json_object_iter(object); it; it = json_object_iter_next(object, it))
        keys[at++] = json_object_iter_key(it);
    if (sorted && count > 1) qsort(keys, count, sizeof(*keys), json_key_order);
    return keys;
}

static void json_write_object(json_t *object, bool sorted, Text *out) {
    SCOPED(mem_freep) const char **keys = json_keys_of(object, sorted);
    if (!keys) {
        out->failed = ERR_MEMORY;
        return;
    }
    text_add_char(out, '{');
    for (size_t i = 0; keys[i]; i++) {
        if (i) text_add_char(out, ',');
        text_add_json(out, str_from(keys[i]));
        text_add_char(out, ':');
        json_write(json_object_get(object, keys[i]), sorted, out);
    }
    text_add_char(out, '}');
}

static void json_write_array(json_t *array, bool sorted, Text *out) {
    text_add_char(out, '[');
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (i) text_add_char(out, ',');
        json_write(json_array_get(array, i), sorted, out);
    }
    text_add_char(out, ']');
}

void json_write(json_t *json, bool sorted, Text *out) {
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        json_write_object(json, sorted, out);
        break;
    case JSON_ARRAY:
        json_write_array(json, sorted, out);
        break;
    case JSON_STRING:
        text_add_json(out, (Str){json_string_value(json), json_string_length(json)});
        break;
    case JSON_INTEGER:
        text_add_i64(out, json_integer_value(json));
        break;
    case JSON_REAL:
        json_write_double(json_real_value(json), out);
        break;
    case JSON_TRUE:
        text_add(out, S("true"));
        break;
    case JSON_FALSE:
        text_add(out, S("false"));
        break;
    case JSON_NULL:
        text_add(out, S("null"));
        break;
    }
}

Err json_canonical(Arena *arena, Str json, Str *ret_json) {
    if (json_depth_scan(json) > JSON_DEPTH_MAX)
        return FAIL(ERR_LIMIT, "the document is nested too deep");
    Faults faults;
    faults_init(&faults, arena);
    SCOPED(json_drop) json_t *tree = NULL;
    Err err = json_read(json, &faults, &tree);
    if (err.code == ERR_INVALID) return FAIL(ERR_INVALID, "the document is not JSON");
    TRY(err);
    SCOPED(text_done) Text out;
    text_init(&out, json.len * 8 + 16); // a number like 9e15 grows most
    json_write(tree, true, &out);
    TRY(text_check(&out));
    Str text = str_dup(arena, text_str(&out));
    if (!text.ptr) return arena_check(arena);
    *ret_json = text;
    return SUCCESS;
}
