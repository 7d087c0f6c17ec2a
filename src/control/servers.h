// SPDX-License-Identifier: Apache-2.0
/// Where the installation can be reached, as its devices are told it.
#pragma once

#include "control/config.h"
#include "wire/agent.h"

/// The list for devices: of the setting `servers`, or of this server by the first name of the
/// certificate `server_pem`. `ca_pem`: the installation's own authority. Its digest is over the
/// canonical JSON of all of it. Texts live in `arena` or are borrowed. ERR_INVALID, ERR_NOT_FOUND:
/// the certificate is none, or names no host; the Reason is what the library says.
Err servers_make(const Config *config,
                 Str server_pem,
                 Str ca_pem,
                 Arena *arena,
                 Servers *ret_servers,
                 Reason *reason);
/// TokenText.authority for these servers, whose own authority has this fingerprint: absent where
/// there is no TLS.
Str servers_authority(const Servers *servers, Str ca_fingerprint);
