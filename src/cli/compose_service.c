// SPDX-License-Identifier: Apache-2.0
// One service of a Compose file, key by key.
#include "cli/compose_parts.h"

/// A list of texts as it is.
static void service_texts_read(ComposeReader *reader, const YamlNode *node, StrList *list) {
    Str *items = ARENA_ARRAY(reader->arena, Str, node->count);
    if (!items) return;
    size_t count = 0;
    for (const YamlNode *child = node->child; child; child = child->next)
        if (compose_text(reader, child, &items[count])) count++;
    *list = (StrList){items, count};
}

/// A list, or a text that is split into one; an empty one is not the same as none.
static void service_words_read(ComposeReader *reader, const YamlNode *node, StrList *list) {
    Str text;
    if (yaml_is_null(node)) return; // the image's own
    if (node->kind == YAML_LIST) {
        service_texts_read(reader, node, list);
    } else if (compose_text(reader, node, &text)) {
        Err err = words_split(text, reader->arena, list);
        if (err.code != OK) yaml_fault(reader->faults, node, "%s", err.what);
    }
}

static void service_read_image(ComposeReader *reader, const YamlNode *node, void *record) {
    Service *service = record;
    (void)compose_text(reader, node, &service->image);
}

static void service_read_command(ComposeReader *reader, const YamlNode *node, void *record) {
    Service *service = record;
    service_words_read(reader, node, &service->command);
}

static void service_read_entrypoint(ComposeReader *reader, const YamlNode *node, void *record) {
    Service *service = record;
    service_words_read(reader, node, &service->entrypoint);
}

/// "KEY=VALUE" of a list, or the key and value of a map.
static bool service_variable_read(ComposeReader *reader, const YamlNode *node, StrPair *ret_pair) {
    Str text;
    if (node->kind == YAML_TEXT && node->key.ptr && yaml_is_null(node) && node->text.len == 0) {
        yaml_fault(reader->faults, node, "must have a value: nothing is taken from your shell");
        return false;
    }
    if (!compose_text(reader, node, &text)) return false;
    if (node->key.ptr) {
        *ret_pair = (StrPair){node->key, text};
        return true;
    }
    Str value = text;
    Str key;
    (void)str_cut(&value, '=', &key);
    if (!value.ptr || key.len == 0) {
        yaml_fault(reader->faults, node, "must be KEY=VALUE: nothing is taken from your shell");
        return false;
    }
    *ret_pair = (StrPair){key, value};
    return true;
}

static void service_read_environment(ComposeReader *reader, const YamlNode *node, void *record) {
    Service *service = record;
    if (node->kind == YAML_TEXT) {
        yaml_fault(reader->faults, node, "must be a map, or a list of KEY=VALUE");
        return;
    }
    StrPair *pairs = ARENA_ARRAY(reader->arena, StrPair, node->count);
    if (!pairs) return;
    StrMap map = {pairs, 0};
    for (const YamlNode *child = node->child; child; child = child->next) {
        StrPair pair;
        if (!service_variable_read(reader, child, &pair)) continue;
        if (str_map_find(map, pair.key).ptr)
            yaml_fault(reader->faults, child, "%.*s is given again", STR_FMT(pair.key));
        pairs[map.count++] = pair;
    }
    service->environment = map;
}

static void service_read_condition(ComposeReader *reader, const YamlNode *node, void *record) {
    Dependency *dependency = record;
    Str text;
    if (!compose_text(reader, node, &text)) return;
    if (str_eq(text, S("service_healthy"))) {
        dependency->condition = DEPENDS_HEALTHY;
    } else if (!str_eq(text, S("service_started"))) {
        yaml_fault(reader->faults, node, "must be service_started or service_healthy");
    }
}

static void service_read_depends_on(ComposeReader *reader, const YamlNode *node, void *record) {
    static const ComposeKey keys[] = {
        {"condition", service_read_condition}
    };
    Service *service = record;
    if (node->kind == YAML_TEXT) {
        yaml_fault(reader->faults, node, "must be a list or a map of services");
        return;
    }
    Dependency *items = ARENA_ARRAY(reader->arena, Dependency, node->count);
    if (!items) return;
    size_t count = 0;
    for (const YamlNode *child = node->child; child; child = child->next) {
        Dependency *item = &items[count++];
        *item = (Dependency){.service = child->key};
        if (child->key.ptr) {
            COMPOSE_MAP(reader, child, keys, item);
        } else {
            (void)compose_text(reader, child, &item->service);
        }
    }
    service->depends_on = (DependencyList){items, count};
}

static void service_read_test(ComposeReader *reader, const YamlNode *node, void *record) {
    Healthcheck *check = record;
    Str text;
    if (node->kind == YAML_LIST) {
        service_texts_read(reader, node, &check->test);
        Str first = check->test.count ? check->test.items[0] : (Str){};
        if (!str_eq(first, S("CMD")) && !str_eq(first, S("CMD-SHELL")))
            yaml_fault(reader->faults, node, "must begin with CMD or CMD-SHELL");
    } else if (compose_text(reader, node, &text)) {
        Str *items = ARENA_ARRAY(reader->arena, Str, 2);
        if (!items) return;
        items[0] = S("CMD-SHELL");
        items[1] = text;
        check->test = (StrList){items, 2};
    }
}

static void service_duration_read(ComposeReader *reader, const YamlNode *node, Duration *duration) {
    Str text;
    if (!compose_text(reader, node, &text)) return;
    if (duration_parse(text, duration).code != OK)
        yaml_fault(reader->faults, node, "must be a duration, like 30s or 1m30s");
}

static void service_read_interval(ComposeReader *reader, const YamlNode *node, void *record) {
    service_duration_read(reader, node, &((Healthcheck *)record)->interval);
}

static void service_read_timeout(ComposeReader *reader, const YamlNode *node, void *record) {
    service_duration_read(reader, node, &((Healthcheck *)record)->timeout);
}

static void service_read_start_period(ComposeReader *reader, const YamlNode *node, void *record) {
    service_duration_read(reader, node, &((Healthcheck *)record)->start_period);
}

static void service_read_retries(ComposeReader *reader, const YamlNode *node, void *record) {
    Str text;
    if (compose_text(reader, node, &text))
        (void)compose_number(reader, node, text, &((Healthcheck *)record)->retries);
}

static void service_read_healthcheck(ComposeReader *reader, const YamlNode *node, void *record) {
    static const ComposeKey keys[] = {
        {"test",         service_read_test        },
        {"interval",     service_read_interval    },
        {"timeout",      service_read_timeout     },
        {"retries",      service_read_retries     },
        {"start_period", service_read_start_period},
    };
    Service *service = record;
    Healthcheck check = {.interval = {30'000}, .timeout = {30'000}, .retries = 3};
    COMPOSE_MAP(reader, node, keys, &check);
    service->healthcheck = check;
}

static void service_read_restart(ComposeReader *reader, const YamlNode *node, void *record) {
    Service *service = record;
    Str text;
    if (!compose_text(reader, node, &text)) return;
    const EnumNames *names = schema_field(&Service_schema, S("restart"))->names;
    for (size_t i = 0; i < names->count; i++) {
        if (!str_eq(text, str_from(names->items[i]))) continue;
        service->restart = (Restart)i;
        return;
    }
    yaml_fault(reader->faults, node, "must be always, unless-stopped, on-failure or \"no\"");
}

void compose_service(ComposeReader *reader, const YamlNode *node, Service *ret_service) {
    static const ComposeKey keys[] = {
        {"image",       service_read_image      },
        {"command",     service_read_command    },
        {"entrypoint",  service_read_entrypoint },
        {"environment", service_read_environment},
        {"ports",       compose_ports           },
        {"volumes",     compose_volumes         },
        {"depends_on",  service_read_depends_on },
        {"healthcheck", service_read_healthcheck},
        {"restart",     service_read_restart    },
    };
    *ret_service = (Service){.name = node->key};
    COMPOSE_MAP(reader, node, keys, ret_service);
    if (node->kind == YAML_MAP && !yaml_child(node, S("image")))
        yaml_fault(reader->faults, node, "must have an image");
}
