// SPDX-License-Identifier: Apache-2.0
/// Receives more than is asked for, and keeps the rest: for who asks for a few bytes and then for
/// those behind them, which came at once, as libraries of TLS do with the head of a record.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct Ahead {
    int fd;               ///< borrowed
    unsigned char *bytes; ///< what is kept; malloc'ed; NULL: nothing
    size_t len, at;
} Ahead;

/// Up to `size` bytes, of those that are kept or else of the socket, as recv: 0 at the end; -1 with
/// errno, also ENOMEM.
ssize_t ahead_receive(Ahead *ahead, void *bytes, size_t size);
/// Something is kept: the socket need not have anything.
bool ahead_has(const Ahead *ahead);
/// Free what is kept.
void ahead_done(Ahead *ahead);
