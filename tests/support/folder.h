// SPDX-License-Identifier: Apache-2.0
/// For tests: take away a folder of their own with everything in it.
#pragma once

#include <ftw.h>
#include <stdio.h>

static inline int
folder_entry_remove(const char *path, const struct stat *status, int type, struct FTW *at) {
    (void)status;
    (void)type;
    (void)at;
    return remove(path);
}

/// Remove the folder and all below it; 0 when it is gone.
static inline int folder_remove(const char *path) {
    return nftw(path, folder_entry_remove, 16, FTW_DEPTH | FTW_PHYS);
}
