// SPDX-License-Identifier: Apache-2.0
/// `muster-agent enrol`: make this machine a device of a server.
#pragma once

#include "agent/link/server.h"
#include "wire/token_text.h"

typedef struct EnrolOptions {
    const char *server; ///< URL
    const char *token;  ///< enrolment token
    const char *name;   ///< wished name, or NULL
    const char *state;  ///< folder
    bool force;         ///< instead of the device that this machine is already
} EnrolOptions;

/// Enrol, then keep who we are. May be repeated after any failure; an identity that the server may
/// have accepted is never thrown away; with `force`, one that it refuses for ever (its device was
/// retired) is replaced by a new one. ERR_EXISTS: this machine is enrolled. ERR_INVALID: token or
/// URL, or as server_post. The Reason is what the server said, or which file or address it is
/// about.
Err enrol(const EnrolOptions *options, Reason *reason);
/// A server that the enrolment token vouches for. ERR_INVALID: token or URL. Errors as
/// server_authority. `ret_ca_pem` in `arena`, absent with plain http.
Err enrol_server(
    Str url, Str token, Arena *arena, Str *ret_ca_pem, Server **ret_server, Reason *reason);
