// SPDX-License-Identifier: Apache-2.0
/// Canonical JSON of a record. In what schema_encode wrote all but the order of keys is canonical
/// already, so no tree is made of it: members are put in order as they are written.
#include "base/json_slice.h"
#include "base/schema_parts.h"
#include "base/scope.h"

#include <stdlib.h>
#include <string.h>

typedef struct CanonicalMember {
    Str name; ///< without its quotes
    Str value;
} CanonicalMember;

/// One document under way.
typedef struct Canonical {
    Arena *arena; ///< of the members
    Text *out;
    bool is_odd; ///< a name has escapes, or it is nested too deep: it takes a tree
} Canonical;

static int canonical_member_cmp(const void *a, const void *b) {
    return str_cmp(((const CanonicalMember *)a)->name, ((const CanonicalMember *)b)->name);
}

static void canonical_value(Canonical *canonical, Str json, size_t depth);

static size_t canonical_members_count(Str json) {
    CanonicalMember member;
    size_t count = 0;
    while (json_slice_next_member(&json, &member.name, &member.value))
        count++;
    return count;
}

static void canonical_object(Canonical *canonical, Str json, size_t depth) {
    size_t count = canonical_members_count(json);
    CanonicalMember *members = ARENA_ARRAY(canonical->arena, CanonicalMember, count);
    if (!members) return;
    for (size_t i = 0; i < count; i++) {
        (void)json_slice_next_member(&json, &members[i].name, &members[i].value);
        canonical->is_odd |= str_index(members[i].name, '\\', 0) < members[i].name.len;
    }
    qsort(members, count, sizeof(*members), canonical_member_cmp);
    text_add_char(canonical->out, '{');
    for (size_t i = 0; i < count; i++) {
        text_add(canonical->out, i ? S(",\"") : S("\""));
        text_add(canonical->out, members[i].name);
        text_add(canonical->out, S("\":"));
        canonical_value(canonical, members[i].value, depth);
    }
    text_add_char(canonical->out, '}');
}

static void canonical_array(Canonical *canonical, Str json, size_t depth) {
    Str item;
    text_add_char(canonical->out, '[');
    for (size_t i = 0; json_slice_next(&json, &item); i++) {
        if (i) text_add_char(canonical->out, ',');
        canonical_value(canonical, item, depth);
    }
    text_add_char(canonical->out, ']');
}

static void canonical_value(Canonical *canonical, Str json, size_t depth) {
    bool is_object = str_starts(json, S("{"));
    bool is_array = str_starts(json, S("["));
    if (!is_object && !is_array) {
        text_add(canonical->out, json);
    } else if (depth == JSON_DEPTH_MAX) {
        canonical->is_odd = true;
    } else if (is_object) {
        canonical_object(canonical, json, depth + 1);
    } else {
        canonical_array(canonical, json, depth + 1);
    }
}

static Err canonical_make(Str json, Arena *arena, Str *ret_json) {
    SCOPED(text_done) Text out;
    text_init(&out, json.len);
    Canonical canonical = {.arena = arena, .out = &out};
    canonical_value(&canonical, json, 0);
    TRY(arena_check(arena));
    if (canonical.is_odd) return json_canonical(arena, json, ret_json);
    TRY(text_check(&out));
    Str copy = str_dup(arena, text_str(&out));
    if (!copy.ptr) return arena_check(arena);
    *ret_json = copy;
    return SUCCESS;
}

Err schema_encode_canonical(const Schema *schema,
                            const void *record,
                            EncodeMode mode,
                            size_t max,
                            Arena *arena,
                            Str *ret_json) {
    SCOPED(text_done) Text text;
    text_init(&text, max);
    schema_encode(schema, record, mode, &text);
    TRY(text_check(&text));
    return canonical_make(text_str(&text), arena, ret_json);
}
