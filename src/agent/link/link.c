// SPDX-License-Identifier: Apache-2.0
#include "agent/link/link.h"

#include "agent/facts.h"
#include "agent/link/link_parts.h"
#include "base/log.h"
#include "base/scope.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINK_ARENA_MAX = 64 * 1024,
    LINK_SILENCE_FACTOR = 3, ///< of the heartbeat
    LINK_SILENCE_MIN_MS = 60'000,
    LINK_TELL_ALL_MS = 24 * 3600'000,
    LINK_FAILED_MS = 3600'000, ///< a list that did not work is tried again after so long
    LINK_TOGETHER_MS = 200,    ///< changes come in bursts
};

/// A heartbeat early or late, so that devices that came together do not stay together.
static uint64_t link_jittered(Link *link, uint64_t ms) {
    return ms - ms / 10 + backoff_jitter(&link->pace.backoff, ms / 5);
}

static void link_beat_later(Link *link) {
    uint64_t every = link->options.sync->heartbeat_ms;
    if (tie_polls(link->tie)) every = link->options.poll_ms;
    tie_wake_in(link->tie, link_jittered(link, every));
}

/// --- what goes up ---

static void link_compose(Link *link, const Hello *hello, Text *message) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, LINK_ARENA_MAX);
    Telemetry telemetry = {};
    link->options.handlers.measure(link->options.app, &telemetry);
    Stamp stamp;
    stamp_read(&arena, &stamp);
    sync_up(link->options.sync, &(SyncSaid){hello, &stamp, &telemetry}, message);
}

static void link_say(Link *link) {
    SCOPED(text_done) Text message;
    text_init(&message, SYNC_UP_MAX);
    link_compose(link, NULL, &message);
    Err err = text_check(&message);
    if (err.code == OK) {
        tie_send(link->tie, text_str(&message));
        return;
    }
    TieEnd end = {.kind = TIE_FAILED, .why = err};
    tie_end(link->tie, &end, NULL);
}

/// A channel begins with everything; polls, which would cost too much, have it now and then.
static void link_tell_all(Link *link, const Tie *tie) {
    uint64_t now_ms = clock_monotonic_ms();
    if (tie_polls(tie) && now_ms < link->tell_all_ms) return;
    sync_tell_all(link->options.sync);
    link->tell_all_ms = now_ms + LINK_TELL_ALL_MS;
}

static Err
link_challenged(void *app, Tie *tie, const Challenge *challenge, Bytes binding, Text *ret_first) {
    Link *link = app;
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, LINK_ARENA_MAX);
    Hello hello;
    TRY(link_hello(link, tie, challenge, binding, &arena, &hello));
    if (tie_polls(tie)) sync_lost(link->options.sync); // each poll is a connection of its own
    link_tell_all(link, tie);
    link_compose(link, &hello, ret_first);
    return SUCCESS;
}

/// --- what comes down ---

static void link_refused(Link *link, Tie *tie, const Refusal *refusal) {
    TieEnd end = {
        .kind = TIE_REFUSED,
        .class = refusal_class(refusal),
        .why = FAIL(ERR_FORBIDDEN, "the server refuses this device"),
        .retry_after_s = refusal->retry_after_s,
    };
    if (keyring_refused(&link->ring, &tie->keys, refusal)) end.kind = TIE_RENEWED;
    Reason said;
    reason_set(&said,
               "%.*s%s%.*s",
               STR_FMT(refusal->code),
               refusal->detail.len > 0 ? ": " : "",
               STR_FMT(refusal->detail));
    tie_end(tie, &end, &said);
}

/// Say hello anew, with the key that is offered, on a connection of its own.
static void link_renew(Link *link) {
    TieEnd end = {.kind = TIE_RENEWED,
                  .why = FAIL(ERR_STATE, "the identity key is to be replaced")};
    if (!tie_polls(link->tie)) tie_end(link->tie, &end, NULL);
}

static void link_take_keys(Link *link, const SyncDown *down) {
    const LinkHandlers *handlers = &link->options.handlers;
    Identity before = link->ring.next;
    KeyringNews news = keyring_accepted(&link->ring, &link->tie->keys, down->key);
    if (news != KEYRING_SAME && handlers->key_done)
        handlers->key_done(link->options.app, &before, news == KEYRING_SWITCHED);
    identity_wipe(&before);
    if (!down->rotate_key || link->ring.has_next || !handlers->key_make) return;
    SCOPED(identity_wipe) Identity next = {};
    if (handlers->key_make(link->options.app, &next).code != OK) return;
    keyring_offer(&link->ring, &next);
    link_renew(link);
}

/// The list did not work, not long ago: it may have been published before its servers were up.
static bool link_has_failed(const Link *link, Str digest) {
    return str_eq(digest, str_from(link->failed))
           && clock_monotonic_ms() - link->failed_ms < LINK_FAILED_MS;
}

static void link_take_servers(Link *link, const Servers *servers) {
    const LinkHandlers *handlers = &link->options.handlers;
    if (!servers->digest.ptr || !handlers->servers_try
        || str_eq(servers->digest, server_set_digest(link->set))
        || link_has_failed(link, servers->digest)
        || (link->trial.set && str_eq(servers->digest, server_set_digest(link->trial.set))))
        return;
    Err err = handlers->servers_try(link->options.app, servers);
    if (err.code == OK) {
        err = link_trial_begin(link, servers);
        if (err.code == OK) return;
        handlers->servers_done(link->options.app, false);
    }
    link_failed(link, servers->digest);
}

static void link_found(Link *link) {
    if (!link->tie->is_open)
        link->options.handlers.changed(link->options.app, true, SUCCESS, &(Reason){});
    link->tie->is_open = true;
    link->was_told = false;
    pace_open(&link->pace);
}

static Err link_take(Link *link, const SyncDown *down) {
    Sync *sync = link->options.sync;
    bool is_newer;
    TRY(sync_down(sync, down, &is_newer));
    link_found(link);
    link->tie->waits_ms = sync->is_waiting ? link->tie->waits_ms : 0;
    uint64_t silence_ms = sync->heartbeat_ms * LINK_SILENCE_FACTOR;
    link->tie->silence_ms = silence_ms > LINK_SILENCE_MIN_MS ? silence_ms : LINK_SILENCE_MIN_MS;
    // What cannot be kept comes again with the next answer; another connection would not help.
    if (is_newer && link->options.handlers.desired(link->options.app, &down->desired).code == OK)
        sync_held(sync, down->desired.generation);
    link_take_servers(link, &down->servers);
    link_take_keys(link, down);
    if (link->tie->is_ending) return SUCCESS;
    if (!tie_polls(link->tie) && sync_is_due(sync)) {
        link_say(link);
    } else if (!sync->is_waiting) {
        link_beat_later(link);
    }
    return SUCCESS;
}

static Err link_message(void *app, Tie *tie, const SyncDown *down) {
    Link *link = app;
    if (!down->refused.code.ptr) return link_take(link, down);
    link_refused(link, tie, &down->refused);
    return SUCCESS;
}

/// --- when ---

static void link_timer(void *app, Tie *tie) {
    Link *link = app;
    if (tie->channel) {
        if (tie->is_open) link_say(link); // else its handshake has a deadline
    } else if (tie->is_open && tie_polls(tie)) {
        tie_poll(tie);
    } else {
        tie_start(tie, link->set, link->pace.at);
    }
}

/// Tell the owner, once for each reason. Servers of a list that fail alike, one after the other,
/// are one reason, whatever their addresses.
static void link_tell(Link *link, const Tie *tie, const TieEnd *end) {
    const char *said = end->kind == TIE_REFUSED ? tie->said.text : "";
    Reason now;
    reason_set(&now, "%s: %s", end->why.what ? end->why.what : "", said);
    bool is_same = link->was_told && strcmp(now.text, link->told.text) == 0;
    link->was_told = true;
    link->told = now;
    if (!is_same) link->options.handlers.changed(link->options.app, false, end->why, &tie->said);
}

static void link_ended(void *app, Tie *tie, const TieEnd *end) {
    Link *link = app;
    TieEnd how = *end;
    sync_lost(link->options.sync);
    if (how.kind == TIE_REPLACED && link->trial.set) how.kind = TIE_AWAY; // by our own trial
    bool is_ours = how.kind == TIE_RENEWED || how.kind != end->kind;      // what we did is no loss
    if (!is_ours) link_tell(link, tie, &how);
    tie_wake_in(tie, pace_next(&link->pace, &how));
}

static Err link_start(Link *link) {
    TieOptions options = {
        .loop = link->options.loop,
        .poll_ms = link->options.poll_ms,
        .source = link->options.source,
        .handlers = {link_challenged, link_message, link_timer, link_ended},
        .app = link,
    };
    TRY(tie_new(&options, &link->tie));
    tie_wake_in(link->tie, 0);
    if (link->options.trial && link_trial_begin(link, link->options.trial).code != OK
        && link->options.handlers.servers_done)
        link->options.handlers.servers_done(link->options.app, false);
    return SUCCESS;
}

Err link_open(const LinkOptions *options, Link **ret_link) {
    Link *link = calloc(1, sizeof(*link));
    if (!link) return OUT_OF_MEMORY;
    link->options = *options;
    link->set = options->servers;
    uint8_t random[LINK_INSTANCE_LEN / 2];
    randombytes_buf(random, sizeof(random));
    sodium_bin2hex(link->instance, sizeof(link->instance), random, sizeof(random));
    keyring_init(&link->ring, options->identity, options->next);
    pace_init(&link->pace, server_set_count(link->set), options->seed);
    Err err = link_start(link);
    if (err.code != OK) {
        link_close(link);
        return err;
    }
    *ret_link = link;
    return SUCCESS;
}

Link *link_close(Link *link) {
    if (!link) return NULL;
    link_trial_stop(link);
    tie_free(link->tie);
    server_set_close(link->own_set);
    keyring_wipe(&link->ring);
    free(link);
    return NULL;
}

void link_poke(Link *link) {
    if (!link->tie->is_open || link->tie->is_ending || !sync_is_due(link->options.sync)) return;
    if (link->tie->channel) {
        link_say(link);
    } else {
        tie_wake_in(link->tie, LINK_TOGETHER_MS);
    }
}
