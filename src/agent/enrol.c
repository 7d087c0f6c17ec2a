// SPDX-License-Identifier: Apache-2.0
#include "agent/enrol.h"

#include "agent/facts.h"
#include "agent/link/session.h"
#include "agent/state.h"
#include "base/log.h"
#include "base/scope.h"

enum { ENROL_ARENA_MAX = 1024 * 1024 };

static void server_closep(Server **server) {
    *server = server_close(*server);
}

Err enrol_server(
    Str url, Str token, Arena *arena, Str *ret_ca_pem, Server **ret_server, Reason *reason) {
    ServerAddress address;
    Err err = server_address_parse(url, &address);
    if (err.code != OK) return reason_fail(reason, err, "%.*s", STR_FMT(url));
    TokenText parts;
    TRY(token_text_parse(token, &parts));
    Str ca_pem = {};
    if (address.has_tls)
        TRY(server_authority(&address, parts.ca_fingerprint, arena, &ca_pem, reason));
    TRY(server_open(&address, ca_pem, ret_server));
    *ret_ca_pem = ca_pem;
    return SUCCESS;
}

static Err enrol_with(const EnrolOptions *options,
                      const State *state,
                      Server *server,
                      Str ca_pem,
                      Arena *arena,
                      Reason *reason) {
    SCOPED(identity_wipe) Identity identity = {};
    TRY(state_identity_next(state, &identity, reason));
    Facts facts;
    facts_read((Str){}, arena, &facts);
    TRY(arena_check(arena));
    Enrolled enrolled;
    TRY(session_enrol(server,
                      &identity,
                      str_from(options->token),
                      str_from(options->name),
                      &facts,
                      arena,
                      &enrolled,
                      reason));
    Membership member = {
        .url = str_from(options->server),
        .ca_pem = ca_pem,
        .device_id = enrolled.device_id,
        .fleet_id = enrolled.fleet_id,
        .name = enrolled.name,
        .public_key = identity_public_key(&identity, arena),
    };
    TRY(arena_check(arena));
    TRY(state_enrolled(state, &member, &identity, reason));
    log_event(LOG_INFO,
              "device.enrolled",
              F("device", id_str(&enrolled.device_id)),
              F("name", enrolled.name),
              F("fleet", id_str(&enrolled.fleet_id)));
    return SUCCESS;
}

/// Nothing may be lost by enrolling: a folder that cannot be read as ours is no empty one.
static Err refuse_enrolled(const State *state, Arena *arena, Reason *reason) {
    Membership member;
    SCOPED(identity_wipe) Identity identity = {};
    Err err = state_identity(state, arena, &member, &identity, reason);
    if (err.code == ERR_NOT_FOUND) {
        reason_clear(reason);
        return SUCCESS;
    }
    if (err.code == OK)
        return reason_fail(reason,
                           FAIL(ERR_EXISTS, "this machine is enrolled already"),
                           "%.*s",
                           STR_FMT(state->folder));
    return err;
}

Err enrol(const EnrolOptions *options, Reason *reason) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, ENROL_ARENA_MAX);
    SCOPED(state_close) State state = {.lock_fd = -1};
    TRY(state_open(options->state, &state, reason));
    if (!options->force) TRY(refuse_enrolled(&state, &arena, reason));
    SCOPED(server_closep) Server *server = NULL;
    Str ca_pem;
    TRY(enrol_server(
        str_from(options->server), str_from(options->token), &arena, &ca_pem, &server, reason));
    Err err = enrol_with(options, &state, server, ca_pem, &arena, reason);
    if (err.code == ERR_FORBIDDEN && options->force) {
        // The key is a retired device's, or is known elsewhere: no other try with it can succeed.
        TRY(state_identity_refused(&state, reason));
        err = enrol_with(options, &state, server, ca_pem, &arena, reason);
    }
    return err;
}
