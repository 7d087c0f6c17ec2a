// SPDX-License-Identifier: Apache-2.0
/// What a server, or somebody who stole it, can send a device: it never goes back, and what is to
/// be acted on is what its digest names.
#include "agent/link/sync.h"
#include "agent/workload/workloads.h"
#include "base/arena.h"

#include <assert.h>

enum { HELD = 5, ARENA_MAX = 32 * 1024 * 1024 };

/// What is held can be aimed at, and nothing of what is refused is.
static void act_on(const Desired *desired, Arena *arena) {
    Aim aim;
    Workloads workloads;
    Reported last = {};
    Err err = aim_make(desired, NULL, arena, &aim);
    if (err.code == OK) err = workloads_aim(&aim, &last, 1, arena, &workloads);
    if (err.code != OK) return;
    for (size_t i = 0; i < workloads.count; i++)
        assert((workloads.items[i].manifest.services.count == 0)
               == (aim_refused(&aim, workloads.items[i].application.name) != NULL));
    SeenList none = {};
    workloads_step(&workloads, &none, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Arena arena;
    arena_init(&arena, ARENA_MAX);
    Sync sync;
    sync_init(&sync, HELD, NULL);
    Reported reported = {.generation = HELD, .state = WORKLOAD_RUNNING};
    Err err = sync_reported(&sync, &reported);
    assert(err.code == OK);
    Text up;
    text_init(&up, SYNC_UP_MAX);
    sync_up(&sync, &(SyncSaid){}, &up);
    SyncDown down;
    bool is_newer = false;
    Str json = {(const char *)data, size};
    err = schema_read(&SyncDown_schema, json, DECODE_PEER, &arena, &down, NULL);
    if (err.code == OK) err = sync_down(&sync, &down, &is_newer);
    if (err.code == OK && is_newer) {
        assert(down.desired.generation > HELD);
        act_on(&down.desired, &arena);
    }
    text_done(&up);
    sync_done(&sync);
    arena_done(&arena);
    return 0;
}
