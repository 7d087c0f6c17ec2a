// SPDX-License-Identifier: Apache-2.0
// What every part of a Compose file is read with: maps by their keys, texts, numbers.
#include "base/scope.h"
#include "cli/compose_parts.h"

enum { SUPPORTED_MAX = 256, NUMBER_MAX = 1'000'000 };

static void compose_key_refuse(ComposeReader *reader,
                               const YamlNode *node,
                               const ComposeKey *keys,
                               size_t count) {
    SCOPED(text_done) Text supported;
    text_init(&supported, SUPPORTED_MAX);
    for (size_t i = 0; i < count; i++)
        text_print(&supported, "%s%s", i ? ", " : "", keys[i].name);
    yaml_fault(
        reader->faults, node, "not supported; supported: %.*s", STR_FMT(text_str(&supported)));
}

void compose_map(ComposeReader *reader,
                 const YamlNode *map,
                 const ComposeKey *keys,
                 size_t count,
                 void *record) {
    if (map->kind != YAML_MAP) {
        yaml_fault(reader->faults, map, "must be a map");
        return;
    }
    for (const YamlNode *node = map->child; node; node = node->next) {
        size_t i = 0;
        while (i < count && !str_eq(node->key, str_from(keys[i].name)))
            i++;
        if (i == count) {
            compose_key_refuse(reader, node, keys, count);
        } else if (keys[i].read) {
            keys[i].read(reader, node, record);
        }
    }
}

bool compose_text(ComposeReader *reader, const YamlNode *node, Str *ret_text) {
    if (node->kind != YAML_TEXT || yaml_is_null(node)) {
        yaml_fault(reader->faults, node, "must be a text");
        return false;
    }
    char *copy = arena_alloc(reader->arena, node->text.len + 1, 1);
    if (!copy) return false;
    size_t used = 0;
    for (size_t i = 0; i < node->text.len; i++) {
        char c = node->text.ptr[i];
        if (c == '$' && (++i == node->text.len || node->text.ptr[i] != '$')) {
            yaml_fault(reader->faults,
                       node,
                       "variables are not supported: write the value, or $$ for a dollar sign");
            return false;
        }
        copy[used++] = c;
    }
    *ret_text = (Str){copy, used};
    return true;
}

bool compose_number(ComposeReader *reader, const YamlNode *node, Str text, uint64_t *ret_number) {
    uint64_t number;
    if (str_u64(text, &number).code != OK || number > NUMBER_MAX) {
        yaml_fault(reader->faults, node, "must have a number for \"%.*s\"", STR_FMT(text));
        return false;
    }
    *ret_number = number;
    return true;
}
