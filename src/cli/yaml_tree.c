// SPDX-License-Identifier: Apache-2.0
#include "cli/yaml_tree.h"

#include "base/scope.h"

#include <stdarg.h>
#include <stdio.h>
#include <yaml.h>

enum { CHILDREN_MAX = 1024, PLACE_MAX = 256, MESSAGE_MAX = 512 };

typedef struct Reader {
    yaml_parser_t *parser;
    Arena *arena;
    Faults *faults;
    YamlNode *at; ///< the open list or map; NULL outside
    YamlNode *root;
    Str key; ///< read, waiting for its value
    bool has_key;
    size_t depth;
} Reader;

const YamlNode *yaml_child(const YamlNode *map, Str key) {
    const YamlNode *child = map->kind == YAML_MAP ? map->child : NULL;
    while (child && !str_eq(child->key, key))
        child = child->next;
    return child;
}

bool yaml_is_null(const YamlNode *node) {
    return node->kind == YAML_TEXT && node->plain
           && (node->text.len == 0 || str_eq(node->text, S("~")) || str_eq(node->text, S("null")));
}

static void yaml_place_add(Text *out, const YamlNode *node) {
    if (!node->parent) return;
    yaml_place_add(out, node->parent);
    if (node->key.ptr) {
        text_print(out, "%s%.*s", out->len ? "." : "", STR_FMT(node->key));
    } else {
        text_print(out, "[%zu]", node->index);
    }
}

void yaml_fault(Faults *faults, const YamlNode *node, const char *format, ...) {
    char message[MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    SCOPED(text_done) Text place;
    text_init(&place, PLACE_MAX); // a name that a stranger made up may be cut
    yaml_place_add(&place, node);
    text_print(&place, "%s(line %zu)", place.len ? " " : "", node->line);
    faults_add(faults, text_str(&place), "%s", message);
}

static Err yaml_refuse(Reader *reader, size_t line, const char *what) {
    char place[32];
    snprintf(place, sizeof(place), "(line %zu)", line);
    faults_add(reader->faults, str_from(place), "%s", what);
    return FAIL(ERR_INVALID, "the file is not plain YAML");
}

/// Hang a new node into the open list or map.
static Err yaml_node_add(Reader *reader, YamlKind kind, size_t line, YamlNode **ret_node) {
    YamlNode *node = ARENA_NEW(reader->arena, YamlNode);
    if (!node && reader->arena->failed == ERR_LIMIT)
        return FAIL(ERR_LIMIT, "the file is too large");
    TRY(arena_check(reader->arena));
    YamlNode *parent = reader->at;
    *node = (YamlNode){.kind = kind, .line = line, .parent = parent};
    if (!parent) {
        if (reader->root) return yaml_refuse(reader, line, "only one document is allowed");
        reader->root = node;
    } else if (parent->count == CHILDREN_MAX) { // repeated keys are searched one by one
        return yaml_refuse(reader, line, "this has more than 1024 entries");
    } else {
        node->key = reader->key;
        node->index = parent->count++;
        if (parent->last) parent->last->next = node;
        if (!parent->child) parent->child = node;
        parent->last = node;
    }
    reader->key = (Str){};
    reader->has_key = false;
    *ret_node = node;
    return SUCCESS;
}

static Err yaml_key_read(Reader *reader, Str text, size_t line) {
    Str key = str_dup(reader->arena, text);
    TRY(arena_check(reader->arena));
    if (!str_is_text(key) || key.len == 0) return yaml_refuse(reader, line, "a key must be a text");
    const YamlNode *before = yaml_child(reader->at, key);
    if (before) {
        yaml_fault(reader->faults, before, "is given again in line %zu", line);
        return FAIL(ERR_INVALID, "the file is not plain YAML");
    }
    reader->key = key;
    reader->has_key = true;
    return SUCCESS;
}

static Err yaml_scalar_read(Reader *reader, const yaml_event_t *event, size_t line) {
    Str text = {(const char *)event->data.scalar.value, event->data.scalar.length};
    if (event->data.scalar.anchor || event->data.scalar.tag)
        return yaml_refuse(reader, line, "anchors and tags are not supported");
    if (reader->at && reader->at->kind == YAML_MAP && !reader->has_key)
        return yaml_key_read(reader, text, line);
    if (!str_is_text(text)) return yaml_refuse(reader, line, "a text must be UTF-8 without NUL");
    YamlNode *node;
    TRY(yaml_node_add(reader, YAML_TEXT, line, &node));
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    node->text = str_dup(reader->arena, text);
    return arena_check(reader->arena);
}

static Err yaml_open_read(Reader *reader, YamlKind kind, bool marked, size_t line) {
    if (marked) return yaml_refuse(reader, line, "anchors and tags are not supported");
    if (reader->at && reader->at->kind == YAML_MAP && !reader->has_key)
        return yaml_refuse(reader, line, "a key must be a text");
    if (++reader->depth > YAML_DEPTH_MAX)
        return yaml_refuse(reader, line, "this is nested too deeply");
    YamlNode *node;
    TRY(yaml_node_add(reader, kind, line, &node));
    reader->at = node;
    return SUCCESS;
}

static Err yaml_event_read(Reader *reader, const yaml_event_t *event) {
    size_t line = event->start_mark.line + 1;
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return yaml_refuse(reader, line, "aliases are not supported: write the value again");
    case YAML_SCALAR_EVENT:
        return yaml_scalar_read(reader, event, line);
    case YAML_SEQUENCE_START_EVENT:
        return yaml_open_read(reader,
                              YAML_LIST,
                              event->data.sequence_start.anchor || event->data.sequence_start.tag,
                              line);
    case YAML_MAPPING_START_EVENT:
        return yaml_open_read(reader,
                              YAML_MAP,
                              event->data.mapping_start.anchor || event->data.mapping_start.tag,
                              line);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        reader->depth--;
        // The tree is made here, so its nodes may be written; only readers see them as const.
        reader->at = (YamlNode *)(uintptr_t)reader->at->parent;
        return SUCCESS;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    }
    return SUCCESS;
}

static Err yaml_events_read(Reader *reader) {
    for (bool ended = false; !ended;) {
        SCOPED(yaml_event_delete) yaml_event_t event = {};
        if (!yaml_parser_parse(reader->parser, &event)) {
            const char *problem = reader->parser->problem;
            return yaml_refuse(reader,
                               reader->parser->problem_mark.line + 1,
                               problem ? problem : "this is not YAML");
        }
        TRY(yaml_event_read(reader, &event));
        ended = event.type == YAML_STREAM_END_EVENT;
    }
    return SUCCESS;
}

Err yaml_read(Str text, Arena *arena, Faults *faults, YamlNode **ret_root) {
    if (text.len > YAML_BYTES_MAX) return FAIL(ERR_LIMIT, "the file is larger than 256 KiB");
    SCOPED(yaml_parser_delete) yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) return OUT_OF_MEMORY;
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.ptr, text.len);
    Reader reader = {.parser = &parser, .arena = arena, .faults = faults};
    TRY(yaml_events_read(&reader));
    if (!reader.root) return yaml_refuse(&reader, 1, "the file is empty");
    *ret_root = reader.root;
    return SUCCESS;
}
