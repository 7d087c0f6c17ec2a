// SPDX-License-Identifier: Apache-2.0
/// What a server, or somebody who stole it, can send a device: it never goes back, and what is to
/// be acted on is what its digest names.
#include "agent/link/sync.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    enum { HELD = 5, ARENA_MAX = 8 * 1024 * 1024 };
    Arena arena;
    arena_init(&arena, ARENA_MAX);
    Sync sync;
    sync_init(&sync, HELD);
    Reported reported = {.version = HELD, .state = WORKLOAD_RUNNING};
    Err err = sync_reported(&sync, &reported);
    assert(err.code == OK);
    Text up;
    text_init(&up, SYNC_MESSAGE_MAX);
    sync_up(&sync, NULL, &up);
    SyncNews news;
    err = sync_down(&sync, (Str){(const char *)data, size}, &arena, &news);
    if (err.code == OK && news.is_newer) {
        Manifest manifest;
        Workload workload;
        assert(news.desired.version > HELD);
        err = desired_check(&news.desired, &arena, &manifest, NULL);
        assert(err.code == OK);
        err = workload_aim(&news.desired, &manifest, false, 1, &arena, &workload);
        SeenList none = {};
        if (err.code == OK) workload_step(&workload, &none, 1);
    }
    text_done(&up);
    sync_done(&sync);
    arena_done(&arena);
    return 0;
}
