// SPDX-License-Identifier: Apache-2.0
/// Getting to know a server's private authority by its fingerprint alone.
#pragma once

#include "base/arena.h"
#include "base/str.h"

/// Fetch the certificate whose SHA-256 is `fingerprint_hex` from the server at `url`
/// ("https://host[:port]"), as PEM in `arena`. Nothing else that the server says is believed.
/// ERR_INVALID: not such a URL. ERR_UNAUTHENTICATED: the server does not show it.
/// ERR_UNAVAILABLE, ERR_TIMEOUT: no answer within `within_ms`. The Reason is the address, and what
/// the TLS library says.
Err ca_fetch(
    Str url, Str fingerprint_hex, uint64_t within_ms, Arena *arena, Str *ret_pem, Reason *reason);
