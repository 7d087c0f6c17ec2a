// SPDX-License-Identifier: Apache-2.0
#include "io/lock.h"

#include "folder.h"
#include "test.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct Fixture {
    char folder[64];
} Fixture;

static Fixture fixture_make(void) {
    Fixture fixture = {.folder = "/tmp/muster-lock-XXXXXX"};
    CHECK(mkdtemp(fixture.folder) != NULL);
    return fixture;
}

/// A process that has the lock, and lives until it is killed.
static pid_t holder_start(const char *folder) {
    int ready[2];
    char byte;
    CHECK(pipe(ready) == 0);
    pid_t child = fork();
    if (child == 0) {
        int fd;
        if (lock_take(folder, &fd, NULL).code != OK) _exit(1);
        if (write(ready[1], "x", 1) != 1) _exit(1);
        for (;;)
            pause();
    }
    close(ready[1]);
    CHECK(read(ready[0], &byte, 1) == 1);
    close(ready[0]);
    return child;
}

TEST(a_second_process_is_told_which_folder_and_who_has_it) {
    Fixture fixture = fixture_make();
    pid_t holder = holder_start(fixture.folder);
    int fd = -1;
    Reason reason = {};
    char who[32];
    snprintf(who, sizeof(who), ": process %d", holder);
    CHECK_ERR(lock_take(fixture.folder, &fd, &reason), ERR_UNAVAILABLE);
    CHECK_SAID(reason, fixture.folder);
    CHECK_SAID(reason, who);
    CHECK(fd == -1);
    CHECK(kill(holder, SIGKILL) == 0 && waitpid(holder, NULL, 0) == holder);
    CHECK(folder_remove(fixture.folder) == 0);
}

TEST(a_killed_process_leaves_no_lock_behind) {
    Fixture fixture = fixture_make();
    pid_t holder = holder_start(fixture.folder);
    CHECK(kill(holder, SIGKILL) == 0 && waitpid(holder, NULL, 0) == holder);
    int fd = -1;
    CHECK_OK(lock_take(fixture.folder, &fd, NULL));
    CHECK(close(fd) == 0);
    CHECK_OK(lock_take(fixture.folder, &fd, NULL)); // and closing is enough
    CHECK(close(fd) == 0);
    CHECK(folder_remove(fixture.folder) == 0);
}

TEST(the_lock_is_for_its_owner_only_and_no_link_is_followed) {
    Fixture fixture = fixture_make();
    char path[96], other[96];
    int fd = -1;
    Reason reason = {};
    struct stat status;
    snprintf(path, sizeof(path), "%s/lock", fixture.folder);
    snprintf(other, sizeof(other), "%s/other", fixture.folder);
    CHECK_OK(lock_take(fixture.folder, &fd, NULL));
    CHECK(stat(path, &status) == 0 && (status.st_mode & 0777) == 0600);
    CHECK(close(fd) == 0 && unlink(path) == 0 && symlink(other, path) == 0);
    CHECK_ERR(lock_take(fixture.folder, &fd, &reason), ERR_SYSTEM);
    CHECK_SAID(reason, path);
    CHECK(access(other, F_OK) != 0);
    CHECK_ERR(lock_take(other, &fd, &reason), ERR_NOT_FOUND);
    CHECK_SAID(reason, other);
    CHECK(folder_remove(fixture.folder) == 0);
}

TEST_MAIN(CASE(a_second_process_is_told_which_folder_and_who_has_it),
          CASE(a_killed_process_leaves_no_lock_behind),
          CASE(the_lock_is_for_its_owner_only_and_no_link_is_followed))
