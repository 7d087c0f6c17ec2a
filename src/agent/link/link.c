// SPDX-License-Identifier: Apache-2.0
#include "agent/link/link.h"

#include "agent/link/link_parts.h"
#include "base/scope.h"

#include <event2/event.h>
#include <stdlib.h>

enum {
    MESSAGE_ARENA_MAX = 4 * 1024 * 1024,
    RETRY_FIRST_MS = 1000,
    RETRY_MAX_MS = 120'000,
    DENIED_MAX_MS = 3600'000, ///< whoever is not wanted asks seldom
    TOKEN_ARENA_MAX = 64 * 1024,
    MS_PER_S = 1000,
};

void link_wake_in(Link *link, uint64_t ms) {
    struct timeval in = {.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000) * 1000};
    event_add(link->timer, &in);
}

/// A heartbeat early or late, so that devices that came together do not stay together.
static uint64_t jittered(Link *link, uint64_t ms) {
    return ms - ms / 10 + backoff_jitter(&link->backoff, ms / 5);
}

void link_lost(Link *link, Err why, uint64_t retry_after_s, const Reason *said) {
    bool denied = why.code == ERR_UNAUTHENTICATED || why.code == ERR_FORBIDDEN;
    if (denied) link->token_until_ms = 0;
    link->backoff.max_ms = denied ? DENIED_MAX_MS : RETRY_MAX_MS;
    link->is_open = false;
    sync_lost(link->options.sync);
    link->options.changed(link->options.app, false, why, said);
    link_wake_in(link, backoff_next(&link->backoff, retry_after_s * MS_PER_S));
}

static Err token_fetch(Link *link, Reason *reason) {
    uint64_t now_ms = clock_monotonic_ms();
    if (now_ms < link->token_until_ms) return SUCCESS;
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, TOKEN_ARENA_MAX);
    DeviceTokenReply reply;
    TRY(session_token(link->options.server,
                      link->options.identity,
                      &link->options.device_id,
                      &arena,
                      &reply,
                      reason));
    text_clear(&link->token);
    text_add(&link->token, reply.access_token);
    TRY(text_check(&link->token));
    link->channel_port = (uint16_t)reply.channel_port;
    if (reply.heartbeat.ms > 0) link->options.sync->heartbeat_ms = reply.heartbeat.ms;
    // Renewed well before its end, so that none is refused on its way.
    link->token_until_ms = now_ms + reply.expires_in_s * MS_PER_S * 2 / 3;
    return SUCCESS;
}

void link_compose(Link *link, Text *message) {
    Telemetry telemetry = {};
    link->options.measure(link->options.app, &telemetry);
    sync_up(link->options.sync, &telemetry, message);
    link->sent_at_ms = clock_monotonic_ms();
}

Err link_deliver(Link *link, Str message) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, MESSAGE_ARENA_MAX);
    SyncNews news;
    TRY(sync_down(link->options.sync, message, &arena, &news));
    if (!link->is_open) link->options.changed(link->options.app, true, SUCCESS, &(Reason){});
    link->is_open = true;
    backoff_reset(&link->backoff);
    if (!news.is_newer) return SUCCESS;
    TRY(link->options.desired(link->options.app, &news));
    sync_held(link->options.sync, news.desired.version);
    return SUCCESS;
}

static Err poll_once(Link *link, Reason *reason) {
    SCOPED(text_done) Text up;
    text_init(&up, SYNC_MESSAGE_MAX);
    link_compose(link, &up);
    TRY(text_check(&up));
    SCOPED(text_done) Text down = {};
    TRY(server_post_text(link->options.server,
                         AGENT_SYNC_PATH,
                         text_str(&link->token),
                         text_str(&up),
                         &down,
                         reason));
    return link_deliver(link, text_str(&down));
}

static void on_timer(evutil_socket_t, short, void *arg) {
    Link *link = arg;
    if (link->channel) {
        link_channel_beat(link);
        return;
    }
    Reason said = {};
    Err err = token_fetch(link, &said);
    bool polls = link->options.poll_ms > 0 || link->channel_port == 0;
    if (err.code == OK) err = polls ? poll_once(link, &said) : link_channel_open(link, &said);
    if (err.code != OK) {
        link_lost(link, err, server_retry_after_s(link->options.server), &said);
    } else if (polls) {
        uint64_t every =
            link->options.poll_ms ? link->options.poll_ms : link->options.sync->heartbeat_ms;
        link_wake_in(link, jittered(link, every));
    }
}

void link_beat_later(Link *link) {
    link_wake_in(link, jittered(link, link->options.sync->heartbeat_ms));
}

Err link_open(const LinkOptions *options, Link **ret_link) {
    Link *link = calloc(1, sizeof(*link));
    if (!link) return OUT_OF_MEMORY;
    link->options = *options;
    link->backoff = (Backoff){RETRY_FIRST_MS, RETRY_MAX_MS, .random = options->seed};
    text_init(&link->token, JWS_TOKEN_MAX);
    link->timer = event_new(options->loop, -1, 0, on_timer, link);
    if (!link->timer) {
        free(link);
        return OUT_OF_MEMORY;
    }
    link_wake_in(link, 0);
    *ret_link = link;
    return SUCCESS;
}

Link *link_close(Link *link) {
    if (!link) return NULL;
    link_channel_close(link);
    event_free(link->timer);
    text_done(&link->token);
    free(link);
    return NULL;
}

void link_poke(Link *link) {
    if (!link->is_open || !sync_is_due(link->options.sync)) return;
    if (link->channel) {
        link_channel_send(link);
    } else {
        enum { TOGETHER_MS = 200 }; // changes come in bursts
        link_wake_in(link, TOGETHER_MS);
    }
}
