// SPDX-License-Identifier: Apache-2.0
#include "io/lock.h"

#include "base/scope.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

/// The process whose id is in the file; 0: it has none.
static long lock_holder(int fd) {
    char text[16] = {};
    ssize_t len = pread(fd, text, sizeof(text) - 1, 0);
    long pid = len > 0 ? strtol(text, NULL, 10) : 0;
    return pid > 0 ? pid : 0;
}

static Err lock_held(const char *folder, int fd, Reason *reason) {
    const Err held = FAIL(ERR_UNAVAILABLE, "another process works in this folder");
    long pid = lock_holder(fd);
    return pid > 0 ? reason_fail(reason, held, "%s: process %ld", folder, pid)
                   : reason_fail(reason, held, "%s", folder);
}

/// For people only: on a full disk the file stays empty, and the lock holds as well.
static void lock_sign(int fd) {
    char text[16];
    int len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) == 0) (void)!pwrite(fd, text, (size_t)len, 0);
}

Err lock_take(const char *folder, int *ret_fd, Reason *reason) {
    char path[PATH_MAX];
    if (snprintf(path, sizeof(path), "%s/lock", folder) >= (int)sizeof(path))
        return reason_fail(reason, err_sys(ENAMETOOLONG, "the path is too long"), "%s", folder);
    SCOPED(fd_closep) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 && errno == ENOENT)
        return reason_fail(reason, FAIL(ERR_NOT_FOUND, "there is no such folder"), "%s", folder);
    if (fd < 0) return reason_fail(reason, FAIL_SYS("cannot open"), "%s", path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) return lock_held(folder, fd, reason);
        return reason_fail(reason, FAIL_SYS("cannot lock"), "%s", path);
    }
    lock_sign(fd);
    *ret_fd = TAKE_FD(fd);
    return SUCCESS;
}
