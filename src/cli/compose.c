// SPDX-License-Identifier: Apache-2.0
#include "cli/compose_parts.h"

#include "base/scope.h"

static void compose_read_name(ComposeReader *reader, const YamlNode *node, void *record) {
    Compose *compose = record;
    (void)compose_text(reader, node, &compose->name);
}

static void compose_read_services(ComposeReader *reader, const YamlNode *node, void *record) {
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
    compose->manifest.format = DOCUMENT_FORMAT;
    compose->manifest.services = (ServiceList){services, count};
}

/// Only the names matter; they are looked up when a service uses one.
static void compose_read_declared(ComposeReader *reader, const YamlNode *node, void *) {
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
        {"name",     compose_read_name    },
        {"services", compose_read_services},
        {"version",  NULL                 },
        {"volumes",  compose_read_declared},
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
    text_init(&json, MANIFEST_TEXT_MAX);
    schema_encode(&Manifest_schema, manifest, ENCODE_REQUEST, &json);
    TRY(text_check(&json));
    Manifest checked;
    TRY(schema_decode(&Manifest_schema, text_str(&json), DECODE_INPUT, arena, faults, &checked));
    manifest_check(&checked, S(""), faults);
    return faults_check(faults);
}
