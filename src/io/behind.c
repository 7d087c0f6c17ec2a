// SPDX-License-Identifier: Apache-2.0
#include "io/behind.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

void behind_done(Behind *behind) {
    free(behind->bytes);
    behind->bytes = NULL;
    behind->len = 0;
}

static ssize_t behind_keep(Behind *behind, const struct iovec *parts, size_t count) {
    size_t len = 0;
    for (size_t i = 0; i < count; i++)
        len += parts[i].iov_len;
    unsigned char *bytes = realloc(behind->bytes, behind->len + len);
    if (!bytes) return -1;
    behind->bytes = bytes;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].iov_len > 0) memcpy(bytes + behind->len, parts[i].iov_base, parts[i].iov_len);
        behind->len += parts[i].iov_len;
    }
    return (ssize_t)len;
}

bool behind_flush(Behind *behind) {
    while (behind->len > 0) {
        ssize_t sent = send(behind->fd, behind->bytes, behind->len, MSG_NOSIGNAL);
        if (sent < 0) return false;
        behind->len -= (size_t)sent;
        memmove(behind->bytes, behind->bytes + sent, behind->len);
    }
    behind_done(behind);
    return true;
}

ssize_t behind_send(Behind *behind, const struct iovec *parts, size_t count) {
    if (behind->gathers) return behind_keep(behind, parts, count);
    if (!behind_flush(behind)) return -1;
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)parts, .msg_iovlen = count};
    return sendmsg(behind->fd, &message, MSG_NOSIGNAL);
}
