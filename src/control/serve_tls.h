// SPDX-License-Identifier: Apache-2.0
/// The server's certificate and the key of its session tickets, while it serves: renewed, and read
/// again when they changed.
#pragma once

#include "control/app.h"
#include "control/vault.h"
#include "io/tls.h"

#include <sys/stat.h>

/// What was read last.
typedef struct ServeTls {
    uint64_t period; ///< of the ticket key
    struct stat cert, key;
    ErrCode renewal; ///< how the last one ended: told when that changes
} ServeTls;

/// The key of session tickets at that time. It is the installation's: each of its servers has the
/// same one, also after a restart, and another one each month.
void serve_tls_ticket_key(const JwsKey *key, uint64_t now_ms, uint8_t ret_key[TLS_TICKET_KEY_LEN]);
/// Sign the certificate in server.pem anew, with its key and hosts, once a tenth of its time is
/// left and if it is by the installation's own authority. The Reason names the file.
Err serve_tls_renew(const Vault *vault, uint64_t now_ms, Arena *arena, Reason *reason);
/// Before the gateway opens: renew what is due, and remember what it will read. What cannot be read
/// is the gateway's to tell.
void serve_tls_begin(ServeTls *tls, const App *app, const Vault *vault);
/// Take up what is in server.pem and server.key, if it changed since `tls` or it `is_asked` for,
/// and the ticket key of the time. What goes wrong is logged, and what was in force stays.
void serve_tls_look(ServeTls *tls, const App *app, const Vault *vault, bool is_asked);
