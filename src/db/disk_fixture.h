// SPDX-License-Identifier: Apache-2.0
/// A small disk of the test's own that can be full, with an SQLite store on it: a file system in
/// memory, in a mount namespace. What goes wrong in here is an assertion that fails.
#pragma once

#include "db/db_fixture.h"

enum { DISK_BYTES = 24 << 20, DISK_RESERVE_BYTES = 8 << 20 };

typedef struct Disk {
    Fixture fixture;
    char filler[80];        ///< of others, who take what they like
    uint32_t check_every_s; ///< DbOptions
} Disk;

/// At the start of the program: whether it may mount what it likes.
void disk_begin(void);
/// A new one with an open store. False: none can be mounted here.
[[nodiscard]] bool disk_open(Disk *disk, uint32_t check_every_s);
/// Open the store that is on it; it is closed.
Err disk_store_open(Disk *disk);
/// Let others take all but `left` bytes. On any thread.
void disk_fill(const Disk *disk, uint64_t left);
/// They give it back.
void disk_clear(const Disk *disk);
/// Wait until the store says that it can serve, without a write that would show it.
void disk_heals(Disk *disk);
/// Close the store, and it is gone.
void disk_close(Disk *disk);
