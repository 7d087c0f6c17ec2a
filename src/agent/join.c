// SPDX-License-Identifier: Apache-2.0
#include "agent/join.h"

#include "agent/enrol.h"
#include "agent/link/backoff.h"
#include "base/log.h"
#include "base/scope.h"

#include <poll.h>
#include <sodium.h>
#include <string.h>

enum {
    JOIN_ARENA_MAX = 16 * 1024 * 1024,
    JOIN_FIRST_MS = 2000,
    JOIN_MAX_MS = 300'000,
    JOIN_REFUSED_MS = 3600'000
};

/// Whether another try may end otherwise, by itself.
static bool join_may_pass(Err err) {
    return err.code != OK && err.code != ERR_INVALID && err.code != ERR_EXISTS
           && err.code != ERR_NOT_FOUND;
}

/// At first boot there may be no network, and the clock may be wrong: try for ever, and say why
/// when that changes.
static Err join_by_file(const State *state, const char *path, Reason *reason) {
    Backoff backoff = {JOIN_FIRST_MS, JOIN_MAX_MS};
    randombytes_buf(&backoff.random, sizeof(backoff.random));
    Reason told = {};
    Err err = enrol_by_file(state, path, reason);
    for (; join_may_pass(err); err = enrol_by_file(state, path, reason)) {
        Reason now;
        reason_set(&now, "%s: %s", err.what, reason->text);
        if (strcmp(now.text, told.text) != 0)
            log_event(LOG_WARN,
                      "enrol.waiting",
                      F("what", err.what),
                      F("said", reason->text),
                      F("errno", (uint64_t)err.sys));
        told = now;
        reason_clear(reason);
        // Whoever is refused is so until an operator has done something.
        backoff.max_ms = err.code == ERR_FORBIDDEN ? JOIN_REFUSED_MS : JOIN_MAX_MS;
        poll(NULL, 0, (int)backoff_next(&backoff, 0));
    }
    return err;
}

/// A device that has lost its servers joins again before anything is done as who it was: it may be
/// enrolled as another.
static void join_find_servers(const State *state, const char *path) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, JOIN_ARENA_MAX);
    Servers servers;
    Servers trial;
    Reason said = {};
    Err err = state_servers(state, &arena, &servers, &trial, &said);
    if (err.code == ERR_NOT_FOUND) {
        reason_clear(&said);
        err = enrol_by_file(state, path, &said);
        if (err.code == ERR_NOT_FOUND)
            err =
                FAIL(ERR_NOT_FOUND, "the list of servers is lost: enrol again, by a token or file");
    }
    if (err.code != OK)
        log_event(LOG_ERROR,
                  "servers.lost",
                  F("what", err.what),
                  F("said", said.text),
                  F("errno", (uint64_t)err.sys));
}

Err join(const State *state,
         const char *path,
         Arena *arena,
         Membership *ret_member,
         Identity *ret_identity,
         Reason *reason) {
    Err err = state_identity(state, arena, ret_member, ret_identity, reason);
    if (err.code == OK) {
        join_find_servers(state, path);
    } else if (err.code == ERR_NOT_FOUND) {
        reason_clear(reason);
        err = join_by_file(state, path, reason);
        if (err.code == ERR_NOT_FOUND)
            return FAIL(ERR_STATE, "this machine is not enrolled, and there is no enrolment file");
    }
    TRY(err);
    return state_identity(state, arena, ret_member, ret_identity, reason);
}
