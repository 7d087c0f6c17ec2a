// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_MIN_BYTES = 4096 - 64 };

struct ArenaChunk {
    ArenaChunk *next; ///< the chunk before this one
    size_t size;
    size_t used;
    _Alignas(max_align_t) unsigned char bytes[];
};

void arena_init(Arena *arena, size_t max_bytes) {
    *arena = (Arena){.max_bytes = max_bytes};
}

static void arena_chunks_free(ArenaChunk *chunk) {
    while (chunk) {
        ArenaChunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
}

void arena_done(Arena *arena) {
    arena_chunks_free(arena->chunk);
    arena_init(arena, arena->max_bytes);
}

void arena_reset(Arena *arena) {
    ArenaChunk *first = arena->chunk;
    while (first && first->next) {
        ArenaChunk *next = first->next;
        free(first);
        first = next;
    }
    if (first) first->used = 0;
    *arena = (Arena){.chunk = first, .max_bytes = arena->max_bytes};
}

/// A chunk that fits `size`, at least as large again as the last, so chunks stay few.
static ArenaChunk *arena_chunk_add(Arena *arena, size_t size) {
    size_t want = arena->chunk ? arena->chunk->size * 2 : CHUNK_MIN_BYTES;
    if (want < size) want = size;
    ArenaChunk *chunk = malloc(sizeof(*chunk) + want);
    if (!chunk) return NULL;
    *chunk = (ArenaChunk){.next = arena->chunk, .size = want};
    arena->chunk = chunk;
    return chunk;
}

/// As arena_alloc, with whatever was there before.
static void *arena_take(Arena *arena, size_t size, size_t align) {
    assert(align != 0 && (align & (align - 1)) == 0 && align <= _Alignof(max_align_t));
    if (size > arena->max_bytes - arena->used_bytes) {
        arena_fail(arena, ERR_LIMIT);
        return NULL;
    }
    ArenaChunk *chunk = arena->chunk;
    size_t at = chunk ? (chunk->used + align - 1) & ~(align - 1) : 0;
    if (!chunk || at > chunk->size || size > chunk->size - at) {
        chunk = arena_chunk_add(arena, size);
        at = 0;
    }
    if (!chunk) {
        arena_fail(arena, ERR_MEMORY);
        return NULL;
    }
    chunk->used = at + size;
    arena->used_bytes += size;
    return chunk->bytes + at;
}

void *arena_alloc(Arena *arena, size_t size, size_t align) {
    void *bytes = arena_take(arena, size, align);
    return bytes ? memset(bytes, 0, size) : NULL;
}

char *arena_chars(Arena *arena, size_t size) {
    return arena_take(arena, size, 1);
}

void *arena_array(Arena *arena, size_t count, size_t size, size_t align) {
    assert(size != 0);
    if (count > SIZE_MAX / size) {
        arena_fail(arena, ERR_LIMIT);
        return NULL;
    }
    return arena_alloc(arena, count * size, align);
}

Err arena_check(const Arena *arena) {
    if (arena->failed == OK) return SUCCESS;
    if (arena->failed == ERR_MEMORY) return OUT_OF_MEMORY;
    return FAIL(arena->failed, "the request needs more memory than it may have");
}

void arena_fail(Arena *arena, ErrCode code) {
    if (arena->failed == OK) arena->failed = code;
}
