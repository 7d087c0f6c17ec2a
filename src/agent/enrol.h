// SPDX-License-Identifier: Apache-2.0
/// `muster-agent enrol`: make this machine a device of an installation; the token says which.
#pragma once

#include "agent/link/server_set.h"
#include "agent/link/session.h"
#include "agent/state.h"
#include "wire/token_text.h"

typedef struct EnrolOptions {
    const char *token; ///< enrolment token
    const char *name;  ///< wished name (name.h:name_wished), or NULL
    const char *state; ///< folder
    bool force;        ///< instead of the device that this machine is already
} EnrolOptions;

/// Enrol, then keep who we are. May be repeated after any failure; an identity that the server may
/// have accepted is never thrown away; with `force`, one that it refuses for ever (its device was
/// retired) is replaced by a new one. A device that has lost its list of servers enrols again with
/// its own key. `reason` has what the server said, or which file is in the way. ERR_EXISTS: this
/// machine is enrolled. ERR_INVALID: the token, or as server_post. ERR_STATE: a file of a newer
/// program.
Err enrol(const EnrolOptions *options, Reason *reason);

/// What `muster-agent run` enrols by at first boot: a file of `key = value` lines.
typedef struct EnrolFile {
    Str token;
    Str name; ///< "serial", "mac", "hostname", or the wished name itself; absent: the host name
} EnrolFile;
extern const Schema EnrolFile_schema;
/// Read it; `#` begins a comment line. (A token is longer than the lines of io/config.h.)
/// ERR_NOT_FOUND: no such file. ERR_INVALID: `reason` says what is wrong.
Err enrol_file_load(const char *path, Arena *arena, EnrolFile *ret_file, Reason *reason);
/// Enrol by the file, into a state that is open. Errors as enrol. A server that cannot be reached
/// is ERR_UNAVAILABLE, ERR_TIMEOUT or ERR_BUSY; one whose certificate is not good (yet: the clock
/// may be wrong) is ERR_UNAUTHENTICATED.
Err enrol_by_file(const State *state, const char *path, Reason *reason);

/// A way to the installation that the token vouches for: the first of its servers that answers,
/// whose list it is, and a connection to it. `ret_servers` has texts in `arena`. ERR_INVALID: the
/// token. Errors else of the last server that was tried.
Err enrol_reach(const TokenText *token,
                size_t *at,
                Arena *arena,
                ServerSet **ret_set,
                Server **ret_server,
                Reason *reason);
