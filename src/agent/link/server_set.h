// SPDX-License-Identifier: Apache-2.0
/// The servers of an installation and the authorities that they are known by (`Servers` of
/// wire/agent.h), ready to be called. Immutable; may be shared by the links of one loop.
#pragma once

#include "agent/link/server.h"
#include "wire/agent.h"

typedef struct ServerSet ServerSet;

/// Entries that this program cannot call are passed over. ERR_INVALID: none is left, or an
/// authority is no certificate; `reason` says which. ERR_MEMORY. ERR_UNAVAILABLE: public
/// authorities are wanted, and this machine has none.
Err server_set_open(const Servers *servers, ServerSet **ret_set, Reason *reason);
/// NULL-safe; returns NULL.
ServerSet *server_set_close(ServerSet *set);
/// The name of the list. Borrowed.
Str server_set_digest(const ServerSet *set);
/// How many servers there are; at least one.
size_t server_set_count(const ServerSet *set);
/// Where the server is. Borrowed.
const ServerAddress *server_set_address(const ServerSet *set, size_t at);
/// What a connection to the server trusts; NULL with plain http. Borrowed.
TlsContext *server_set_tls(const ServerSet *set, size_t at);
