// SPDX-License-Identifier: Apache-2.0
#include "control/device/device_channel.h"

#include "base/log.h"
#include "base/scope.h"
#include "control/device/exchange.h"
#include "control/device/glance.h"
#include "control/device/presences.h"
#include "control/device/seen.h"
#include "db/tx.h"
#include "io/race.h"

enum {
    GREET_ARENA_MAX = 4 * 1024,
    LEAVE_ARENA_MAX = 1024 * 1024,
};

static void channel_on_greet(void *ctx, const ChannelPeer *peer, Text *first) {
    App *app = ctx;
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, GREET_ARENA_MAX);
    uint8_t room[CONNECTION_BYTES];
    uint64_t now_ms = clock_now_ms(&app->clock);
    SyncDown down = {
        .challenge = {.now = {now_ms},
                      .audience = app->installation,
                      .binding = peer->binding.len ? BINDING_TLS_EXPORTER : BINDING_NONE}
    };
    Err err = challenge_make(
        &app->key, exchange_connection(app, peer, room), now_ms, &arena, &down.challenge.nonce);
    if (err.code == OK)
        schema_encode(&SyncDown_schema, &down, ENCODE_REPLY, first);
    else
        first->failed = true; // a channel without a challenge is none
}

static Err channel_leave_once(const App *app, const ChannelPeer *peer, uint64_t heard_ms) {
    SCOPED(arena_done) Arena arena;
    SCOPED(tx_closep) Tx *tx = NULL;
    arena_init(&arena, LEAVE_ARENA_MAX);
    TRY(tx_open(app->db, &arena, id_str(&peer->scope), &tx));
    TRY(seen_leave(app, tx, &arena, &peer->subject, heard_ms));
    return tx_commit(tx, NULL);
}

/// Of a process that ends its devices have not gone: they come back, here or elsewhere.
static void channel_on_closed(void *ctx, const ChannelPeer *peer) {
    App *app = ctx;
    PresenceHere here = presences_clear(app->presences, &peer->subject, peer->channel);
    if (!here.channel || atomic_load(&app->is_stopping)) return;
    Race race = {};
    Err err;
    do {
        err = channel_leave_once(app, peer, here.heard_ms);
    } while (race_again_here(&race, err));
    if (err.code != OK)
        log_event(
            LOG_WARN, "leave.failed", F("device", id_str(&peer->subject)), F("what", err.what));
}

static void channel_on_message(
    void *app, ChannelPeer *peer, Str message, Text *reply, ChannelDone done, void *ctx) {
    exchange_run(app, peer, message, reply, done, ctx);
}

static ChannelGlance channel_on_glance(
    void *app, ChannelPeer *peer, Str message, Text *reply, ChannelDone done, void *ctx) {
    return glance_take(app, peer, message, reply, done, ctx);
}

const ChannelHandlers device_channel_handlers = {
    .greet = channel_on_greet,
    .glance = channel_on_glance,
    .message = channel_on_message,
    .closed = channel_on_closed,
};
