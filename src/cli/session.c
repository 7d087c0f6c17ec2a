// SPDX-License-Identifier: Apache-2.0
#include "cli/session.h"

#include "base/scope.h"
#include "io/file.h"

enum { SESSION_BYTES_MAX = 32 * 1024 };

static const Field Session_fields[] = {
    FIELD(Session, server, REQUIRED, "address of the control plane"),
    FIELD(Session, ca, 0, "file with the authority that it is trusted by", .max = 4096),
    FIELD(Session, operator_name, 0, "who is signed in"),
    FIELD(Session, access_token, REQUIRED, "for the Authorization header", .max = 4096),
    FIELD(Session, refresh_token, REQUIRED, "good for one refresh", .max = 4096),
    FIELD(Session, expires_at, REQUIRED, "end of the access token"),
};
const Schema Session_schema = SCHEMA(Session, "session", "where the operator is signed in");

Err session_path(Str chosen,
                 const char *(*variable)(const char *name),
                 Arena *arena,
                 Str *ret_path) {
    const char *config = variable("MUSTER_CONFIG");
    const char *xdg = variable("XDG_CONFIG_HOME");
    const char *home = variable("HOME");
    Str path = {};
    if (chosen.ptr) {
        path = str_dup(arena, chosen);
    } else if (config && *config) {
        path = str_dup(arena, str_from(config));
    } else if (xdg && *xdg) {
        path = str_print(arena, "%s/muster/session.json", xdg);
    } else if (home && *home) {
        path = str_print(arena, "%s/.config/muster/session.json", home);
    } else {
        return FAIL(ERR_INVALID, "there is no home folder: use --config FILE");
    }
    TRY(arena_check(arena));
    *ret_path = path;
    return SUCCESS;
}

Err session_load(Str path, Arena *arena, Session *ret_session, Reason *reason) {
    Str json;
    Err err = file_load(path.ptr, SESSION_BYTES_MAX, arena, &json, reason);
    if (err.code == ERR_NOT_FOUND) {
        reason_clear(reason);
        return FAIL(ERR_UNAUTHENTICATED, "not signed in: use muster login --server URL");
    }
    TRY(err);
    err = schema_read(&Session_schema, json, DECODE_STORED, arena, ret_session, NULL);
    if (err.code == ERR_INVALID)
        return reason_fail(reason,
                           FAIL(ERR_INVALID, "the session file is damaged, sign in again"),
                           "%s",
                           path.ptr);
    return err;
}

/// Make the folders of `path`, private ones, from the first that is missing.
static Err session_folders_make(Str path, Arena *arena, Reason *reason) {
    for (size_t at = str_index(path, '/', 1); at < path.len; at = str_index(path, '/', at + 1)) {
        Str folder = str_dup(arena, str_slice(path, 0, at));
        TRY(arena_check(arena));
        Err err = folder_make(folder.ptr, 0700, reason);
        // Above, a folder may be there without being ours to make.
        if (err.code != OK && err.sys != EACCES && err.sys != EROFS && err.sys != EPERM) return err;
    }
    return SUCCESS;
}

Err session_save(Str path, const Session *session, Arena *arena, Reason *reason) {
    SCOPED(text_done) Text json;
    text_init(&json, SESSION_BYTES_MAX);
    schema_encode(&Session_schema, session, ENCODE_STORED, &json);
    text_add_char(&json, '\n');
    TRY(text_check(&json));
    TRY(session_folders_make(path, arena, reason));
    return file_save(path.ptr, text_str(&json), 0600, reason);
}

Err session_save_ca(Str path, Str pem, Arena *arena, Str *ret_ca_path, Reason *reason) {
    Str ca_path = str_print(arena, "%.*s.ca.pem", STR_FMT(path));
    TRY(arena_check(arena));
    TRY(session_folders_make(path, arena, reason));
    TRY(file_save(ca_path.ptr, pem, 0600, reason));
    *ret_ca_path = ca_path;
    return SUCCESS;
}
