// SPDX-License-Identifier: Apache-2.0
#include "cli/compose_parts.h"

#include "base/scope.h"

enum { SUPPORTED_MAX = 256, NUMBER_MAX = 1'000'000 };

static void
key_refuse(ComposeReader *reader, const YamlNode *node, const ComposeKey *keys, size_t count) {
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
            key_refuse(reader, node, keys, count);
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

static void read_name(ComposeReader *reader, const YamlNode *node, void *record) {
    Compose *compose = record;
    (void)compose_text(reader, node, &compose->name);
}

static void read_services(ComposeReader *reader, const YamlNode *node, void *record) {
    Compose *compose = record;
    if (node->kind != YAML_MAP || node->count == 0) {
        yaml_fault(reader->faults, node, "must be a map with a service");
        return;
    }
    if (node->count > MANIFEST_SERVICES_MAX) {
        yaml_fault(reader->faults, node, "must be at most %d services", MANIFEST_SERVICES_MAX);
        return;
    }
    Service *services = ARENA_ARRAY(reader->arena, Service, node->count);
    if (!services) return;
    size_t count = 0;
    for (const YamlNode *child = node->child; child; child = child->next)
        compose_service(reader, child, &services[count++]);
    compose->manifest.services = (ServiceList){services, count};
}

/// Only the names matter; they are looked up when a service uses one.
static void read_declared(ComposeReader *reader, const YamlNode *node, void *) {
    if (yaml_is_null(node)) return;
    if (node->kind != YAML_MAP) {
        yaml_fault(reader->faults, node, "must be a map of names");
        return;
    }
    for (const YamlNode *child = node->child; child; child = child->next)
        if (!yaml_is_null(child) && !(child->kind == YAML_MAP && child->count == 0))
            yaml_fault(reader->faults, child, "options of a volume are not supported");
}

Err compose_decode(Str text, Arena *arena, Faults *faults, Compose *ret_compose) {
    static const ComposeKey keys[] = {
        {"name",     read_name    },
        {"services", read_services},
        {"version",  NULL         },
        {"volumes",  read_declared},
    };
    YamlNode *root = NULL;
    TRY(yaml_read(text, arena, faults, &root));
    ComposeReader reader = {.arena = arena, .faults = faults};
    reader.volumes = yaml_child(root, S("volumes"));
    Compose compose = {};
    COMPOSE_MAP(&reader, root, keys, &compose);
    if (root->kind == YAML_MAP && !yaml_child(root, S("services")))
        yaml_fault(faults, root, "must have services");
    TRY(arena_check(arena));
    TRY(faults_check(faults));
    *ret_compose = compose;
    return SUCCESS;
}

Err compose_check(const Manifest *manifest, Arena *arena, Faults *faults) {
    SCOPED(text_done) Text json;
    text_init(&json, MANIFEST_JSON_MAX);
    schema_encode(&Manifest_schema, manifest, ENCODE_REQUEST, &json);
    TRY(text_check(&json));
    Manifest checked;
    TRY(schema_decode(&Manifest_schema, text_str(&json), DECODE_INPUT, arena, faults, &checked));
    manifest_check(&checked, S(""), faults);
    return faults_check(faults);
}
