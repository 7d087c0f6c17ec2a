// SPDX-License-Identifier: Apache-2.0
/// Sends what belongs together at once: for who sends in small parts, as libraries of TLS do with
/// the flights of a handshake. The other direction is ahead.h.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

typedef struct Behind {
    int fd;               ///< borrowed
    bool gathers;         ///< what is sent is kept until behind_flush
    unsigned char *bytes; ///< what is kept; malloc'ed; NULL: nothing
    size_t len;
} Behind;

/// Send the parts, or keep them while it gathers, as sendmsg: how many bytes were taken; -1 with
/// errno, also ENOMEM. What is kept goes first.
ssize_t behind_send(Behind *behind, const struct iovec *parts, size_t count);
/// Send what is kept. False with errno: something is left (EAGAIN: try again later).
bool behind_flush(Behind *behind);
/// Free what is kept.
void behind_done(Behind *behind);
