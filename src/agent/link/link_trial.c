// SPDX-License-Identifier: Apache-2.0
#include "agent/link/link_parts.h"

#include "base/log.h"
#include "base/scope.h"

#include <string.h>

enum {
    TRIAL_ROUNDS = 3,
    TRIAL_NEXT_MS = 500,
    TRIAL_ROUND_MS = 10'000,
    TRIAL_DOUBLINGS_MAX = 5, ///< of the time between two rounds
};

void link_trial_stop(Link *link) {
    link->trial.tie = tie_free(link->trial.tie);
    link->trial.set = server_set_close(link->trial.set);
}

static void trial_failed(Link *link, Err why, const Reason *said) {
    Str digest = server_set_digest(link->trial.set);
    log_event(LOG_WARN,
              "servers.failed",
              F("digest", digest),
              F("what", why.what),
              F("said", said->text));
    link_failed(link, digest);
    link_trial_stop(link);
    if (link->options.handlers.servers_done)
        link->options.handlers.servers_done(link->options.app, false);
}

/// Hello alone: what else there is to say goes over the tie in force, until this one is that.
static Err
trial_challenged(void *app, Tie *tie, const Challenge *challenge, Bytes binding, Text *ret_first) {
    Link *link = app;
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, SYNC_FIRST_MAX);
    Hello hello;
    TRY(link_hello(link, tie, challenge, binding, &arena, &hello));
    SyncUp up = {.hello = hello, .seq = 1, .generation = link->options.sync->generation};
    schema_encode(&SyncUp_schema, &up, ENCODE_REQUEST, ret_first);
    return SUCCESS;
}

/// Hello was accepted by the new list: it is the list, and this is the tie.
static Err trial_message(void *app, Tie *tie, const SyncDown *down) {
    Link *link = app;
    const TieHandlers *handlers = &link->tie->options.handlers;
    if (down->refused.code.ptr) return handlers->message(link, tie, down);
    log_event(LOG_INFO, "servers.changed", F("digest", server_set_digest(link->trial.set)));
    tie->options.handlers = *handlers;
    tie_free(link->tie);
    server_set_close(link->own_set);
    link->tie = tie;
    link->set = link->own_set = link->trial.set;
    link->trial = (Trial){};
    link->failed[0] = '\0';
    pace_init(&link->pace, server_set_count(link->set), link->pace.backoff.random);
    sync_lost(link->options.sync);
    sync_tell_all(link->options.sync);
    link->options.sync->seq = 1;
    link->options.sync->is_waiting = true;
    if (link->options.handlers.servers_done)
        link->options.handlers.servers_done(link->options.app, true);
    return tie->options.handlers.message(link, tie, down);
}

static void trial_timer(void *app, Tie *tie) {
    Link *link = app;
    tie_start(tie, link->trial.set, link->trial.at);
}

/// To the next server, or to the next round; rounds beyond the usual ones are ever further apart.
static uint64_t trial_pause_ms(const Link *link) {
    const Trial *trial = &link->trial;
    if (trial->at > 0) return TRIAL_NEXT_MS;
    uint64_t round_ms = link->options.trial_ms ? link->options.trial_ms : TRIAL_ROUND_MS;
    unsigned more = trial->tries > TRIAL_ROUNDS ? trial->tries - TRIAL_ROUNDS : 0;
    return round_ms << (more < TRIAL_DOUBLINGS_MAX ? more : TRIAL_DOUBLINGS_MAX);
}

/// A list is given up only while the one in force answers: else it may be the only one that ever
/// will.
static void trial_ended(void *app, Tie *tie, const TieEnd *end) {
    Link *link = app;
    Trial *trial = &link->trial;
    trial->at = (trial->at + 1) % server_set_count(trial->set);
    if (trial->at == 0) trial->tries++;
    if (trial->tries >= TRIAL_ROUNDS && link->tie->is_open) {
        trial_failed(link, end->why, &tie->said);
        return;
    }
    tie_wake_in(tie, trial_pause_ms(link));
}

Err link_trial_begin(Link *link, const Servers *servers) {
    link_trial_stop(link);
    link->trial = (Trial){};
    Reason reason = {};
    Err err = server_set_open(servers, &link->trial.set, &reason);
    TieOptions options = {
        .loop = link->options.loop,
        .poll_ms = link->options.poll_ms,
        .source = link->options.source,
        .handlers = {trial_challenged, trial_message, trial_timer, trial_ended},
        .app = link,
    };
    if (err.code == OK) err = tie_new(&options, &link->trial.tie);
    if (err.code != OK) {
        log_event(LOG_WARN, "servers.unusable", F("what", err.what), F("said", reason.text));
        link_trial_stop(link);
        return err;
    }
    tie_wake_in(link->trial.tie, 0);
    return SUCCESS;
}
