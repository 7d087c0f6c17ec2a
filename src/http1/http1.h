// SPDX-License-Identifier: Apache-2.0
/// A small blocking HTTP/1.1 client for the device (libcurl alone costs 12 MB there): over TCP with
/// TLS to the server, over a unix socket to the container engine. Replies are read strictly
/// (http1/head.h, http1/body.h).
///
/// One connection at a time, kept alive between requests, reopened when the peer closed it. Every
/// wait has a deadline, and `cancel_fd` ends any wait at once; only the name of a host is resolved
/// for as long as the system's resolver takes.
#pragma once

#include "base/text.h"

typedef struct Http1 Http1;
typedef struct TlsContext TlsContext;

typedef struct Http1Options {
    const char *unix_path; ///< connect here, or else to
    const char *host;      ///< host and port
    uint16_t port;
    const char *source; ///< with host: connect from this address of the machine; NULL: any
    TlsContext *tls;    ///< with host; NULL: plain
    int cancel_fd;      ///< readable = give up now (ERR_TIMEOUT, "cancelled"); -1: none
} Http1Options;

typedef struct Http1Request {
    const char *method;
    Str target;         ///< "/v1/agent/sync", already encoded
    Str body;           ///< absent: none
    uint64_t within_ms; ///< for the whole exchange; of a stream: between two pieces
    size_t reply_max;   ///< bytes of a body that is collected
} Http1Request;

typedef struct Http1Reply {
    uint32_t status;
    uint64_t retry_after_s; ///< 0: no such header
    Text body;              ///< to be freed with text_done
} Http1Reply;

/// A client that has not connected yet.
Err http1_open(const Http1Options *options, Http1 **ret_http);
/// Disconnect and free. NULL-safe; returns NULL.
Http1 *http1_close(Http1 *http);
/// One exchange; any status is OK here. `*ret_reply` is to be freed also if the body was refused.
/// ERR_UNAVAILABLE: no connection, or it broke. ERR_UNAUTHENTICATED: the certificate is not good.
/// ERR_TIMEOUT. ERR_LIMIT: the body is over reply_max, or the head over 16 KiB. ERR_INVALID: not
/// HTTP, or a request with bytes in its head that may not be there. After an error the next
/// exchange is on a new connection. The Reason is the peer's address, and what the system or the
/// TLS library says.
Err http1_exchange(Http1 *http, const Http1Request *request, Http1Reply *ret_reply, Reason *reason);
/// One exchange whose 2xx body is handed on as it comes, to `piece` (OK goes on, an error stops and
/// is returned). Another status is collected into `ret_reply` as above. The connection is closed
/// afterwards unless the body came to its end.
Err http1_stream(Http1 *http,
                 const Http1Request *request,
                 Err (*piece)(void *app, Str bytes),
                 void *app,
                 Http1Reply *ret_reply,
                 Reason *reason);
/// The socket of a stream's connection, to poll; -1 when not connected.
int http1_fd(const Http1 *http);
/// Connect and take from the server's chain the certificate whose SHA-256 is `fingerprint_hex`, as
/// PEM in `arena`. `options->tls` trusts nothing yet. ERR_UNAUTHENTICATED: the chain has none.
/// Errors else as http1_exchange.
Err http1_peer_ca(const Http1Options *options,
                  Str fingerprint_hex,
                  uint64_t within_ms,
                  Arena *arena,
                  Str *ret_pem,
                  Reason *reason);
