// SPDX-License-Identifier: Apache-2.0
#include "cli/ca.h"

#include "base/clock.h"
#include "base/scope.h"
#include "io/tls.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

static Err ca_url_split(Str url, Arena *arena, Str *ret_host, Str *ret_port) {
    if (!str_starts(url, S("https://"))) return FAIL(ERR_INVALID, "a fingerprint needs https://");
    Str host = str_slice(url, 8, url.len);
    Str port = S("443");
    size_t end = host.len;
    while (end > 0 && host.ptr[end - 1] != ':' && host.ptr[end - 1] != ']')
        end--;
    if (end > 0 && host.ptr[end - 1] == ':') {
        port = str_slice(host, end, host.len);
        host = str_slice(host, 0, end - 1);
    }
    if (str_starts(host, S("[")) && str_ends(host, S("]"))) host = str_slice(host, 1, host.len - 1);
    uint64_t number;
    if (host.len == 0 || str_u64(port, &number).code != OK || number == 0 || number > 65535)
        return FAIL(ERR_INVALID, "the server must be https://host or https://host:port");
    *ret_host = str_dup(arena, host);
    *ret_port = str_dup(arena, port);
    return arena_check(arena);
}

static Err ca_ready_wait(int fd, short events, uint64_t deadline_ms) {
    uint64_t now_ms = clock_monotonic_ms();
    if (now_ms >= deadline_ms) return FAIL(ERR_TIMEOUT, "the server does not answer");
    struct pollfd poller = {.fd = fd, .events = events};
    int ready = poll(&poller, 1, (int)(deadline_ms - now_ms));
    if (ready < 0 && errno != EINTR) return FAIL_SYS("cannot wait for the server");
    return ready == 0 ? FAIL(ERR_TIMEOUT, "the server does not answer") : SUCCESS;
}

static Err ca_address_connect(const struct addrinfo *address, uint64_t deadline_ms, int *ret_fd) {
    SCOPED(fd_closep)
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return FAIL_SYS("cannot open a socket");
    if (connect(fd, address->ai_addr, address->ai_addrlen) != 0 && errno != EINPROGRESS)
        return FAIL(ERR_UNAVAILABLE, "the server cannot be reached");
    TRY(ca_ready_wait(fd, POLLOUT, deadline_ms));
    int error = 0;
    socklen_t size = sizeof(error);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0)
        return FAIL(ERR_UNAVAILABLE, "the server cannot be reached");
    *ret_fd = TAKE_FD(fd);
    return SUCCESS;
}

static Err ca_host_connect(Str host, Str port, uint64_t deadline_ms, int *ret_fd) {
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    if (getaddrinfo(host.ptr, port.ptr, &hints, &found) != 0)
        return FAIL(ERR_UNAVAILABLE, "the server's name has no address");
    Err err = FAIL(ERR_UNAVAILABLE, "the server's name has no address");
    for (const struct addrinfo *at = found; at && err.code != OK; at = at->ai_next)
        err = ca_address_connect(at, deadline_ms, ret_fd);
    freeaddrinfo(found);
    return err;
}

static void ca_context_closep(TlsContext **context) {
    *context = tls_context_close(*context);
}

static void ca_tls_closep(Tls **tls) {
    *tls = tls_close(*tls);
}

static Err ca_read(Str host,
                   Str port,
                   Str fingerprint_hex,
                   uint64_t deadline_ms,
                   Arena *arena,
                   Str *ret_pem,
                   Reason *reason) {
    SCOPED(fd_closep) int fd = -1;
    TRY(ca_host_connect(host, port, deadline_ms, &fd));
    SCOPED(ca_context_closep) TlsContext *context = NULL;
    TRY(tls_client_context_open((Str){}, &context));
    SCOPED(ca_tls_closep) Tls *tls = NULL;
    TRY(tls_open(context, fd, host, &tls));
    for (TlsWant want = TLS_WANT_WRITE; want != TLS_DONE;) {
        TRY(tls_handshake(tls, &want, reason));
        if (want != TLS_DONE)
            TRY(ca_ready_wait(fd, want == TLS_WANT_READ ? POLLIN : POLLOUT, deadline_ms));
    }
    Err err = tls_peer_ca(tls, fingerprint_hex, arena, ret_pem);
    tls_bye(tls);
    return err;
}

Err ca_fetch(
    Str url, Str fingerprint_hex, uint64_t within_ms, Arena *arena, Str *ret_pem, Reason *reason) {
    uint64_t deadline_ms = clock_monotonic_ms() + within_ms;
    Str host, port;
    TRY(ca_url_split(url, arena, &host, &port));
    Reason said = {};
    Err err = ca_read(host, port, fingerprint_hex, deadline_ms, arena, ret_pem, &said);
    if (err.code == OK) return SUCCESS;
    const char *separator = said.text[0] ? ": " : "";
    return reason_fail(
        reason, err, "%.*s:%.*s%s%s", STR_FMT(host), STR_FMT(port), separator, said.text);
}
