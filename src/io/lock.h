// SPDX-License-Identifier: Apache-2.0
/// One process at a time in a folder.
#pragma once

#include "base/err.h"

/// Lock the file `lock` in `folder`, made where it is missing, and write this process's id into it.
/// The lock lasts until `*ret_fd` is closed, or the process ends, however it ends. Others do not
/// wait: ERR_UNAVAILABLE, and the Reason is the folder and the holder's id. ERR_NOT_FOUND: no such
/// folder.
Err lock_take(const char *folder, int *ret_fd, Reason *reason);
