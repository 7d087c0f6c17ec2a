// SPDX-License-Identifier: Apache-2.0
/// A YAML document as a tree that knows its line numbers, read with libyaml.
///
/// Plain data only: one document; aliases, anchors, tags of our own and repeated keys are refused,
/// depth and size are bounded, so a small file can never stand for a large one. All problems go to
/// Faults, with a place like "services.web.ports[0] (line 7)".
#pragma once

#include "base/schema.h"

enum { YAML_BYTES_MAX = 256 * 1024, YAML_DEPTH_MAX = 12 };

typedef enum YamlKind { YAML_TEXT, YAML_LIST, YAML_MAP } YamlKind;

typedef struct YamlNode YamlNode;
struct YamlNode {
    YamlKind kind;
    Str text;   ///< of YAML_TEXT
    bool plain; ///< the text has no quotes, so it may be a null or a number
    Str key;    ///< absent in a list and at the root
    size_t index;
    size_t line; ///< 1 is the first
    const YamlNode *parent;
    YamlNode *child; ///< the first
    YamlNode *last;
    YamlNode *next; ///< the next of the same parent
    size_t count;   ///< of children
};

/// The tree of `text`, in `arena`. ERR_INVALID: faults. ERR_LIMIT: over YAML_BYTES_MAX, or the
/// arena is exhausted.
Err yaml_read(Str text, Arena *arena, Faults *faults, YamlNode **ret_root);
/// The child called `key`; NULL if there is none.
const YamlNode *yaml_child(const YamlNode *map, Str key);
/// The node is an empty value, `~` or `null`.
bool yaml_is_null(const YamlNode *node);
/// Add a fault at the node's place.
__attribute__((format(printf, 3, 4))) void
yaml_fault(Faults *faults, const YamlNode *node, const char *format, ...);
