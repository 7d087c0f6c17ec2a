// SPDX-License-Identifier: Apache-2.0
/// The credentials that new sessions of a gateway have, replaced while it runs (gateway_renew).
/// Inside of the gateway only.
#pragma once

#include "channel/conn.h"

/// None yet: gateway_renew sets the first ones.
void gateway_tls_init(Gateway *gateway);
/// Free; no connection is left.
void gateway_tls_done(Gateway *gateway);
/// Begin a session with what is in force now; nothing where there is no TLS. Errors of tls_open.
Err gateway_tls_secure(Gateway *gateway, Stream *stream);
