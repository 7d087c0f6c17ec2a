// SPDX-License-Identifier: Apache-2.0
#include "control/vault.h"

#include "base/scope.h"
#include "io/file.h"
#include "io/lock.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>

enum {
    KEY_BYTES_MAX = 1024,
    SECRET_BYTES_MAX = 64 * 1024,
    SECRET_MODE = 0600,
    DIR_MODE = 0700,
};

/// Every file of the folder that rests sealed; its name is the purpose of its seal.
static const char *const secrets[] = {"ca.key", "token.key"};
enum { SECRET_COUNT = sizeof(secrets) / sizeof(secrets[0]) };

static Err vault_path(const Vault *vault, const char *name, Arena *arena, const char **ret_path) {
    Str path = str_print(arena, "%s/%s", vault->dir, name);
    TRY(arena_check(arena));
    *ret_path = path.ptr;
    return SUCCESS;
}

// Keys.

static Err vault_key_load(const char *path, Arena *arena, SealKey *ret_key, Reason *reason) {
    Str text;
    TRY(file_load(path, KEY_BYTES_MAX, arena, &text, reason));
    Err err = seal_key_parse(text, ret_key);
    return err.code == OK ? SUCCESS : reason_fail(reason, err, "%s", path);
}

static Err vault_key_save(const SealKey *key, const char *path, Arena *arena, Reason *reason) {
    Str text = seal_key_text(key, arena);
    TRY(arena_check(arena));
    return file_save(path, text, SECRET_MODE, reason);
}

static Err vault_key_receive(int fd, Arena *arena, SealKey *ret_key, Reason *reason) {
    Str text;
    Err err = fd_load(fd, KEY_BYTES_MAX, arena, &text);
    if (err.code == OK) err = seal_key_parse(text, ret_key);
    return err.code == OK ? SUCCESS : reason_fail(reason, err, "descriptor %d", fd);
}

/// Whether some secret of the folder needs a key that we do not have.
static Err vault_has_seals(const Vault *vault, Arena *arena, bool *ret_has, Reason *reason) {
    bool has_seals = false;
    for (size_t i = 0; i < SECRET_COUNT; i++) {
        const char *path;
        Str data;
        TRY(vault_path(vault, secrets[i], arena, &path));
        Err err = file_load(path, SECRET_BYTES_MAX, arena, &data, reason);
        if (err.code != OK && err.code != ERR_NOT_FOUND) return err;
        has_seals = has_seals || (err.code == OK && seal_is(data));
    }
    reason_clear(reason);
    *ret_has = has_seals;
    return SUCCESS;
}

/// There is no key at `path`: make it, unless something needs the one that is gone.
static Err vault_key_make(Vault *vault, const VaultOptions *options, Arena *arena, Reason *reason) {
    const char *path = vault->key_path.ptr;
    const Err missing =
        FAIL(ERR_NOT_FOUND, "the server key is missing, without which the folder is of no use");
    bool has_seals = false;
    TRY(vault_has_seals(vault, arena, &has_seals, reason));
    if (options->key_path || has_seals) return reason_fail(reason, missing, "%s", path);
    seal_key_make(&vault->key);
    return vault_key_save(&vault->key, path, arena, reason);
}

static Err vault_key_find(Vault *vault, const VaultOptions *options, Arena *arena, Reason *reason) {
    if (options->key_fd >= 0) return vault_key_receive(options->key_fd, arena, &vault->key, reason);
    const char *path = options->key_path;
    if (!path) TRY(vault_path(vault, "master.key", arena, &path));
    vault->key_path = str_from(path);
    vault->next_path = str_print(arena, "%s.next", path);
    TRY(arena_check(arena));
    Err err = vault_key_load(path, arena, &vault->key, reason);
    return err.code == ERR_NOT_FOUND ? vault_key_make(vault, options, arena, reason) : err;
}

/// The key that was given to take the place of the other, or one that was to when we were cut off.
static Err
vault_next_find(Vault *vault, const VaultOptions *options, Arena *arena, Reason *reason) {
    const char *given = options->new_key_path;
    if (given) vault->next_path = (Str){};
    if (!given && !vault->next_path.ptr) return SUCCESS;
    Err err = vault_key_load(given ? given : vault->next_path.ptr, arena, &vault->next, reason);
    vault->has_next = err.code == OK;
    if (given || err.code != ERR_NOT_FOUND) return err;
    reason_clear(reason);
    return SUCCESS;
}

// Secrets.

static const SealKey *vault_newest(const Vault *vault) {
    return vault->has_next ? &vault->next : &vault->key;
}

static Err vault_seal(const Vault *vault,
                      const char *name,
                      const char *path,
                      Str plain,
                      Arena *arena,
                      Reason *reason) {
    Str sealed;
    TRY(seal_make(vault_newest(vault), str_from(name), plain, arena, &sealed));
    return file_save(path, sealed, SECRET_MODE, reason);
}

static Err vault_unseal(const Vault *vault,
                        const char *name,
                        const char *path,
                        Str data,
                        Arena *arena,
                        Str *ret_plain,
                        Reason *reason) {
    const SealKey *key =
        vault->has_next && seal_is_by(data, &vault->next) ? &vault->next : &vault->key;
    Reason known = {};
    Err err = seal_open(key, str_from(name), data, arena, ret_plain, &known);
    if (err.code == OK) return SUCCESS;
    return reason_fail(reason, err, "%s%s%s", path, known.text[0] ? ": " : "", known.text);
}

/// Bring one secret under the newest key, unless it is there. One of an older program is not
/// sealed.
static Err vault_settle_one(const Vault *vault, const char *name, Arena *arena, Reason *reason) {
    const char *path;
    Str data;
    TRY(vault_path(vault, name, arena, &path));
    Err err = file_load(path, SECRET_BYTES_MAX, arena, &data, reason);
    if (err.code == ERR_NOT_FOUND) reason_clear(reason);
    if (err.code == ERR_NOT_FOUND) return SUCCESS;
    TRY(err);
    Str plain = data;
    if (seal_is(data)) TRY(vault_unseal(vault, name, path, data, arena, &plain, reason));
    if (seal_is_by(data, vault_newest(vault))) return SUCCESS;
    return vault_seal(vault, name, path, plain, arena, reason);
}

/// Bring everything under the newest key; then that is the only one.
static Err vault_settle(Vault *vault, Arena *arena, Reason *reason) {
    for (size_t i = 0; i < SECRET_COUNT; i++)
        TRY(vault_settle_one(vault, secrets[i], arena, reason));
    if (!vault->has_next) return SUCCESS;
    vault->key = vault->next;
    vault->has_next = false;
    seal_key_wipe(&vault->next);
    if (!vault->next_path.ptr) return SUCCESS;
    TRY(vault_key_save(&vault->key, vault->key_path.ptr, arena, reason));
    return file_remove(vault->next_path.ptr, reason);
}

/// Before anything is written into a folder that may be none of ours.
static Err vault_is_set_up(const Vault *vault, Arena *arena, Reason *reason) {
    const char *path;
    Str data;
    TRY(vault_path(vault, "token.key", arena, &path));
    return file_load(path, SECRET_BYTES_MAX, arena, &data, reason);
}

static Err vault_fill(Vault *vault, const VaultOptions *options, Arena *arena, Reason *reason) {
    TRY(lock_take(vault->dir, &vault->lock, reason));
    TRY(vault_key_find(vault, options, arena, reason));
    TRY(vault_next_find(vault, options, arena, reason));
    return vault_settle(vault, arena, reason);
}

Err vault_open(
    const char *dir, const VaultOptions *options, Arena *arena, Vault *ret_vault, Reason *reason) {
    SCOPED(vault_close) Vault vault = {.dir = dir, .lock = -1};
    TRY(options->make ? folder_make(dir, DIR_MODE, reason)
                      : vault_is_set_up(&vault, arena, reason));
    TRY(vault_fill(&vault, options, arena, reason));
    *ret_vault = vault;
    vault.lock = -1;
    return SUCCESS;
}

void vault_close(Vault *vault) {
    fd_closep(&vault->lock);
    vault->lock = -1;
    seal_key_wipe(&vault->key);
    seal_key_wipe(&vault->next);
}

Err vault_load(const Vault *vault, const char *name, Arena *arena, Str *ret_plain, Reason *reason) {
    const char *path;
    Str data;
    TRY(vault_path(vault, name, arena, &path));
    TRY(file_load(path, SECRET_BYTES_MAX, arena, &data, reason));
    return vault_unseal(vault, name, path, data, arena, ret_plain, reason);
}

Err vault_save(const Vault *vault, const char *name, Str plain, Arena *arena, Reason *reason) {
    const char *path;
    bool is_known = false;
    for (size_t i = 0; i < SECRET_COUNT; i++)
        is_known = is_known || strcmp(name, secrets[i]) == 0;
    assert(is_known && "a secret that no new key would seal is lost with the old one");
    TRY(vault_path(vault, name, arena, &path));
    return vault_seal(vault, name, path, plain, arena, reason);
}

Err vault_rotate(Vault *vault, Arena *arena, Reason *reason) {
    if (!vault->next_path.ptr)
        return FAIL(ERR_STATE, "the server key was given from outside: give the new one, too");
    seal_key_make(&vault->next);
    TRY(vault_key_save(&vault->next, vault->next_path.ptr, arena, reason));
    vault->has_next = true;
    return vault_settle(vault, arena, reason);
}
