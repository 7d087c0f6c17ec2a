// SPDX-License-Identifier: Apache-2.0
/// What an engine says of a container, whatever version it is.
#include "agent/engine/container.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    enum { ARENA_MAX = 8 * 1024 * 1024 };
    Arena arena;
    arena_init(&arena, ARENA_MAX);
    EngineContainer container = {};
    Str json = {(const char *)data, size};
    Err err = schema_read(&EngineContainer_schema, json, DECODE_REPLY, &arena, &container, NULL);
    if (err.code == OK) {
        EngineContainerList list = {&container, 1};
        Str owner = str_map_find(container.Config.Labels, S(LABEL_DEVICE));
        SeenList seen;
        StrList newer;
        err = container_seen(&list, owner, &arena, &seen, &newer);
        LabelsJudgement whose = labels_judge(container.Config.Labels, owner);
        assert(err.code != OK || seen.count == (whose == LABELS_OURS));
        assert(err.code != OK || newer.count == (whose == LABELS_NEWER));
    }
    arena_done(&arena);
    return 0;
}
