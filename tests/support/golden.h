// SPDX-License-Identifier: Apache-2.0
/// The golden bytes of the device protocol: the files of tests/wire/next by name.
///
///     Str message = golden_load(&arena, "sync_down.push.json");
///
/// For programs that depend on golden_dep.
#pragma once

#include "base/arena.h"
#include "base/str.h"

#include <assert.h>
#include <stdio.h>

enum { GOLDEN_FILE_MAX = 256 * 1024, GOLDEN_NAME_MAX = 128 };

/// The bytes of this golden file, in `arena`; absent: there is no such file.
static inline Str golden_find(Arena *arena, const char *name) {
    char path[sizeof(GOLDEN_DIR) + GOLDEN_NAME_MAX];
    int length = snprintf(path, sizeof(path), "%s/%s", GOLDEN_DIR, name);
    assert(length > 0 && (size_t)length < sizeof(path));
    FILE *file = fopen(path, "rb");
    if (!file) return (Str){};
    char *bytes = ARENA_ARRAY(arena, char, GOLDEN_FILE_MAX);
    assert(bytes);
    size_t len = fread(bytes, 1, GOLDEN_FILE_MAX, file);
    assert(len < GOLDEN_FILE_MAX && feof(file) && !ferror(file));
    fclose(file);
    return (Str){bytes, len};
}

/// The bytes of this golden file, in `arena`. It must be there.
static inline Str golden_load(Arena *arena, const char *name) {
    Str bytes = golden_find(arena, name);
    if (!bytes.ptr) fprintf(stderr, "golden file %s is missing\n", name);
    assert(bytes.ptr);
    return bytes;
}
