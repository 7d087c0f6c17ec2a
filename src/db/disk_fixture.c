// SPDX-License-Identifier: Apache-2.0
#include "db/disk_fixture.h"

#include "db/sqlite.h"

#include <assert.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { HEAL_TRIES = 500 }; // of 10 ms

static bool has_mounts; ///< this process may mount what it likes

static void must(Err err) {
    if (err.code != OK) fprintf(stderr, "fixture: %s\n", err.what);
    assert(err.code == OK);
}

void disk_begin(void) {
    bool is_alone = unshare(CLONE_NEWNS) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0;
    has_mounts = is_alone && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

Err disk_store_open(Disk *disk) {
    DbOptions options = fixture_options(&disk->fixture);
    options.reserve_bytes = DISK_RESERVE_BYTES;
    options.check_every_s = disk->check_every_s;
    return db_open_sqlite(&options, &disk->fixture.db, NULL);
}

bool disk_open(Disk *disk, uint32_t check_every_s) {
    char size[32];
    *disk = (Disk){.check_every_s = check_every_s};
    must(fixture_init(&disk->fixture));
    snprintf(size, sizeof(size), "size=%d", DISK_BYTES);
    if (!has_mounts || mount("tmpfs", disk->fixture.folder, "tmpfs", 0, size) != 0) {
        fixture_close(&disk->fixture);
        return false;
    }
    snprintf(disk->filler, sizeof(disk->filler), "%s/filler", disk->fixture.folder);
    must(disk_store_open(disk));
    return true;
}

void disk_close(Disk *disk) {
    disk->fixture.db = db_close(disk->fixture.db);
    int left = umount(disk->fixture.folder);
    assert(left == 0);
    fixture_close(&disk->fixture);
}

void disk_fill(const Disk *disk, uint64_t left) {
    struct statvfs status;
    int seen = statvfs(disk->fixture.folder, &status);
    assert(seen == 0);
    uint64_t free_bytes = (uint64_t)status.f_bavail * status.f_frsize;
    int fd = open(disk->filler, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert(fd >= 0);
    int filled = free_bytes > left ? posix_fallocate(fd, 0, (off_t)(free_bytes - left)) : 0;
    assert(filled == 0);
    close(fd);
}

void disk_clear(const Disk *disk) {
    int gone = unlink(disk->filler);
    assert(gone == 0);
}

void disk_heals(Disk *disk) {
    int tries = 0;
    while (db_check(disk->fixture.db).code == ERR_FULL && tries++ < HEAL_TRIES)
        usleep(10'000);
    must(db_check(disk->fixture.db));
}
