// SPDX-License-Identifier: Apache-2.0
#include "io/ahead.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { AHEAD_MAX = 4096 }; ///< bytes that are received at once, whatever is asked for

bool ahead_has(const Ahead *ahead) {
    return ahead->bytes;
}

void ahead_done(Ahead *ahead) {
    free(ahead->bytes);
    *ahead = (Ahead){.fd = ahead->fd};
}

static size_t ahead_take(Ahead *ahead, void *bytes, size_t size) {
    size_t left = ahead->len - ahead->at;
    size_t len = size < left ? size : left;
    memcpy(bytes, ahead->bytes + ahead->at, len);
    ahead->at += len;
    if (len == left) ahead_done(ahead);
    return len;
}

static bool ahead_keep(Ahead *ahead, const unsigned char *bytes, size_t len) {
    unsigned char *kept = malloc(len);
    if (!kept) return false;
    memcpy(kept, bytes, len);
    *ahead = (Ahead){ahead->fd, kept, len, 0};
    return true;
}

ssize_t ahead_receive(Ahead *ahead, void *bytes, size_t size) {
    if (ahead_has(ahead)) return (ssize_t)ahead_take(ahead, bytes, size);
    if (size >= AHEAD_MAX) return recv(ahead->fd, bytes, size, 0);
    unsigned char room[AHEAD_MAX];
    ssize_t got = recv(ahead->fd, room, sizeof(room), 0);
    if (got <= 0) return got;
    size_t len = (size_t)got < size ? (size_t)got : size;
    memcpy(bytes, room, len);
    if (len < (size_t)got && !ahead_keep(ahead, room + len, (size_t)got - len)) {
        errno = ENOMEM;
        return -1;
    }
    return (ssize_t)len;
}
