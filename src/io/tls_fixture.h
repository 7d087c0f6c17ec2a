// SPDX-License-Identifier: Apache-2.0
/// For tests: an authority, a server's certificate and key as files in a folder of their own, and
/// both ends of a session in one thread, moved in turns. What goes wrong in here is an
/// assertion that fails.
#pragma once

#include "io/certificate.h"
#include "io/tls.h"

typedef struct TlsFixture {
    Arena arena;
    Certificate ca, server;
    char folder[64];
    char cert_path[96], key_path[96];
} TlsFixture;

/// A server for `hosts` (comma separated), its certificate made `age_days` ago for `days` days (a
/// negative age is in the future).
void tls_fixture_open(TlsFixture *fixture, Str hosts, int64_t age_days, uint32_t days);
/// Remove the files and free.
void tls_fixture_close(TlsFixture *fixture);

/// A server's context, and a client's that trusts its authority.
typedef struct Ends {
    TlsFixture files;
    TlsContext *client, *server;
} Ends;

/// Both contexts, over a fixture as above.
void ends_open(Ends *ends, Str hosts, int64_t age_days, uint32_t days);
/// Close both and remove the files.
void ends_close(Ends *ends);

/// A socket pair and a session on each end.
typedef struct Pair {
    int client_fd, server_fd;
    Tls *client, *server;
    Err client_err, server_err; ///< of the handshake
    Reason client_said;
} Pair;

/// Two sessions that have not shaken hands; `host` is the one that the client wants.
void pair_open(Pair *pair, TlsContext *client, TlsContext *server, Str host);
/// Close whatever is open.
void pair_close(Pair *pair);
/// Let both ends shake hands until they are done or have failed.
void pair_handshake(Pair *pair);
/// Write all of a short text on one end and read it on the other.
void pair_carry(Tls *from, Tls *to, Str text);
