// SPDX-License-Identifier: Apache-2.0
#include "cut.h"

#include <assert.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WAS_CUT = 7 };

/// Operations that are still let through; then the process ends. -1: all are.
static int left = -1;

int __real_rename(const char *from, const char *to);
int __real_unlink(const char *path);
int __real_fsync(int fd);
int __wrap_rename(const char *from, const char *to);
int __wrap_unlink(const char *path);
int __wrap_fsync(int fd);

static void cut(void) {
    if (left == 0) _exit(WAS_CUT);
    if (left > 0) left--;
}

int __wrap_rename(const char *from, const char *to) {
    cut();
    return __real_rename(from, to);
}

int __wrap_unlink(const char *path) {
    cut();
    return __real_unlink(path);
}

int __wrap_fsync(int fd) {
    cut();
    return __real_fsync(fd);
}

bool cut_off(int nth, bool (*change)(void *ctx), void *ctx) {
    pid_t child = fork();
    assert(child >= 0);
    if (child == 0) {
        left = nth;
        _exit(change(ctx) ? 0 : 1);
    }
    int status = 0;
    assert(waitpid(child, &status, 0) == child && WIFEXITED(status));
    assert(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == WAS_CUT);
    return WEXITSTATUS(status) == WAS_CUT;
}
