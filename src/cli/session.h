// SPDX-License-Identifier: Apache-2.0
/// Where the operator is signed in: one file, mode 0600, with the tokens; the CA that the server is
/// trusted by lies beside it.
#pragma once

#include "base/schema.h"

typedef struct Session {
    Str server; ///< "https://host:port"
    Str ca;     ///< path of the CA's PEM file; absent: the system's authorities
    Str operator_name;
    Str access_token;
    Str refresh_token;
    Time expires_at; ///< of the access token
} Session;
extern const Schema Session_schema;

/// The file's path: `chosen`, else $MUSTER_CONFIG, else muster/session.json in $XDG_CONFIG_HOME or
/// ~/.config. `variable` looks an environment variable up. ERR_INVALID: there is no home folder.
Err session_path(Str chosen,
                 const char *(*variable)(const char *name),
                 Arena *arena,
                 Str *ret_path);
/// Read the session. ERR_UNAUTHENTICATED: there is none. ERR_INVALID: the file is damaged.
Err session_load(Str path, Arena *arena, Session *ret_session, Reason *reason);
/// Write it, its folder included. ERR_SYSTEM.
Err session_save(Str path, const Session *session, Arena *arena, Reason *reason);
/// Store the CA beside the session and return its path. ERR_SYSTEM.
Err session_save_ca(Str path, Str pem, Arena *arena, Str *ret_ca_path, Reason *reason);
