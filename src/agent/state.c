// SPDX-License-Identifier: Apache-2.0
#include "agent/state.h"

#include "base/scope.h"
#include "io/file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

enum { STATE_HEAD_ARENA_MAX = 64 * 1024, STATE_MODE = 0600 };

static Err
state_path(const State *state, const char *name, char ret_path[PATH_MAX], Reason *reason) {
    int len = snprintf(ret_path, PATH_MAX, "%.*s/%s", STR_FMT(state->folder), name);
    if (len < PATH_MAX) return SUCCESS;
    return reason_fail(reason,
                       FAIL(ERR_LIMIT, "the state folder's path is too long"),
                       "%.*s",
                       STR_FMT(state->folder));
}

Err state_open(const char *folder, Notes *notes, State *ret_state, Reason *reason) {
    State state = {.folder = str_from(folder), .lock_fd = -1, .notes = notes};
    char path[PATH_MAX];
    TRY(state_path(&state, "lock", path, reason));
    TRY(folder_make(folder, 0700, reason));
    SCOPED(fd_closep) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, STATE_MODE);
    if (fd < 0) return reason_fail(reason, FAIL_SYS("cannot open"), "%s", path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        Err err = errno == EWOULDBLOCK ? FAIL(ERR_BUSY, "another agent uses this state folder")
                                       : FAIL_SYS("cannot lock the state folder");
        return reason_fail(reason, err, "%s", folder);
    }
    state.lock_fd = TAKE_FD(fd);
    *ret_state = state;
    return SUCCESS;
}

void state_close(State *state) {
    fd_closep(&state->lock_fd);
    state->lock_fd = -1;
}

/// Whether this program may read the file; its head is read first, for what stands behind it may
/// be newer.
static Err state_head_read(Str json, const char *path, Reason *reason) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, STATE_HEAD_ARENA_MAX + 16 * json.len);
    StateHead head;
    Reason why = {};
    Err err = schema_read(&StateHead_schema, json, DECODE_PEER, &arena, &head, &why);
    if (err.code == ERR_INVALID)
        return reason_fail(reason,
                           FAIL(ERR_INVALID, "a file of the state folder is damaged"),
                           "%s: %s",
                           path,
                           why.text);
    TRY(err);
    if (state_head_is_readable(&head)) return SUCCESS;
    return reason_fail(reason,
                       FAIL(ERR_STATE, "a file of the state folder needs a newer muster-agent"),
                       "%s: its format is %llu; muster-agent " MUSTER_VERSION " reads up to %d",
                       path,
                       (unsigned long long)head.format,
                       STATE_FORMAT);
}

Err state_load(const State *state,
               const char *name,
               const Schema *schema,
               Arena *arena,
               void *record,
               Reason *reason) {
    char path[PATH_MAX];
    TRY(state_path(state, name, path, reason));
    Str json;
    Err err = file_load(path, STATE_FILE_MAX, arena, &json, reason);
    if (err.code == ERR_LIMIT) err = FAIL(ERR_INVALID, "a file of the state folder is too large");
    TRY(err);
    TRY(state_head_read(json, path, reason));
    Reason why = {};
    err = schema_read(schema, json, DECODE_PEER, arena, record, &why);
    if (err.code != ERR_INVALID) return err;
    return reason_fail(reason,
                       FAIL(ERR_INVALID, "a file of the state folder is damaged"),
                       "%s: %s",
                       path,
                       why.text);
}

static Err
state_set_aside(const State *state, const char *name, Err why, const Reason *said, Reason *reason) {
    const char *word = why.code == ERR_STATE ? "newer" : "damaged";
    char path[PATH_MAX];
    char aside[PATH_MAX];
    char file[64];
    snprintf(file, sizeof(file), "%s.%s", name, word);
    TRY(state_path(state, name, path, reason));
    TRY(state_path(state, file, aside, reason));
    if (rename(path, aside) != 0)
        return reason_fail(reason, FAIL_SYS("cannot set a file aside"), "%s", path);
    if (state->notes) notes_add(state->notes, "%s; it was set aside as %s", said->text, file);
    return SUCCESS;
}

/// It will not be read by trying again: its content is wrong, something else than a file is in its
/// place, or the disk cannot give it back.
static bool state_is_spoilt(Err err) {
    static const int errors[] = {ELOOP, EINVAL, ENXIO, EIO, EBADMSG};
    bool is_spoilt = err.code == ERR_STATE || err.code == ERR_INVALID;
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        is_spoilt = is_spoilt || (err.code == ERR_SYSTEM && err.sys == errors[i]);
    return is_spoilt;
}

/// What became of a file that can be asked for again.
static Err
state_spare(const State *state, const char *name, Err err, const Reason *said, Reason *reason) {
    if (err.code == OK) return SUCCESS;
    if (!state_is_spoilt(err)) return reason_fail(reason, err, "%s", said->text);
    TRY(state_set_aside(state, name, err, said, reason));
    return reason_fail(reason,
                       FAIL(ERR_NOT_FOUND, "there is no such file"),
                       "%.*s/%s",
                       STR_FMT(state->folder),
                       name);
}

Err state_find(const State *state,
               const char *name,
               const Schema *schema,
               Arena *arena,
               void *record,
               Reason *reason) {
    Reason said = {};
    Err err = state_load(state, name, schema, arena, record, &said);
    return state_spare(state, name, err, &said, reason);
}

Err state_save(const State *state,
               const char *name,
               const Schema *schema,
               const void *record,
               Reason *reason) {
    char path[PATH_MAX];
    TRY(state_path(state, name, path, reason));
    SCOPED(text_done) Text json;
    text_init(&json, STATE_FILE_MAX);
    schema_encode(schema, record, ENCODE_STORED, &json);
    text_add_char(&json, '\n');
    TRY(text_check(&json));
    return file_save(path, text_str(&json), STATE_MODE, reason);
}

static Err state_forget(const State *state, const char *name, Reason *reason) {
    char path[PATH_MAX];
    TRY(state_path(state, name, path, reason));
    return file_remove(path, reason);
}

/// --- the key and whose it is ---

static Err
state_key_save(const State *state, const char *name, const Identity *identity, Reason *reason) {
    IdentityFile file = {
        .head = state_head(),
        .algorithm = S("ed25519"),
        .seed = {identity->seed, SEED_LEN},
    };
    return state_save(state, name, &IdentityFile_schema, &file, reason);
}

static Err
state_key_load(const State *state, const char *name, Identity *ret_identity, Reason *reason) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, STATE_HEAD_ARENA_MAX);
    IdentityFile file;
    TRY(state_load(state, name, &IdentityFile_schema, &arena, &file, reason));
    if (!str_eq(file.algorithm, S("ed25519")))
        return reason_fail(reason,
                           FAIL(ERR_STATE, "a file of the state folder needs a newer muster-agent"),
                           "%.*s/%s: its key is for %.*s",
                           STR_FMT(state->folder),
                           name,
                           STR_FMT(file.algorithm));
    identity_from_seed(file.seed.ptr, ret_identity);
    return SUCCESS;
}

static bool state_key_is(const Identity *key, const Membership *member) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 4096);
    return str_eq(identity_public_key(key, &arena), member->public_key);
}

Err state_identity(const State *state,
                   Arena *arena,
                   Membership *ret_member,
                   Identity *ret_identity,
                   Reason *reason) {
    Membership member;
    TRY(state_load(state, STATE_MEMBERSHIP, &Membership_schema, arena, &member, reason));
    SCOPED(identity_wipe) Identity identity = {};
    Reason why = {};
    Err err = state_key_load(state, STATE_IDENTITY, &identity, &why);
    if (err.code == OK && !state_key_is(&identity, &member))
        err = reason_fail(&why,
                          FAIL(ERR_INVALID, "a file of the state folder is damaged"),
                          "%.*s/" STATE_IDENTITY ": it is not the key of " STATE_MEMBERSHIP,
                          STR_FMT(state->folder));
    if (err.code != OK) {
        Err next = state_key_load(state, STATE_IDENTITY_NEXT, &identity, NULL);
        if (next.code != OK || !state_key_is(&identity, &member)) {
            if (err.code == ERR_NOT_FOUND)
                err = FAIL(ERR_INVALID, "a file of the state folder is missing");
            return reason_fail(reason, err, "%s", why.text);
        }
        TRY(state_key_save(state, STATE_IDENTITY, &identity, reason));
        TRY(state_forget(state, STATE_IDENTITY_NEXT, reason));
    }
    *ret_member = member;
    *ret_identity = identity;
    return SUCCESS;
}

Err state_next_find(const State *state, Identity *ret_identity, Reason *reason) {
    Reason said = {};
    Err err = state_key_load(state, STATE_IDENTITY_NEXT, ret_identity, &said);
    return state_spare(state, STATE_IDENTITY_NEXT, err, &said, reason);
}

Err state_next_make(const State *state, Identity *ret_identity, Reason *reason) {
    Err err = state_next_find(state, ret_identity, reason);
    if (err.code != ERR_NOT_FOUND) return err;
    reason_clear(reason);
    SCOPED(identity_wipe) Identity identity = {};
    identity_make(&identity);
    TRY(state_key_save(state, STATE_IDENTITY_NEXT, &identity, reason));
    *ret_identity = identity;
    return SUCCESS;
}

Err state_next_forget(const State *state, Reason *reason) {
    return state_forget(state, STATE_IDENTITY_NEXT, reason);
}

/// The membership is the commit: it names the key, which waits beside it until it has its place.
static Err state_key_switch(const State *state,
                            const Membership *member,
                            const Identity *identity,
                            Reason *reason) {
    TRY(state_save(state, STATE_MEMBERSHIP, &Membership_schema, member, reason));
    TRY(state_key_save(state, STATE_IDENTITY, identity, reason));
    return state_forget(state, STATE_IDENTITY_NEXT, reason);
}

Err state_enrolled(const State *state,
                   const Membership *member,
                   const Servers *servers,
                   const Identity *identity,
                   Reason *reason) {
    // Until the membership is there, the device before goes on with its own servers.
    TRY(state_servers_try(state, servers, reason));
    // Generations of another enrolment mean nothing here; without them the new one's first is
    // accepted.
    TRY(state_forget(state, STATE_DESIRED, reason));
    TRY(state_forget(state, STATE_REPORTED, reason));
    TRY(state_key_switch(state, member, identity, reason));
    return state_servers_accept(state, servers, reason);
}

Err state_rotated(const State *state,
                  const Membership *member,
                  const Identity *identity,
                  Reason *reason) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 4096);
    Membership renamed = *member;
    renamed.head = state_head();
    renamed.public_key = identity_public_key(identity, &arena);
    TRY(arena_check(&arena));
    return state_key_switch(state, &renamed, identity, reason);
}

/// --- where the installation is ---

static Err state_servers_find(
    const State *state, const char *name, Arena *arena, Servers *ret_servers, Reason *reason) {
    ServersFile file;
    Err err = state_find(state, name, &ServersFile_schema, arena, &file, reason);
    if (err.code == ERR_NOT_FOUND) file.servers = (Servers){};
    if (err.code != OK && err.code != ERR_NOT_FOUND) return err;
    reason_clear(reason);
    *ret_servers = file.servers;
    return SUCCESS;
}

static Err
state_servers_save(const State *state, const char *name, const Servers *servers, Reason *reason) {
    ServersFile file = {.head = state_head(), .servers = *servers};
    return state_save(state, name, &ServersFile_schema, &file, reason);
}

Err state_servers(
    const State *state, Arena *arena, Servers *ret_servers, Servers *ret_trial, Reason *reason) {
    Servers servers;
    Servers trial;
    TRY(state_servers_find(state, STATE_SERVERS, arena, &servers, reason));
    TRY(state_servers_find(state, STATE_SERVERS_NEXT, arena, &trial, reason));
    if (trial.digest.ptr && !servers.digest.ptr) {
        servers = trial; // better than none
        trial = (Servers){};
    } else if (trial.digest.ptr && str_eq(trial.digest, servers.digest)) {
        trial = (Servers){}; // a crash in state_servers_accept left it
        TRY(state_forget(state, STATE_SERVERS_NEXT, reason));
    }
    if (!servers.digest.ptr) return FAIL(ERR_NOT_FOUND, "no server is known");
    *ret_servers = servers;
    *ret_trial = trial;
    return SUCCESS;
}

Err state_servers_try(const State *state, const Servers *servers, Reason *reason) {
    return state_servers_save(state, STATE_SERVERS_NEXT, servers, reason);
}

Err state_servers_accept(const State *state, const Servers *servers, Reason *reason) {
    TRY(state_servers_save(state, STATE_SERVERS, servers, reason));
    return state_forget(state, STATE_SERVERS_NEXT, reason);
}

Err state_servers_drop(const State *state, Reason *reason) {
    return state_forget(state, STATE_SERVERS_NEXT, reason);
}
