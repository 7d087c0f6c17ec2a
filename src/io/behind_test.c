// SPDX-License-Identifier: Apache-2.0
#include "io/behind.h"

#include "test.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BYTES = 1024 * 1024 };

static Behind opened(int *ret_peer) {
    int fds[2];
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds) == 0); // one packet a send
    *ret_peer = fds[1];
    return (Behind){.fd = fds[0]};
}

static void closed(Behind *behind, int peer) {
    behind_done(behind);
    close(behind->fd);
    if (peer >= 0) close(peer);
}

static ssize_t said(Behind *behind, const char *one, const char *two) {
    struct iovec parts[] = {
        {(void *)(uintptr_t)one, strlen(one)},
        {(void *)(uintptr_t)two, strlen(two)},
    };
    return behind_send(behind, parts, 2);
}

/// The next packet is this; "": there is none.
static bool hears(int peer, const char *packet) {
    char got[64];
    ssize_t len = recv(peer, got, sizeof(got), 0);
    if (packet[0] == '\0') return len == -1 && errno == EAGAIN;
    return len == (ssize_t)strlen(packet) && memcmp(got, packet, strlen(packet)) == 0;
}

TEST(parts_go_at_once_and_what_is_gathered_goes_when_it_is_flushed) {
    int peer;
    Behind behind = opened(&peer);
    CHECK(said(&behind, "ab", "c") == 3 && hears(peer, "abc"));
    behind.gathers = true;
    CHECK(said(&behind, "de", "") == 2 && said(&behind, "f", "gh") == 3);
    CHECK(hears(peer, ""));
    CHECK(behind_flush(&behind) && hears(peer, "defgh") && !behind.bytes);
    CHECK(behind_flush(&behind) && hears(peer, ""));
    closed(&behind, peer);
}

TEST(what_was_gathered_goes_before_what_is_sent_later) {
    int peer;
    Behind behind = opened(&peer);
    behind.gathers = true;
    CHECK(said(&behind, "ab", "") == 2);
    behind.gathers = false;
    CHECK(said(&behind, "c", "d") == 2);
    CHECK(hears(peer, "ab") && hears(peer, "cd"));
    closed(&behind, peer);
}

TEST(a_full_socket_keeps_what_is_left_and_a_lost_one_is_told) {
    int fds[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    Behind behind = {.fd = fds[0], .gathers = true};
    static char sent[BYTES], got[BYTES];
    for (size_t i = 0; i < BYTES; i++)
        sent[i] = (char)('a' + i % 23);
    struct iovec part = {sent, BYTES};
    CHECK(behind_send(&behind, &part, 1) == BYTES);
    behind.gathers = false;
    CHECK(!behind_flush(&behind) && errno == EAGAIN && behind.len > 0 && behind.len < BYTES);
    CHECK(said(&behind, "x", "y") == -1 && errno == EAGAIN);
    for (size_t at = 0; at < BYTES; (void)behind_flush(&behind)) {
        ssize_t len = recv(fds[1], got + at, BYTES - at, 0);
        CHECK(len > 0);
        at += (size_t)len;
    }
    CHECK(memcmp(sent, got, BYTES) == 0 && behind_flush(&behind));
    close(fds[1]);
    CHECK(said(&behind, "x", "y") == -1 && errno == EPIPE);
    closed(&behind, -1);
}

TEST_MAIN(CASE(parts_go_at_once_and_what_is_gathered_goes_when_it_is_flushed),
          CASE(what_was_gathered_goes_before_what_is_sent_later),
          CASE(a_full_socket_keeps_what_is_left_and_a_lost_one_is_told))
