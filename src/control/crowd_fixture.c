// SPDX-License-Identifier: Apache-2.0
#include "control/crowd_fixture.h"

#include "base/scope.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { CALL_ARENA_BYTES = 32 << 20 };

typedef struct Caller {
    Fixture f;
    pthread_t thread;
    pthread_barrier_t *start;
    CrowdCall call;
    size_t number;
    const void *ctx;
    uint32_t status;
} Caller;

void crowd_open(Crowd *crowd, bool sqlite) {
    *crowd = (Crowd){.folder = "/tmp/crowd.XXXXXX"};
    char *folder = mkdtemp(crowd->folder);
    assert(folder != NULL);
    snprintf(crowd->path, sizeof(crowd->path), "%s/test.db", folder);
    if (sqlite)
        fixture_open_sqlite(&crowd->f, crowd->path);
    else
        fixture_open(&crowd->f);
}

void crowd_close(Crowd *crowd) {
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    fixture_close(&crowd->f);
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        char path[64];
        snprintf(path, sizeof(path), "%s%s", crowd->path, suffixes[i]);
        (void)unlink(path);
    }
    (void)rmdir(crowd->folder);
}

static void *caller_main(void *arg) {
    Caller *caller = arg;
    pthread_barrier_wait(caller->start);
    caller->status = caller->call(&caller->f, caller->number, caller->ctx);
    return NULL;
}

void crowd_run(Crowd *crowd, CrowdCall call, const void *ctx) {
    SCOPED(mem_freep) Caller *callers = calloc(CROWD_THREADS, sizeof(*callers));
    assert(callers != NULL);
    pthread_barrier_t start;
    pthread_barrier_init(&start, NULL, CROWD_THREADS);
    for (size_t i = 0; i < CROWD_THREADS; i++) {
        callers[i] =
            (Caller){.f = crowd->f, .start = &start, .call = call, .number = i, .ctx = ctx};
        arena_init(&callers[i].f.arena, CALL_ARENA_BYTES);
        int rc = pthread_create(&callers[i].thread, NULL, caller_main, &callers[i]);
        assert(rc == 0);
    }
    for (size_t i = 0; i < CROWD_THREADS; i++) {
        int rc = pthread_join(callers[i].thread, NULL);
        assert(rc == 0 && callers[i].status < CROWD_STATUS_MAX);
        crowd->statuses[callers[i].status]++;
        arena_done(&callers[i].f.arena);
    }
    pthread_barrier_destroy(&start);
}

Str crowd_shown(Fixture *f, const char *path, const char *field) {
    HttpReply reply = fixture_call(f, "GET", path, f->token, NULL);
    assert(reply.status == 200);
    return fixture_field(&reply, field);
}
