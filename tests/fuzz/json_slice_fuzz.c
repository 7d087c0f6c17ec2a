// SPDX-License-Identifier: Apache-2.0
/// Parts cut out of a text: of JSON they are what a parser finds there, of anything else they lie
/// within the text.
#include "base/json_slice.h"

#include <assert.h>
#include <jansson.h>
#include <string.h>

enum { TREE_FLAGS = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_within(Str part, Str text) {
    return !part.ptr || (part.ptr >= text.ptr && part.ptr + part.len <= text.ptr + text.len);
}

/// `part` is this value, and nothing around it.
static void value_check(Str part, const json_t *wanted) {
    json_t *got = json_loadb(part.ptr, part.len, TREE_FLAGS, NULL);
    assert(got && json_equal(got, wanted));
    assert(part.len > 0 && !strchr(" \t\r\n", part.ptr[0]));
    assert(!strchr(" \t\r\n", part.ptr[part.len - 1]));
    json_decref(got);
}

static void items_check(Str items, const json_t *list) {
    Str item;
    size_t count = 0;
    while (json_slice_next(&items, &item))
        value_check(item, json_array_get(list, count++));
    assert(count == json_array_size(list));
}

static void members_check(Str text, json_t *object) {
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value) {
        Str part = json_slice_member(text, str_from(name));
        if (part.ptr) value_check(part, value);
        // Only a name that is written with escapes is not found.
        assert(part.ptr || memchr(text.ptr, '\\', text.len));
        if (part.ptr && json_is_array(value)) items_check(part, value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Str text = {(const char *)data, size}, items = text, members = text, item, name;
    assert(is_within(json_slice_member(text, S("services")), text));
    for (size_t turns = 0; json_slice_next(&items, &item); turns++)
        assert(turns < size && is_within(item, text) && is_within(items, text));
    for (size_t turns = 0; json_slice_next_member(&members, &name, &item); turns++)
        assert(turns < size && is_within(item, text) && is_within(name, text));
    if (size && memchr(data, 0, size)) return 0; // no JSON, though jansson may read it
    json_t *tree = json_loadb((const char *)data, size, TREE_FLAGS, NULL);
    if (json_is_object(tree)) members_check(text, tree);
    if (json_is_array(tree)) items_check(text, tree);
    json_decref(tree);
    return 0;
}
