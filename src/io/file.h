// SPDX-License-Identifier: Apache-2.0
/// Files that are either the old or the new contents, whatever happens. The Reason of a failure is
/// the path.
#pragma once

#include "base/arena.h"
#include "base/str.h"

#include <stdbool.h>
#include <sys/types.h>

/// All of `path`, NUL-terminated in `arena`. ERR_NOT_FOUND: no such file. ERR_LIMIT: over `max`
/// bytes. ERR_SYSTEM otherwise, also for links and whatever is not a regular file.
Err file_load(const char *path, size_t max, Arena *arena, Str *ret_data, Reason *reason);
/// All that is to be read from `fd`, a file or a pipe, NUL-terminated in `arena`; it stays open.
/// ERR_LIMIT: over `max` bytes. ERR_SYSTEM otherwise.
Err fd_load(int fd, size_t max, Arena *arena, Str *ret_data);
/// Replace `path` by `data` atomically and durably: a temporary file beside it, fsync, rename,
/// fsync of the folder. `mode` is the new file's. A link is replaced, not followed. ERR_SYSTEM:
/// nothing changed, unless it was the very last step, the fsync of the folder, that failed.
Err file_save(const char *path, Str data, mode_t mode, Reason *reason);
/// Remove `path` durably. OK if it is not there.
Err file_remove(const char *path, Reason *reason);
/// Make the folder `path` with `mode` unless it is there; parents must exist. ERR_SYSTEM.
Err folder_make(const char *path, mode_t mode, Reason *reason);
/// Leave the file or folder `path` to its owner alone: take all rights of others away.
/// `*ret_mended`: there were some. OK if it is not there; a link is not followed, and left alone.
/// ERR_SYSTEM.
Err file_make_private(const char *path, bool *ret_mended, Reason *reason);
