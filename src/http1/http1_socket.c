// SPDX-License-Identifier: Apache-2.0
#include "http1/http1_socket.h"

#include "base/clock.h"
#include "base/scope.h"
#include "io/source.h"
#include "io/tls.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { POLL_MAX_MS = 60'000, PORT_TEXT_MAX = 6, ADDRESSES_MAX = 8 };

static const char *const broken = "the connection broke";

/// Wait until the socket is ready for `events`.
static Err socket_wait_for(const Http1Socket *socket, short events, uint64_t deadline_ms) {
    for (;;) {
        uint64_t now_ms = clock_monotonic_ms();
        uint64_t left_ms = deadline_ms > now_ms ? deadline_ms - now_ms : 0;
        if (left_ms == 0) return FAIL(ERR_TIMEOUT, "no answer in time");
        struct pollfd fds[] = {
            {.fd = socket->fd,        .events = events},
            {.fd = socket->cancel_fd, .events = POLLIN},
        };
        int ready = poll(fds, 2, left_ms < POLL_MAX_MS ? (int)left_ms : POLL_MAX_MS);
        if (ready < 0 && errno != EINTR) return FAIL_SYS("cannot wait for a connection");
        if (ready > 0 && fds[1].revents) return FAIL(ERR_TIMEOUT, "cancelled");
        if (ready > 0 && fds[0].revents) return SUCCESS;
    }
}

static Err socket_wait_for_tls(const Http1Socket *socket, TlsWant want, uint64_t deadline_ms) {
    return socket_wait_for(socket, want == TLS_WANT_WRITE ? POLLOUT : POLLIN, deadline_ms);
}

static bool socket_is_later(int error) {
    return error == EAGAIN || error == EINTR;
}

static Err socket_connect_fail(int error, Reason *reason) {
    return reason_fail(reason, FAIL(ERR_UNAVAILABLE, "cannot connect"), "%s", strerror(error));
}

/// Connect to one address; the socket is open then.
static Err socket_connect_to(Http1Socket *opened,
                             const struct sockaddr *address,
                             socklen_t address_len,
                             const char *source,
                             uint64_t deadline_ms,
                             Reason *reason) {
    SCOPED(fd_closep)
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return FAIL_SYS("cannot make a socket");
    TRY(source_bind(fd, source));
    if (connect(fd, address, address_len) != 0) {
        if (errno != EINPROGRESS) return socket_connect_fail(errno, reason);
        Http1Socket connecting = {.fd = fd, .cancel_fd = opened->cancel_fd};
        TRY(socket_wait_for(&connecting, POLLOUT, deadline_ms));
        int error = 0;
        socklen_t error_len = sizeof(error);
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_len);
        if (error != 0) return socket_connect_fail(error, reason);
    }
    opened->fd = TAKE_FD(fd);
    return SUCCESS;
}

static Err
socket_connect_unix(Http1Socket *opened, const char *path, uint64_t deadline_ms, Reason *reason) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int len = snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (len >= (int)sizeof(address.sun_path))
        return FAIL(ERR_INVALID, "the path of a socket is too long");
    return socket_connect_to(
        opened, (const struct sockaddr *)&address, sizeof(address), NULL, deadline_ms, reason);
}

static void socket_addresses_free(struct addrinfo **list) {
    if (*list) freeaddrinfo(*list);
}

/// Try the host's addresses in turn; each gets its share of the time, so that one which does not
/// answer leaves some for the next.
static Err socket_connect_host(Http1Socket *opened,
                               const Http1Options *options,
                               uint64_t deadline_ms,
                               Reason *reason) {
    char service[PORT_TEXT_MAX];
    snprintf(service, sizeof(service), "%u", options->port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    SCOPED(socket_addresses_free) struct addrinfo *list = NULL;
    int rc = getaddrinfo(options->host, service, &hints, &list);
    if (rc != 0)
        return reason_fail(reason,
                           FAIL(ERR_UNAVAILABLE, "the host's name cannot be resolved"),
                           "%s",
                           gai_strerror(rc));
    uint64_t count = 0;
    for (struct addrinfo *at = list; at && count < ADDRESSES_MAX; at = at->ai_next)
        count++;
    Err err = FAIL(ERR_UNAVAILABLE, "the host has no address");
    for (struct addrinfo *at = list; count > 0 && opened->fd < 0; at = at->ai_next, count--) {
        uint64_t now_ms = clock_monotonic_ms();
        uint64_t left_ms = deadline_ms > now_ms ? deadline_ms - now_ms : 0;
        reason_clear(reason);
        err = socket_connect_to(
            opened, at->ai_addr, at->ai_addrlen, options->source, now_ms + left_ms / count, reason);
    }
    return err;
}

static Err socket_secure(
    Http1Socket *socket, TlsContext *context, Str host, uint64_t deadline_ms, Reason *reason) {
    TRY(tls_open(context, socket->fd, host, &socket->tls));
    TlsWant want = TLS_DONE;
    TRY(tls_handshake(socket->tls, &want, reason));
    while (want != TLS_DONE) {
        TRY(socket_wait_for_tls(socket, want, deadline_ms));
        TRY(tls_handshake(socket->tls, &want, reason));
    }
    return SUCCESS;
}

static Err socket_open_as(Http1Socket *socket,
                          const Http1Options *options,
                          uint64_t deadline_ms,
                          Reason *reason) {
    if (options->unix_path)
        return socket_connect_unix(socket, options->unix_path, deadline_ms, reason);
    TRY(socket_connect_host(socket, options, deadline_ms, reason));
    int on = 1; // a request is one write, there is nothing to collect
    (void)setsockopt(socket->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (!options->tls) return SUCCESS;
    return socket_secure(socket, options->tls, str_from(options->host), deadline_ms, reason);
}

Err http1_socket_open(Http1Socket *socket,
                      const Http1Options *options,
                      uint64_t deadline_ms,
                      Reason *reason) {
    *socket = (Http1Socket){.fd = -1, .cancel_fd = options->cancel_fd};
    Err err = socket_open_as(socket, options, deadline_ms, reason);
    if (err.code != OK) http1_socket_close(socket);
    return err;
}

void http1_socket_close(Http1Socket *socket) {
    if (socket->fd < 0) return;
    if (socket->tls) tls_bye(socket->tls);
    socket->tls = tls_close(socket->tls);
    close(socket->fd);
    socket->fd = -1;
}

bool http1_socket_is_quiet(const Http1Socket *socket) {
    struct pollfd fd = {.fd = socket->fd, .events = POLLIN};
    return socket->fd >= 0 && !(socket->tls && tls_pending(socket->tls)) && poll(&fd, 1, 0) == 0;
}

static Err socket_write_some(Http1Socket *socket, Str bytes, size_t *ret_len, TlsWant *ret_want) {
    if (socket->tls) return tls_write(socket->tls, bytes.ptr, bytes.len, ret_len, ret_want);
    ssize_t sent = send(socket->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
    if (sent < 0 && !socket_is_later(errno)) return FAIL(ERR_UNAVAILABLE, broken);
    *ret_len = sent < 0 ? 0 : (size_t)sent;
    *ret_want = sent < 0 ? TLS_WANT_WRITE : TLS_DONE;
    return SUCCESS;
}

Err http1_socket_write(Http1Socket *socket, Str bytes, uint64_t deadline_ms) {
    while (bytes.len > 0) {
        size_t len = 0;
        TlsWant want = TLS_DONE;
        TRY(socket_write_some(socket, bytes, &len, &want));
        if (want != TLS_DONE) TRY(socket_wait_for_tls(socket, want, deadline_ms));
        bytes = str_slice(bytes, len, bytes.len);
    }
    return SUCCESS;
}

static Err socket_read_some(
    Http1Socket *socket, void *bytes, size_t size, size_t *ret_len, TlsWant *ret_want) {
    if (socket->tls) return tls_read(socket->tls, bytes, size, ret_len, ret_want);
    ssize_t got = recv(socket->fd, bytes, size, 0);
    if (got < 0 && !socket_is_later(errno)) return FAIL(ERR_UNAVAILABLE, broken);
    *ret_len = got < 0 ? 0 : (size_t)got;
    *ret_want = got < 0 ? TLS_WANT_READ : TLS_DONE;
    return SUCCESS;
}

Err http1_socket_read(
    Http1Socket *socket, void *bytes, size_t size, uint64_t deadline_ms, size_t *ret_len) {
    TlsWant want = socket->tls && tls_pending(socket->tls) ? TLS_DONE : TLS_WANT_READ;
    size_t len = 0;
    do { // wait first: a peer that always has more must neither outrun the deadline nor the cancel
        if (want != TLS_DONE) TRY(socket_wait_for_tls(socket, want, deadline_ms));
        TRY(socket_read_some(socket, bytes, size, &len, &want));
    } while (want != TLS_DONE);
    *ret_len = len;
    return SUCCESS;
}
