// SPDX-License-Identifier: Apache-2.0
/// Memory with one lifetime: everything a call allocates goes away together.
///
/// An arena hands out zeroed memory from chunks up to a limit given at init. Running out is
/// remembered (arena_check), so a sequence of allocations may be checked once at its end.
/// Not thread-safe: one arena, one owner.
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct ArenaChunk ArenaChunk;

typedef struct Arena {
    ArenaChunk *chunk; ///< newest chunk; NULL before the first allocation
    size_t used_bytes; ///< of all chunks
    size_t max_bytes;  ///< limit on used_bytes
    ErrCode failed;    ///< why an allocation was refused since the last reset; OK: none was
} Arena;

/// An empty arena that may grow to `max_bytes`. Allocates nothing yet.
void arena_init(Arena *arena, size_t max_bytes);
/// Free everything; the arena may be used again. Fits SCOPED.
void arena_done(Arena *arena);
/// Forget every allocation but keep the first chunk for the next call.
void arena_reset(Arena *arena);
/// `size` zeroed bytes aligned to `align` (a power of two). NULL when the limit or malloc refuses.
void *arena_alloc(Arena *arena, size_t size, size_t align);
/// `size` bytes for a text that is put there at once: they are not zeroed. NULL as above.
char *arena_chars(Arena *arena, size_t size);
/// `count * size` zeroed bytes, checked for overflow. NULL as above; never NULL for count 0.
void *arena_array(Arena *arena, size_t count, size_t size, size_t align);
/// Whether any allocation was refused since the last reset. ERR_LIMIT: over the arena's limit.
/// ERR_MEMORY: malloc refused.
Err arena_check(const Arena *arena);
/// Remember a refusal that was met elsewhere for the arena's owner, unless there is one already.
void arena_fail(Arena *arena, ErrCode code);

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type), _Alignof(type)))
#define ARENA_ARRAY(arena, type, count) \
    ((type *)arena_array((arena), (count), sizeof(type), _Alignof(type)))
