// SPDX-License-Identifier: Apache-2.0
/// The control plane as the device calls it: JSON records over one kept HTTP connection.
///
/// Blocking, one thread. Whom it trusts is its owner's (server_set.h).
#pragma once

#include "base/schema.h"

typedef struct Server Server;
typedef struct TlsContext TlsContext;

enum { SERVER_HOST_MAX = 253 };

/// The parts of "https://host:port". Plain http is for loopback and tests.
typedef struct ServerAddress {
    bool has_tls;
    char host[SERVER_HOST_MAX + 1];
    uint16_t port;
} ServerAddress;
/// Parse a server's URL, without path. ERR_INVALID: another form, or http to another machine.
Err server_address_parse(Str url, ServerAddress *ret_address);
/// The authority whose fingerprint is given, from the server itself, as PEM in `arena`.
/// ERR_UNAUTHENTICATED: this is not the server that was meant. ERR_UNAVAILABLE, ERR_TIMEOUT.
/// The Reason as of http1_exchange.
Err server_authority(
    const ServerAddress *address, Str fingerprint, Arena *arena, Str *ret_pem, Reason *reason);

/// Does not connect yet. `tls` is borrowed; NULL with plain http. ERR_MEMORY.
Err server_open(const ServerAddress *address, TlsContext *tls, Server **ret_server);
/// NULL-safe; returns NULL.
Server *server_close(Server *server);
/// Connect from this address of the machine from now on; NULL: any. Forgets the connection there
/// is. ERR_MEMORY.
Err server_source(Server *server, const char *source);
/// POST `in` (by `in_schema`, NULL: no body) and decode the answer. What it refuses with is what
/// problem_read makes of its answer, and the Reason is what it said. Else ERR_UNAUTHENTICATED: not
/// its certificate; ERR_INVALID: the answer makes no sense; ERR_UNAVAILABLE, ERR_TIMEOUT,
/// ERR_LIMIT, with the Reason of http1_exchange.
Err server_post(Server *server,
                const char *path,
                const Schema *in_schema,
                const void *in,
                const Schema *out_schema,
                Arena *arena,
                void *ret_out,
                Reason *reason);
/// The same with a body that is JSON already, and the answer as it came, for the caller to free.
Err server_post_text(Server *server, const char *path, Str body, Text *ret_answer, Reason *reason);
/// The HTTP status of the last answer; 0: there was none.
uint32_t server_status(const Server *server);
/// How long it asked to wait after the last failure; 0: it did not.
uint64_t server_retry_after_s(const Server *server);
