// SPDX-License-Identifier: Apache-2.0
#include "http1/http1_peer.h"

#include "io/tls.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PATIENCE_MS = 10'000 }; // so that no test hangs

static void peer_hang_up(Peer *peer) {
    if (peer->tls) tls_bye(peer->tls);
    peer->tls = tls_close(peer->tls);
    if (peer->fd >= 0) close(peer->fd);
    peer->fd = -1;
}

static bool peer_wait(int fd, int patience_ms) {
    return poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, patience_ms) == 1;
}

static bool peer_accept(Peer *peer) {
    if (!peer_wait(peer->listener, PATIENCE_MS)) return false;
    peer->fd = accept4(peer->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    peer->connections++;
    if (!peer->tls_context) return true;
    TlsWant want = TLS_WANT_READ;
    Err err = tls_open(peer->tls_context, peer->fd, (Str){}, &peer->tls);
    while (err.code == OK && want != TLS_DONE && peer_wait(peer->fd, PATIENCE_MS))
        err = tls_handshake(peer->tls, &want, NULL);
    return err.code == OK && want == TLS_DONE;
}

static size_t peer_receive(Peer *peer, char *bytes, size_t size) {
    if (!peer->tls) {
        ssize_t got = peer_wait(peer->fd, PATIENCE_MS) ? recv(peer->fd, bytes, size, 0) : 0;
        return got > 0 ? (size_t)got : 0;
    }
    TlsWant want = TLS_WANT_READ;
    size_t len = 0;
    Err err = SUCCESS;
    while (err.code == OK && want != TLS_DONE
           && (tls_pending(peer->tls) || peer_wait(peer->fd, PATIENCE_MS)))
        err = tls_read(peer->tls, bytes, size, &len, &want);
    return err.code == OK ? len : 0;
}

static bool peer_send(Peer *peer, const char *text) {
    size_t len = strlen(text), sent = 0;
    TlsWant want = TLS_DONE;
    if (len == 0) return true;
    if (!peer->tls) return send(peer->fd, text, len, MSG_NOSIGNAL) == (ssize_t)len;
    return tls_write(peer->tls, text, len, &sent, &want).code == OK && sent == len;
}

/// Read a request with its body; false: the client went.
static bool peer_read_request(Peer *peer, char request[REQUEST_MAX]) {
    size_t len = 0, need = 0;
    while (len < REQUEST_MAX - 1 && (need == 0 || len < need)) {
        size_t got = peer_receive(peer, request + len, REQUEST_MAX - 1 - len);
        if (got == 0) return false;
        len += got;
        request[len] = '\0';
        const char *end = strstr(request, "\r\n\r\n");
        const char *length = strstr(request, "Content-Length: ");
        if (end) need = (size_t)(end - request) + 4 + (length ? strtoul(length + 16, NULL, 10) : 0);
    }
    return true;
}

static void peer_answer(Peer *peer, const Step *step) {
    bool is_there = peer_send(peer, step->reply);
    while (is_there && step->after == DRIP && !peer_wait(peer->fd, 5))
        is_there = peer_send(peer, "x");
    if (is_there && step->after == HOLD) peer_wait(peer->fd, PATIENCE_MS);
    if (step->after != KEEP) peer_hang_up(peer);
}

static void *peer_main(void *ctx) {
    Peer *peer = ctx;
    for (size_t i = 0; i < STEPS_MAX && peer->steps[i].reply; i++) {
        bool has_request = false;
        while (!has_request) {
            if (peer->fd < 0 && !peer_accept(peer)) break;
            has_request = peer_read_request(peer, peer->requests[i]);
            if (!has_request) peer_hang_up(peer);
        }
        if (!has_request) break;
        peer->served++;
        peer_answer(peer, &peer->steps[i]);
    }
    peer_hang_up(peer);
    return NULL;
}

static void peer_listen_unix(Peer *peer) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(peer->folder, sizeof(peer->folder), "/tmp/http1_test.XXXXXX");
    assert(mkdtemp(peer->folder));
    snprintf(peer->path, sizeof(peer->path), "%s/socket", peer->folder);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", peer->path);
    peer->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert(bind(peer->listener, (struct sockaddr *)&address, sizeof(address)) == 0);
}

static void peer_listen_tcp(Peer *peer) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    peer->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unsigned first = (unsigned)getpid();
    int status = -1;
    for (unsigned i = 0; status != 0 && i < 1000; i++) {
        peer->port = (uint16_t)(20'000 + (first + i) % 10'000);
        address.sin_port = htons(peer->port);
        status = bind(peer->listener, (struct sockaddr *)&address, sizeof(address));
    }
    assert(status == 0);
}

void peer_start(Peer *peer, const Step *steps, size_t count, bool is_tcp, TlsContext *tls_context) {
    assert(count <= STEPS_MAX);
    *peer = (Peer){.fd = -1, .tls_context = tls_context};
    memcpy(peer->steps, steps, count * sizeof(*steps));
    is_tcp ? peer_listen_tcp(peer) : peer_listen_unix(peer);
    assert(listen(peer->listener, 4) == 0);
    assert(pthread_create(&peer->thread, NULL, peer_main, peer) == 0);
}

void peer_stop(Peer *peer) {
    assert(pthread_join(peer->thread, NULL) == 0);
    close(peer->listener);
    if (peer->port == 0) assert(unlink(peer->path) == 0 && rmdir(peer->folder) == 0);
}
