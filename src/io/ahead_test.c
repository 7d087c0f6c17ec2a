// SPDX-License-Identifier: Apache-2.0
#include "io/ahead.h"

#include "test.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BYTES = 20'000 };

static Ahead opened(int *ret_peer) {
    int fds[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    *ret_peer = fds[1];
    return (Ahead){.fd = fds[0]};
}

static void closed(Ahead *ahead, int peer) {
    ahead_done(ahead);
    close(ahead->fd);
    if (peer >= 0) close(peer);
}

TEST(what_came_at_once_is_given_in_pieces_and_received_once) {
    int peer;
    Ahead ahead = opened(&peer);
    char got[16];
    CHECK(send(peer, "12345abcdefgh", 13, 0) == 13);
    CHECK(!ahead_has(&ahead));
    CHECK(ahead_receive(&ahead, got, 5) == 5 && memcmp(got, "12345", 5) == 0);
    char left;
    CHECK(ahead_has(&ahead) && recv(ahead.fd, &left, 1, 0) == -1); // nothing is left there
    CHECK(send(peer, "x", 1, 0) == 1);
    CHECK(ahead_receive(&ahead, got, sizeof(got)) == 8 && memcmp(got, "abcdefgh", 8) == 0);
    CHECK(!ahead_has(&ahead));
    CHECK(ahead_receive(&ahead, got, sizeof(got)) == 1 && got[0] == 'x');
    closed(&ahead, peer);
}

TEST(a_socket_without_bytes_and_its_end_are_as_with_recv) {
    int peer;
    Ahead ahead = opened(&peer);
    char got[4];
    CHECK(ahead_receive(&ahead, got, sizeof(got)) == -1 && errno == EAGAIN);
    CHECK(send(peer, "ab", 2, 0) == 2);
    close(peer);
    CHECK(ahead_receive(&ahead, got, 1) == 1 && ahead_has(&ahead));
    CHECK(ahead_receive(&ahead, got, sizeof(got)) == 1 && got[0] == 'b');
    CHECK(ahead_receive(&ahead, got, sizeof(got)) == 0);
    closed(&ahead, -1);
}

TEST(any_sizes_give_the_same_bytes) {
    int peer;
    Ahead ahead = opened(&peer);
    static char sent[BYTES], got[BYTES];
    for (size_t i = 0; i < BYTES; i++)
        sent[i] = (char)('a' + i % 23);
    CHECK(send(peer, sent, BYTES, 0) == BYTES);
    static const size_t sizes[] = {1, 5, 4095, 4096, 7, 4097, 300};
    size_t at = 0;
    for (size_t i = 0; at < BYTES; i++) {
        size_t size = sizes[i % (sizeof(sizes) / sizeof(sizes[0]))];
        if (size > BYTES - at) size = BYTES - at;
        ssize_t len = ahead_receive(&ahead, got + at, size);
        CHECK(len > 0 && (size_t)len <= size);
        at += (size_t)len;
    }
    CHECK(memcmp(sent, got, BYTES) == 0 && !ahead_has(&ahead));
    closed(&ahead, peer);
}

TEST_MAIN(CASE(what_came_at_once_is_given_in_pieces_and_received_once),
          CASE(a_socket_without_bytes_and_its_end_are_as_with_recv),
          CASE(any_sizes_give_the_same_bytes))
