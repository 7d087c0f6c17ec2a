// SPDX-License-Identifier: Apache-2.0
/// Many calls at once, for tests of what must hold then, on both stores.
#pragma once

#include "control/fixture.h"

enum { CROWD_THREADS = 64, CROWD_STATUS_MAX = 600 };

/// A fixture over a store, and how often the calls ended with each status.
typedef struct Crowd {
    Fixture f;
    char folder[32];
    char path[48];
    size_t statuses[CROWD_STATUS_MAX];
} Crowd;

/// One call of many: on a thread of its own, with a fixture that has an arena of its own, which
/// ends with the call. `number`: 0..CROWD_THREADS-1. Gives the status.
typedef uint32_t (*CrowdCall)(Fixture *f, size_t number, const void *ctx);

/// Everything open over a store in memory, or a file of SQLite.
void crowd_open(Crowd *crowd, bool sqlite);
/// Free all of it, and remove the files.
void crowd_close(Crowd *crowd);
/// CROWD_THREADS calls that begin at once; adds how they ended.
void crowd_run(Crowd *crowd, CrowdCall call, const void *ctx);
/// A field of what stands at `path`, as the owner sees it.
Str crowd_shown(Fixture *f, const char *path, const char *field);

/// Two tests, one per store, of the block that follows; it sees `crowd`.
#define TEST_CROWD(name)                 \
    static void name##_on(Crowd *crowd); \
    TEST(name##_in_memory) {             \
        Crowd crowd;                     \
        crowd_open(&crowd, false);       \
        name##_on(&crowd);               \
        crowd_close(&crowd);             \
    }                                    \
    TEST(name##_in_sqlite) {             \
        Crowd crowd;                     \
        crowd_open(&crowd, true);        \
        name##_on(&crowd);               \
        crowd_close(&crowd);             \
    }                                    \
    static void name##_on(Crowd *crowd)
#define CASE_CROWD(name) CASE(name##_in_memory), CASE(name##_in_sqlite)
