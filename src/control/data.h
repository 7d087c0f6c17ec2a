// SPDX-License-Identifier: Apache-2.0
/// The server's one folder, and what is in it.
///
///     ca.pem ca.key           the private authority; its fingerprint is in every enrolment token
///     server.pem server.key   what the listeners show
///     installation            the installation's id, which devices prove themselves to
///     token.key               seed of the key that signs access tokens, and root of other keys
///     muster.db               the store
///     musterd.conf            settings (config.h)
///
/// The Reason of a failure names the file.
#pragma once

#include "base/arena.h"
#include "base/jws.h"
#include "control/config.h"

typedef struct Db Db;

/// "DIR/NAME", NUL-terminated in `arena`. Absent when the arena is exhausted.
Str data_path(Arena *arena, const char *dir, const char *name);
/// Make whatever is missing: folder, authority, server certificate for `hosts`, installation id,
/// token key, sample settings. ERR_SYSTEM, ERR_INVALID (hosts).
Err data_make(const char *dir, StrList hosts, uint64_t now_ms, Arena *arena, Reason *reason);
/// Settings: `path`, or musterd.conf in the folder, or the defaults. Prints nothing; `faults` says
/// what is wrong. ERR_INVALID.
Err data_config(const char *dir,
                const char *path,
                Arena *arena,
                Faults *faults,
                Config *ret_config,
                Reason *reason);
/// The key that signs access tokens. ERR_NOT_FOUND: the folder was never set up.
Err data_token_key(const char *dir, Arena *arena, JwsKey *ret_key, Reason *reason);
/// The installation's id, which devices know. It is never made anew over a store that is there: no
/// device would come back. ERR_NOT_FOUND: its file is missing. ERR_INVALID: it holds something
/// else.
Err data_installation(const char *dir, Arena *arena, Id *ret_id, Reason *reason);
/// A PEM file of the folder, in `arena`. ERR_NOT_FOUND: the folder was never set up.
Err data_pem(const char *dir, const char *name, Arena *arena, Str *ret_pem, Reason *reason);
/// Fingerprint of the authority, in `arena`. ERR_NOT_FOUND as above.
Err data_ca_fingerprint(const char *dir, Arena *arena, Str *ret_hex, Reason *reason);
/// Open the store with its tables. `readers`: connections that read in parallel.
Err data_db_open(const char *dir, uint32_t readers, Arena *arena, Db **ret_db, Reason *reason);
