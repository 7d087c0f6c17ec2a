// SPDX-License-Identifier: Apache-2.0
/// The server's one folder, and what is in it.
///
///     ca.pem ca.key           the private authority; its fingerprint is in every enrolment token
///     server.pem server.key   what the listeners show
///     installation            the installation's id, which devices prove themselves to
///     token.key               seed of the key that signs access tokens, and root of other keys
///     master.key              the server key, unless it is kept elsewhere: ca.key and token.key
///                             are sealed under it (vault.h)
///     lock                    held by the one process that works in the folder
///     muster.db               the store, and beside it files of SQLite's own
///     musterd.conf            settings (config.h)
///
/// The Reason of a failure names the file.
#pragma once

#include "base/arena.h"
#include "base/jws.h"
#include "control/config.h"
#include "control/vault.h"

typedef struct Db Db;

/// "DIR/NAME", NUL-terminated in `arena`. Absent when the arena is exhausted.
Str data_path(Arena *arena, const char *dir, const char *name);
/// Make whatever is missing: authority, server certificate for `hosts`, installation id,
/// token key, sample settings. ERR_SYSTEM, ERR_INVALID (hosts).
Err data_make(const Vault *vault, StrList hosts, uint64_t now_ms, Arena *arena, Reason *reason);
/// Settings: `path`, or musterd.conf in the folder, or the defaults. Prints nothing; `faults` says
/// what is wrong. ERR_INVALID.
Err data_config(const char *dir,
                const char *path,
                Arena *arena,
                Faults *faults,
                Config *ret_config,
                Reason *reason);
/// Take the rights of others away from the folder and what is secret in it, and log each that had
/// some. Call before the store is open. ERR_SYSTEM.
Err data_make_private(const char *dir, Arena *arena, Reason *reason);
/// The key that signs access tokens. ERR_NOT_FOUND: the folder was never set up.
Err data_token_key(const Vault *vault, Arena *arena, JwsKey *ret_key, Reason *reason);
/// The installation's id, which devices know. It is never made anew over a store that is there: no
/// device would come back. ERR_NOT_FOUND: its file is missing. ERR_INVALID: it holds something
/// else.
Err data_installation(const char *dir, Arena *arena, Id *ret_id, Reason *reason);
/// A PEM file of the folder, in `arena`. ERR_NOT_FOUND: the folder was never set up.
Err data_pem(const char *dir, const char *name, Arena *arena, Str *ret_pem, Reason *reason);
/// Fingerprint of the authority, in `arena`. ERR_NOT_FOUND as above.
Err data_ca_fingerprint(const char *dir, Arena *arena, Str *ret_hex, Reason *reason);

/// What the store is opened for.
typedef struct DataDbOptions {
    uint32_t readers; ///< connections that read in parallel
    bool is_served;   ///< for long: looked after, with room held back for a full disk
} DataDbOptions;

/// Open the store with its tables. `arena` must outlive it.
Err data_db_open(
    const char *dir, const DataDbOptions *use, Arena *arena, Db **ret_db, Reason *reason);
