// SPDX-License-Identifier: Apache-2.0
/// What the compose*.c files share; nobody else includes it. Each calls only those to its right:
///
///     compose.c -> compose_service.c -> compose_mounts.c -> compose_read.c -> yaml_tree.c
///                                    -> compose_words.c
#pragma once

#include "cli/compose.h"
#include "cli/yaml_tree.h"

typedef struct ComposeReader {
    Arena *arena;
    Faults *faults;
    const YamlNode *volumes; ///< the declared names; NULL: none
} ComposeReader;

/// A key that is supported, and what reads its value into the record.
typedef struct ComposeKey {
    const char *name;
    void (*read)(ComposeReader *reader, const YamlNode *node, void *record); ///< NULL: ignored
} ComposeKey;

/// Read every key of `map` by its row; others are faults that name what is supported.
void compose_map(
    ComposeReader *reader, const YamlNode *map, const ComposeKey *keys, size_t count, void *record);
#define COMPOSE_MAP(reader, map, keys, record) \
    compose_map((reader), (map), (keys), sizeof(keys) / sizeof((keys)[0]), (record))

/// The text of a scalar with "$$" made "$". False, with a fault: not a text, or a variable.
bool compose_text(ComposeReader *reader, const YamlNode *node, Str *ret_text);
/// A port or another small number. False, with a fault: something else.
bool compose_number(ComposeReader *reader, const YamlNode *node, Str text, uint64_t *ret_number);
/// Read the service `node` (its key is the name).
void compose_service(ComposeReader *reader, const YamlNode *node, Service *ret_service);
/// Read the lists `ports` and `volumes` of a service.
void compose_ports(ComposeReader *reader, const YamlNode *node, void *service);
void compose_volumes(ComposeReader *reader, const YamlNode *node, void *service);
