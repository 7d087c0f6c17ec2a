// SPDX-License-Identifier: Apache-2.0
/// The data folder while this process has it: nobody else may write there, and what is secret in it
/// rests sealed under the server key.
///
/// Which key: the one that was given, or else master.key in the folder, made where nothing is
/// sealed yet. A new key is put beside it first (master.key.next), then each secret is sealed anew,
/// one file after the other, then it takes the old one's place: cut off anywhere, each secret is
/// sealed under one of the two, and the next start finishes.
#pragma once

#include "base/arena.h"
#include "base/seal.h"

/// Where the server key comes from.
typedef struct VaultOptions {
    const char *key_path;     ///< a file with the key, or NULL: master.key in the folder
    int key_fd;               ///< read it from this descriptor; -1: not
    const char *new_key_path; ///< a file with the key that is to take its place, or NULL
    bool make;                ///< make the folder, if it is missing
} VaultOptions;

typedef struct Vault {
    const char *dir;
    int lock;      ///< held until vault_close; -1: not open
    Str key_path;  ///< where the key is kept; absent: nowhere that we know of
    Str next_path; ///< where the next one is put meanwhile; absent: we do not keep it
    SealKey key;   ///< what is sealed is sealed under it
    SealKey next;  ///< or under this one, while the key is being replaced
    bool has_next;
} Vault;

/// Take the folder, find the key, and finish what was cut off: secrets that are not sealed yet, or
/// not under the newest key, are; so this does all that a `new_key_path` asks for, which the caller
/// gives as the key from then on. `dir` and the options' texts are borrowed.
/// ERR_UNAVAILABLE: another process has the folder. ERR_NOT_FOUND: the folder was never set up, or
/// the key is missing. ERR_STATE: another key is needed. ERR_INVALID: a damaged secret, or no
/// key. The Reason names the file.
Err vault_open(
    const char *dir, const VaultOptions *options, Arena *arena, Vault *ret_vault, Reason *reason);
/// Let go of the folder and forget the keys. Safe on a zeroed one whose `lock` is -1. Fits SCOPED.
void vault_close(Vault *vault);
/// The secret in the file `name` of the folder, in `arena`. ERR_NOT_FOUND: there is none.
Err vault_load(const Vault *vault, const char *name, Arena *arena, Str *ret_plain, Reason *reason);
/// Seal `plain` into the file `name` of the folder, durably. `name` must be one of the secrets that
/// a new key seals anew (asserted).
Err vault_save(const Vault *vault, const char *name, Str plain, Arena *arena, Reason *reason);
/// Put a new random key in the place of the server key, and seal everything anew. ERR_STATE: the
/// key was not read from a file.
Err vault_rotate(Vault *vault, Arena *arena, Reason *reason);
