// SPDX-License-Identifier: Apache-2.0
/// How a device joins and says who it is: challenge and proof (docs/protocol.md, sections 3 to 6).
#pragma once

#include "agent/link/keyring.h"
#include "agent/link/server.h"

/// What a device joins with.
typedef struct SessionWish {
    Str secret; ///< of the enrolment token
    Str name;   ///< wished name; may be absent
    Facts facts;
} SessionWish;

/// A fresh challenge, in `arena`. Errors as server_post.
Err session_challenge(Server *server, Arena *arena, Challenge *ret_challenge, Reason *reason);
/// Join: the server now knows the identity. Repeated with the same identity and secret it gives the
/// same answer. Errors as server_post.
Err session_enrol(Server *server,
                  const Identity *identity,
                  const SessionWish *wish,
                  Arena *arena,
                  Enrolled *ret_enrolled,
                  Reason *reason);

/// Which device of which installation somebody is.
typedef struct SessionMember {
    Id installation;
    Id device_id;
    uint64_t epoch;
} SessionMember;

/// Hello over a challenge, by the keys of `ring`; `binding`: of the connection, absent if the
/// challenge does not ask for it. Fills device, epoch, proof, next key, version and abilities; in
/// `arena`. ERR_FORBIDDEN: the challenge is of another installation. ERR_MEMORY: arena exhausted.
Err session_hello(const SessionMember *member,
                  const Keyring *ring,
                  const Challenge *challenge,
                  Bytes binding,
                  Arena *arena,
                  Hello *ret_hello);
