// SPDX-License-Identifier: Apache-2.0
#include "agent/state.h"

#include "base/scope.h"
#include "io/file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define MEMBERSHIP_FILE "server.json"
#define KEY_FILE "identity.key"
#define NEXT_KEY_FILE "identity.next"

static const Field Membership_fields[] = {
    FIELD(Membership, url, REQUIRED, "the server"),
    FIELD(Membership, ca_pem, 0, "the authority it is known by", .max = 16 * 1024),
    FIELD(Membership, device_id, REQUIRED, "this device", .prefix = "device"),
    FIELD(Membership, fleet_id, 0, "its fleet at enrolment", .prefix = "fleet"),
    FIELD(Membership, name, 0, "its name at enrolment"),
    FIELD(Membership, public_key, REQUIRED, "its identity", .pattern = &Pattern_key32),
};
const Schema Membership_schema =
    SCHEMA(Membership, "membership", "which device this is, and of which server");

static Err
path_make(const State *state, const char *name, char ret_path[PATH_MAX], Reason *reason) {
    int len = snprintf(ret_path, PATH_MAX, "%.*s/%s", STR_FMT(state->folder), name);
    if (len < PATH_MAX) return SUCCESS;
    return reason_fail(reason,
                       FAIL(ERR_LIMIT, "the state folder's path is too long"),
                       "%.*s",
                       STR_FMT(state->folder));
}

Err state_open(const char *folder, State *ret_state, Reason *reason) {
    State state = {.folder = str_from(folder), .lock_fd = -1};
    char path[PATH_MAX];
    TRY(path_make(&state, "lock", path, reason));
    TRY(folder_make(folder, 0700, reason));
    SCOPED(fd_closep) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
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

Err state_load(const State *state,
               const char *name,
               const Schema *schema,
               Arena *arena,
               void *record,
               Reason *reason) {
    char path[PATH_MAX];
    TRY(path_make(state, name, path, reason));
    Str json;
    TRY(file_load(path, STATE_FILE_MAX, arena, &json, reason));
    Err err = schema_read(schema, json, DECODE_STORED, arena, record, NULL);
    if (err.code == ERR_INVALID) err = FAIL(ERR_INVALID, "the file is damaged");
    return err.code == OK ? SUCCESS : reason_fail(reason, err, "%s", path);
}

Err state_save(const State *state,
               const char *name,
               const Schema *schema,
               const void *record,
               Reason *reason) {
    char path[PATH_MAX];
    TRY(path_make(state, name, path, reason));
    SCOPED(text_done) Text json;
    text_init(&json, STATE_FILE_MAX);
    schema_encode(schema, record, ENCODE_STORED, &json);
    text_add_char(&json, '\n');
    TRY(text_check(&json));
    return file_save(path, text_str(&json), 0600, reason);
}

static Err key_load(const State *state, const char *name, Identity *ret_identity, Reason *reason) {
    char path[PATH_MAX];
    TRY(path_make(state, name, path, reason));
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 4096);
    Str seed;
    TRY(file_load(path, IDENTITY_SEED_LEN, &arena, &seed, reason));
    if (seed.len != IDENTITY_SEED_LEN)
        return reason_fail(reason, FAIL(ERR_INVALID, "the file is damaged"), "%s", path);
    identity_from_seed((const uint8_t *)seed.ptr, ret_identity);
    return SUCCESS;
}

static Err
key_save(const State *state, const char *name, const Identity *identity, Reason *reason) {
    char path[PATH_MAX];
    TRY(path_make(state, name, path, reason));
    return file_save(path, (Str){(const char *)identity->seed, IDENTITY_SEED_LEN}, 0600, reason);
}

static Err forget(const State *state, const char *name, Reason *reason) {
    char path[PATH_MAX];
    TRY(path_make(state, name, path, reason));
    return file_remove(path, reason);
}

/// The key in `name` is the one that `member` was enrolled with.
static bool
key_fits(const State *state, const char *name, const Membership *member, Identity *key) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 4096);
    Err err = key_load(state, name, key, NULL);
    return err.code == OK && str_eq(identity_public_key(key, &arena), member->public_key);
}

Err state_identity(const State *state,
                   Arena *arena,
                   Membership *ret_member,
                   Identity *ret_identity,
                   Reason *reason) {
    Membership member;
    TRY(state_load(state, MEMBERSHIP_FILE, &Membership_schema, arena, &member, reason));
    SCOPED(identity_wipe) Identity identity = {};
    if (!key_fits(state, KEY_FILE, &member, &identity)) {
        if (!key_fits(state, NEXT_KEY_FILE, &member, &identity))
            return reason_fail(
                reason,
                FAIL(ERR_INVALID, "the identity's key is not the one that was enrolled"),
                "%.*s/" KEY_FILE,
                STR_FMT(state->folder));
        TRY(key_save(state, KEY_FILE, &identity, reason));
        TRY(forget(state, NEXT_KEY_FILE, reason));
    }
    *ret_member = member;
    *ret_identity = identity;
    return SUCCESS;
}

Err state_identity_next(const State *state, Identity *ret_identity, Reason *reason) {
    Err err = key_load(state, NEXT_KEY_FILE, ret_identity, reason);
    if (err.code != ERR_NOT_FOUND) return err;
    reason_clear(reason);
    SCOPED(identity_wipe) Identity identity = {};
    identity_make(&identity);
    TRY(key_save(state, NEXT_KEY_FILE, &identity, reason));
    *ret_identity = identity;
    return SUCCESS;
}

Err state_identity_refused(const State *state, Reason *reason) {
    return forget(state, NEXT_KEY_FILE, reason);
}

Err state_enrolled(const State *state,
                   const Membership *member,
                   const Identity *identity,
                   Reason *reason) {
    // Versions of another server mean nothing here; without them the new one's first is accepted.
    TRY(forget(state, STATE_DESIRED, reason));
    TRY(forget(state, STATE_PREVIOUS, reason));
    TRY(forget(state, STATE_REPORTED, reason));
    TRY(state_save(state, MEMBERSHIP_FILE, &Membership_schema, member, reason));
    TRY(key_save(state, KEY_FILE, identity, reason));
    return forget(state, NEXT_KEY_FILE, reason);
}
