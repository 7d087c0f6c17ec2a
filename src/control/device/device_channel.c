// SPDX-License-Identifier: Apache-2.0
#include "control/device/device_channel.h"

#include "base/log.h"
#include "base/scope.h"
#include "control/access.h"
#include "control/device/device.h"
#include "control/device/presences.h"
#include "db/tx.h"
#include "io/worker.h"

#include <stdlib.h>

enum {
    SYNC_ARENA_MAX = 4 * 1024 * 1024,
    SYNC_TRIES_MAX = 5,
    PUSH_PAGE = 200,
    CLOSE_REPLACED = 4001, ///< the device opened another channel
    CLOSE_RETIRED = 4003,
};

static void on_greet(void *, const ChannelPeer *, Text *) {}

/// The device that an access token is for; from now on it is reached by this channel.
static Err device_enter(App *app, Str bearer, ChannelPeer *peer) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, SYNC_ARENA_MAX);
    Principal principal;
    TRY(access_principal(app, bearer, clock_now_ms(&app->clock), &arena, &principal));
    if (!(principal.access & IS_DEVICE)) return FAIL(ERR_FORBIDDEN, "the channel is for devices");
    uint64_t replaced = 0;
    TRY(presences_set(app->presences, &principal.subject, peer->channel, &replaced));
    if (replaced) gateway_drop(app->gateway, replaced, CLOSE_REPLACED, S("opened again elsewhere"));
    peer->subject = principal.subject;
    peer->scope = principal.scope;
    return SUCCESS;
}

static void on_closed(void *ctx, const ChannelPeer *peer) {
    presences_clear(((App *)ctx)->presences, &peer->subject, peer->channel);
}

/// The device's own organisation: from then on a Tx sees nothing else.
static Err device_org(App *app, Arena *arena, const Id *device_id, Id *ret_org) {
    SCOPED(tx_closep) Tx *tx = NULL;
    TRY(tx_open(app->db, arena, (Str){}, &tx));
    Device device;
    TRY(tx_get(tx, &Device_schema, id_str(device_id), &device));
    *ret_org = device.org_id;
    return SUCCESS;
}

static Err sync_once(App *app, Arena *arena, const Id *device_id, const SyncUp *up, Text *reply) {
    uint64_t now_ms = clock_now_ms(&app->clock);
    Id org;
    TRY(device_org(app, arena, device_id, &org));
    SCOPED(tx_closep) Tx *tx = NULL;
    TRY(tx_open(app->db, arena, id_str(&org), &tx));
    SyncDown down;
    TRY(device_sync(app, tx, arena, device_id, up, now_ms, &down));
    TRY(tx_commit(tx));
    text_clear(reply);
    schema_encode(&SyncDown_schema, &down, ENCODE_REPLY, reply);
    return text_check(reply);
}

static Err device_message(App *app, const ChannelPeer *peer, Str message, Text *reply) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, SYNC_ARENA_MAX);
    Reason reason = {};
    SyncUp up = {};
    Err err = schema_read(&SyncUp_schema, message, DECODE_PEER, &arena, &up, &reason);
    for (int tries = 0; err.code == OK && tries < SYNC_TRIES_MAX; tries++) {
        err = sync_once(app, &arena, &peer->subject, &up, reply);
        if (err.code != ERR_CONFLICT) break;
        err = SUCCESS;
    }
    if (err.code != OK)
        log_event(err.code == ERR_SYSTEM ? LOG_ERROR : LOG_WARN,
                  "sync.failed",
                  F("device", id_str(&peer->subject)),
                  F("channel", peer->channel),
                  F("what", err.what),
                  F("why", reason.text),
                  F("errno", (uint64_t)err.sys));
    return err;
}

/// The first message begins with a line that is the device's access token.
static Err on_message(void *ctx, ChannelPeer *peer, Str message, Text *reply) {
    App *app = ctx;
    Str bearer;
    if (id_is_absent(&peer->subject)) {
        if (!str_cut(&message, '\n', &bearer)) return FAIL(ERR_INVALID, "there is no token");
        TRY(device_enter(app, bearer, peer));
    }
    return device_message(app, peer, message, reply);
}

const ChannelHandlers device_channel_handlers = {
    .greet = on_greet,
    .message = on_message,
    .closed = on_closed,
};

/// Send a device that is here what it should run now.
static Err push_device(App *app, Tx *tx, Arena *arena, const Device *device) {
    uint64_t channel = presences_channel(app->presences, &device->id);
    if (channel == 0) return SUCCESS; // it will hear of it when it comes
    SyncDown down = {.now = {clock_now_ms(&app->clock)}, .heartbeat = app->config.heartbeat};
    TRY(device_desired(tx, arena, device, 0, &down.desired));
    SCOPED(text_done) Text text;
    text_init(&text, SYNC_MESSAGE_MAX);
    schema_encode(&SyncDown_schema, &down, ENCODE_REPLY, &text);
    TRY(text_check(&text));
    gateway_send(app->gateway, channel, text_str(&text));
    return SUCCESS;
}

typedef struct Push {
    App *app;
    Id org;
    CallEvent event;
} Push;

/// One page of the fleet's devices behind `*after`; `*ret_more` says whether there may be another.
static Err push_page(const Push *push, Arena *arena, Id *after, bool *ret_more) {
    SCOPED(tx_closep) Tx *tx = NULL;
    TRY(tx_open(push->app->db, arena, id_str(&push->org), &tx));
    Query query = {.where = {WHERE_STR("fleet_id", id_str(&push->event.subject))},
                   .after = id_str(after),
                   .limit = PUSH_PAGE};
    Device *devices;
    size_t count;
    TRY(tx_list(tx, &Device_schema, &query, (void **)&devices, &count));
    for (size_t i = 0; i < count; i++)
        TRY(push_device(push->app, tx, arena, &devices[i]));
    if (count) *after = devices[count - 1].id;
    *ret_more = count == PUSH_PAGE;
    return SUCCESS;
}

static Err push_fleet(const Push *push, Arena *arena) {
    Id after = {};
    for (bool more = true; more;) {
        TRY(push_page(push, arena, &after, &more));
        arena_reset(arena);
    }
    return SUCCESS;
}

static Err push_one(const Push *push, Arena *arena) {
    SCOPED(tx_closep) Tx *tx = NULL;
    TRY(tx_open(push->app->db, arena, id_str(&push->org), &tx));
    Device device;
    TRY(tx_get(tx, &Device_schema, id_str(&push->event.subject), &device));
    return push_device(push->app, tx, arena, &device);
}

/// A push only hastens: a device that misses it is told at its next sync.
static void push_run(void *arg) {
    Push *push = arg;
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, SYNC_ARENA_MAX);
    Err err =
        push->event.kind == EVENT_FLEET_DESIRED ? push_fleet(push, &arena) : push_one(push, &arena);
    if (err.code != OK)
        log_event(LOG_WARN,
                  "push.failed",
                  F("subject", id_str(&push->event.subject)),
                  F("what", err.what));
    free(push);
}

static void device_end(App *app, const Id *device_id) {
    uint64_t channel = presences_channel(app->presences, device_id);
    if (channel) gateway_drop(app->gateway, channel, CLOSE_RETIRED, S("retired"));
}

void device_published(void *ctx, Call *call) {
    App *app = ctx;
    if (!app->gateway) return;
    for (size_t i = 0; i < call->event_count; i++) {
        if (call->events[i].kind == EVENT_DEVICE_RETIRED) {
            device_end(app, &call->events[i].subject);
            continue;
        }
        Push *push = malloc(sizeof(*push));
        if (!push) return;
        *push = (Push){app, call->principal.scope, call->events[i]};
        if (worker_submit(app->pushers, push_run, push).code != OK) free(push);
    }
}
