// SPDX-License-Identifier: Apache-2.0
#include "base/scope.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void fd_closep(const int *fd) {
    if (*fd >= 0) close(*fd);
}

void mem_freep(void *ptr) {
    void *memory;
    memcpy(&memory, ptr, sizeof(memory)); // any pointer type may stand behind `ptr`
    free(memory);
}
