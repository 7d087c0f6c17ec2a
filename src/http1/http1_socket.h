// SPDX-License-Identifier: Apache-2.0
/// A connection on which every wait has a deadline and can be cancelled. For http1.c alone.
#pragma once

#include "http1/http1.h"

typedef struct Tls Tls;

typedef struct Http1Socket {
    int fd;        ///< -1: not connected
    int cancel_fd; ///< -1: none
    Tls *tls;      ///< NULL: plain
} Http1Socket;

/// Connect, and verify the server if there is TLS. `deadline_ms` is monotonic, here and below.
/// ERR_UNAVAILABLE: no connection. ERR_UNAUTHENTICATED: the certificate is not good.
/// ERR_TIMEOUT: the deadline passed, or it was cancelled. The Reason is what the system or the TLS
/// library says.
Err http1_socket_open(Http1Socket *socket,
                      const Http1Options *options,
                      uint64_t deadline_ms,
                      Reason *reason);
/// Disconnect, if connected.
void http1_socket_close(Http1Socket *socket);
/// Connected, and the peer has neither closed nor sent anything meanwhile.
bool http1_socket_is_quiet(const Http1Socket *socket);
/// Write all. ERR_UNAVAILABLE: the connection broke. ERR_TIMEOUT.
Err http1_socket_write(Http1Socket *socket, Str bytes, uint64_t deadline_ms);
/// Wait for bytes and read up to `size`; `*ret_len` 0: the peer closed. Errors as above.
Err http1_socket_read(
    Http1Socket *socket, void *bytes, size_t size, uint64_t deadline_ms, size_t *ret_len);
