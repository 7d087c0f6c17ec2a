// SPDX-License-Identifier: Apache-2.0
#include "agent/enrol.h"

#include "agent/facts.h"
#include "agent/name.h"
#include "base/log.h"
#include "base/scope.h"
#include "io/file.h"

#include <string.h>

enum { ENROL_ARENA_MAX = 4 * 1024 * 1024, ENROL_FILE_MAX = 16 * 1024, ENROL_PAIRS_MAX = 16 };

static const Field EnrolFile_fields[] = {
    FIELD(EnrolFile, token, REQUIRED, "enrolment token", .max = TOKEN_TEXT_MAX),
    FIELD(EnrolFile, name, 0, "serial, mac, hostname, or the wished name", .max = DEVICE_NAME_MAX),
};
const Schema EnrolFile_schema = SCHEMA(EnrolFile, "enrol", "how this machine joins");

static void enrol_set_closep(ServerSet **set) {
    *set = server_set_close(*set);
}

static void enrol_server_closep(Server **server) {
    *server = server_close(*server);
}

/// --- the servers of a token ---

/// The token's server `at`, with the authority that is to be trusted there.
static Err enrol_servers(
    const TokenText *token, size_t at, Arena *arena, Servers *ret_servers, Reason *reason) {
    ServerAddress address;
    Err err = server_address_parse(token->servers.items[at], &address);
    if (err.code == OK && address.has_tls && !token->authority.ptr)
        err = FAIL(ERR_INVALID, "the token does not say whom to trust at its https server");
    if (err.code != OK) return reason_fail(reason, err, "%.*s", STR_FMT(token->servers.items[at]));
    Servers servers = {
        .servers = {ARENA_NEW(arena, ServerEntry), 1}
    };
    StrList authorities = {ARENA_NEW(arena, Str), 1};
    TRY(arena_check(arena));
    servers.servers.items[0].url = token->servers.items[at];
    if (address.has_tls && !str_eq(token->authority, S(AUTHORITY_PUBLIC))) {
        TRY(server_authority(&address, token->authority, arena, &authorities.items[0], reason));
        servers.authorities = authorities;
    }
    *ret_servers = servers;
    return SUCCESS;
}

static Err enrol_reach_one(const TokenText *token,
                           size_t at,
                           Arena *arena,
                           ServerSet **ret_set,
                           Server **ret_server,
                           Reason *reason) {
    Servers servers;
    TRY(enrol_servers(token, at, arena, &servers, reason));
    SCOPED(enrol_set_closep) ServerSet *set = NULL;
    TRY(server_set_open(&servers, &set, reason));
    TRY(server_open(server_set_address(set, 0), server_set_tls(set, 0), ret_server));
    *ret_set = TAKE_PTR(set);
    return SUCCESS;
}

Err enrol_reach(const TokenText *token,
                size_t *at,
                Arena *arena,
                ServerSet **ret_set,
                Server **ret_server,
                Reason *reason) {
    Err err = FAIL(ERR_INVALID, "the token names no server");
    for (; *at < token->servers.count; (*at)++) {
        err = enrol_reach_one(token, *at, arena, ret_set, ret_server, reason);
        if (err.code != OK) continue;
        reason_clear(reason); // of a server before
        return SUCCESS;
    }
    return err;
}

/// --- joining ---

typedef struct Joining {
    const State *state;
    const Identity *identity;
    SessionWish wish;
    Arena *arena;
} Joining;

/// The server has said what is final: another one of the installation would say the same.
static bool enrol_is_final(Err err, const Server *server) {
    uint32_t status = server_status(server);
    return err.code == OK || (status >= 400 && status < 500 && err.code != ERR_BUSY);
}

static Err
enrol_join(const Joining *joining, const TokenText *token, Enrolled *ret, Reason *reason) {
    Err err = FAIL(ERR_INVALID, "the token names no server");
    bool is_over = false;
    for (size_t at = 0; at < token->servers.count && !is_over; at++) {
        SCOPED(enrol_set_closep) ServerSet *set = NULL;
        SCOPED(enrol_server_closep) Server *server = NULL;
        err = enrol_reach(token, &at, joining->arena, &set, &server, reason);
        if (err.code != OK) return err;
        err = session_enrol(server, joining->identity, &joining->wish, joining->arena, ret, reason);
        is_over = enrol_is_final(err, server);
    }
    return err;
}

static Err enrol_keep(const Joining *joining, const Enrolled *enrolled, Reason *reason) {
    Membership member = {
        .head = state_head(),
        .installation = enrolled->installation,
        .device_id = enrolled->device_id,
        .epoch = enrolled->epoch,
        .fleet_id = enrolled->fleet_id,
        .name = enrolled->name,
        .public_key = identity_public_key(joining->identity, joining->arena),
    };
    TRY(arena_check(joining->arena));
    TRY(state_enrolled(joining->state, &member, &enrolled->servers, joining->identity, reason));
    log_event(LOG_INFO,
              "device.enrolled",
              F("device", id_str(&enrolled->device_id)),
              F("name", enrolled->name),
              F("fleet", id_str(&enrolled->fleet_id)));
    return SUCCESS;
}

/// The key to enrol with: the device's own if it only lost its servers, else one that waits or is
/// made now.
static Err enrol_key_find(
    const State *state, bool is_member, Arena *arena, Identity *ret_identity, Reason *reason) {
    Membership member;
    if (is_member) return state_identity(state, arena, &member, ret_identity, reason);
    return state_next_make(state, ret_identity, reason);
}

static Err enrol_once(const State *state,
                      const TokenText *token,
                      const Str name,
                      bool is_member,
                      Arena *arena,
                      Reason *reason) {
    SCOPED(identity_wipe) Identity identity = {};
    TRY(enrol_key_find(state, is_member, arena, &identity, reason));
    Joining joining = {
        .state = state,
        .identity = &identity,
        .wish = {.secret = token->secret, .name = name_wished(name, "", arena)},
        .arena = arena,
    };
    facts_read((Str){}, arena, &joining.wish.facts);
    TRY(arena_check(arena));
    Enrolled enrolled;
    TRY(enrol_join(&joining, token, &enrolled, reason));
    return enrol_keep(&joining, &enrolled, reason);
}

/// Nothing may be lost by enrolling: a folder that cannot be read as ours is no empty one.
static Err
enrol_refuse_member(const State *state, Arena *arena, bool *ret_is_member, Reason *reason) {
    Membership member;
    Servers servers;
    Servers trial;
    SCOPED(identity_wipe) Identity identity = {};
    Err err = state_identity(state, arena, &member, &identity, reason);
    *ret_is_member = err.code == OK;
    if (err.code == OK) err = state_servers(state, arena, &servers, &trial, reason);
    if (err.code == OK) return FAIL(ERR_EXISTS, "this machine is enrolled already");
    if (err.code != ERR_NOT_FOUND) return err;
    reason_clear(reason);
    return SUCCESS;
}

Err enrol(const EnrolOptions *options, Reason *reason) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, ENROL_ARENA_MAX);
    TokenText token;
    TRY(token_text_parse(str_from(options->token), &arena, &token, reason));
    SCOPED(state_close) State state = {.lock_fd = -1};
    TRY(state_open(options->state, NULL, &state, reason));
    bool is_member = false;
    if (!options->force) TRY(enrol_refuse_member(&state, &arena, &is_member, reason));
    Str name = str_from(options->name);
    Err err = enrol_once(&state, &token, name, is_member, &arena, reason);
    if ((err.code == ERR_FORBIDDEN || err.code == ERR_EXISTS) && options->force) {
        // The key is a retired device's, or another organisation's: no other try can succeed.
        reason_clear(reason);
        TRY(state_next_forget(&state, reason));
        err = enrol_once(&state, &token, name, false, &arena, reason);
    }
    return err;
}

/// --- by a file ---

static Err
enrol_pairs_read(Str text, StrPair pairs[ENROL_PAIRS_MAX], size_t *ret_count, Reason *reason) {
    size_t number = 0;
    for (Str line; str_cut(&text, '\n', &line);) {
        number++;
        line = str_trim(line);
        if (line.len == 0 || line.ptr[0] == '#' || line.ptr[0] == ';') continue;
        Str value = line;
        Str key = {};
        if (!str_cut(&value, '=', &key) || !value.ptr || *ret_count == ENROL_PAIRS_MAX)
            return reason_fail(reason,
                               FAIL(ERR_INVALID, "the enrolment file is not right"),
                               "line %zu must be `key = value`",
                               number);
        pairs[(*ret_count)++] = (StrPair){str_trim(key), str_trim(value)};
    }
    return SUCCESS;
}

static Err enrol_text_read(Str text, Arena *arena, EnrolFile *ret_file, Reason *reason) {
    const Str mark = S("\xEF\xBB\xBF"); // that some editors put before what is UTF-8
    if (str_starts(text, mark)) text = str_slice(text, mark.len, text.len);
    StrPair pairs[ENROL_PAIRS_MAX];
    size_t count = 0;
    TRY(enrol_pairs_read(text, pairs, &count, reason));
    Faults faults;
    faults_init(&faults, arena);
    EnrolFile file;
    Err err = schema_decode_pairs(&EnrolFile_schema, pairs, count, arena, &faults, &file);
    if (err.code == ERR_INVALID && faults.count > 0)
        return reason_fail(reason,
                           FAIL(ERR_INVALID, "the enrolment file is not right"),
                           "%.*s: %.*s",
                           STR_FMT(faults.items[0].pointer),
                           STR_FMT(faults.items[0].allowed));
    TRY(err);
    *ret_file = file;
    return SUCCESS;
}

Err enrol_file_load(const char *path, Arena *arena, EnrolFile *ret_file, Reason *reason) {
    Str text;
    TRY(file_load(path, ENROL_FILE_MAX, arena, &text, reason));
    return reason_about(reason, enrol_text_read(text, arena, ret_file, reason), "%s", path);
}

Err enrol_by_file(const State *state, const char *path, Reason *reason) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, ENROL_ARENA_MAX);
    EnrolFile file;
    TRY(enrol_file_load(path, &arena, &file, reason));
    TokenText token;
    TRY(reason_about(reason, token_text_parse(file.token, &arena, &token, reason), "%s", path));
    bool is_member = false;
    TRY(enrol_refuse_member(state, &arena, &is_member, reason));
    return enrol_once(state, &token, file.name, is_member, &arena, reason);
}
