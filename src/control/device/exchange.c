// SPDX-License-Identifier: Apache-2.0
#include "control/device/exchange.h"

#include "base/log.h"
#include "base/scope.h"
#include "control/device/heartbeat.h"
#include "control/device/hello.h"
#include "control/device/presences.h"
#include "db/tx.h"
#include "io/race.h"
#include "io/worker.h"

#include <stdlib.h>
#include <string.h>

enum { SYNC_ARENA_MAX = 16 * 1024 * 1024 }; ///< a long message, and a long manifest for each try

ChallengeFor
exchange_connection(const App *app, const ChannelPeer *peer, uint8_t room[CONNECTION_BYTES]) {
    size_t binding_len = peer->binding.len < BINDING_LEN ? peer->binding.len : BINDING_LEN;
    size_t len = 0;
    memcpy(room, &app->node, sizeof(app->node));
    len += sizeof(app->node);
    memcpy(room + len, &peer->channel, sizeof(peer->channel));
    len += sizeof(peer->channel);
    if (binding_len) memcpy(room + len, peer->binding.ptr, binding_len);
    return (ChallengeFor){(const char *)room, len + binding_len};
}

void exchange_refuse(App *app, ChannelId channel, const Refusal *refusal) {
    SyncDown down = {.refused = *refusal};
    SCOPED(text_done) Text text;
    text_init(&text, SYNC_DOWN_MAX);
    schema_encode(&SyncDown_schema, &down, ENCODE_REPLY, &text);
    if (text_check(&text).code == OK) gateway_send(app->gateway, channel, text_str(&text));
    gateway_drop(app->gateway, channel, CHANNEL_REFUSED, refusal->code);
}

/// From now on the device is reached by this channel; before its desired state is read, so that
/// no news of it is missed.
static Err exchange_enter(App *app, ChannelPeer *peer, const Device *device) {
    peer->subject = device->id;
    peer->scope = device->org_id;
    peer->epoch = device->epoch;
    uint64_t replaced = 0;
    const PresenceHere here = {peer->channel, clock_now_ms(&app->clock)};
    TRY(presences_set(app->presences, &device->id, here, &replaced));
    if (replaced && replaced != peer->channel)
        gateway_drop(app->gateway, replaced, CHANNEL_REPLACED, S("opened again elsewhere"));
    return SUCCESS;
}

/// One message and its answer under way; malloc'ed. A worker has it, and while it commits the
/// store.
typedef struct Exchange {
    App *app;
    ChannelPeer *peer;
    Str message;
    Text *reply;
    ChannelDone done;
    void *ctx;
    Arena memory; ///< of one try
    Arena *arena;
    Race race;
    Reason reason;
    bool is_first;
    uint64_t moment; ///< presences_moment at which the try began
    SyncUp up;
    SyncDown down; ///< zero: the channel was refused instead
} Exchange;

static Err exchange_first(Exchange *exchange, Tx *tx, uint64_t now_ms) {
    App *app = exchange->app;
    uint8_t room[CONNECTION_BYTES];
    ProofWanted wanted = {.connection = exchange_connection(app, exchange->peer, room),
                          .binding = exchange->peer->binding};
    Device device;
    Refusal refusal;
    TRY(hello_judge(
        app, tx, exchange->arena, &exchange->up.hello, &wanted, now_ms, &device, &refusal));
    if (refusal.code.ptr) {
        exchange_refuse(app, exchange->peer->channel, &refusal);
        return SUCCESS;
    }
    TRY(exchange_enter(app, exchange->peer, &device));
    return hello_answer(
        app, tx, exchange->arena, &device, &exchange->up, SYNC_BY_CHANNEL, now_ms, &exchange->down);
}

static Err exchange_end_by(Exchange *exchange, RefusalCode code, const char *detail) {
    Refusal refusal = refusal_make(code, str_from(detail));
    exchange_refuse(exchange->app, exchange->peer->channel, &refusal);
    return SUCCESS;
}

/// What the device is told is all there is, and its row stays as it was read: until there is news
/// its messages can be judged without either.
static void exchange_settle_device(const Exchange *exchange, const Device *stored) {
    const SyncUp *up = &exchange->up;
    const SyncDown *down = &exchange->down;
    if (down->desired.generation || down->rotate_key) return;
    if (sync_up_has(up, "facts")) return;
    const Settled settled = {exchange->moment, up->generation, stored->rev};
    presences_settle(exchange->app->presences, &stored->id, exchange->peer->channel, settled);
}

static Err exchange_next(Exchange *exchange, Tx *tx, uint64_t now_ms) {
    Device stored;
    Err err = device_get(tx, &exchange->peer->subject, &stored);
    if (err.code == ERR_NOT_FOUND)
        return exchange_end_by(exchange, REFUSED_DEVICE_RETIRED, "the device was retired");
    TRY(err);
    if (stored.epoch != exchange->peer->epoch)
        return exchange_end_by(exchange, REFUSED_EPOCH_OLD, "the device was enrolled anew");
    Device device = stored;
    exchange->up.hello = (Hello){}; // one a channel
    TRY(heartbeat_sync(exchange->app,
                       tx,
                       exchange->arena,
                       &stored,
                       &device,
                       &exchange->up,
                       SYNC_BY_CHANNEL,
                       now_ms,
                       &exchange->down));
    exchange_settle_device(exchange, &stored);
    return SUCCESS;
}

/// The answer is encoded, and what it acknowledges is collected: the Tx is to be committed. None
/// where the device was refused instead.
static Err exchange_answer(Exchange *exchange, Tx **ret_tx) {
    App *app = exchange->app;
    uint64_t now_ms = clock_now_ms(&app->clock);
    Tx *tx = NULL;
    exchange->down = (SyncDown){};
    exchange->moment = presences_moment(app->presences);
    TRY(schema_read(&SyncUp_schema,
                    exchange->message,
                    DECODE_PEER,
                    exchange->arena,
                    &exchange->up,
                    &exchange->reason));
    if (exchange->is_first && id_is_absent(&exchange->up.hello.device_id))
        return FAIL(ERR_INVALID, "the first message must have a hello");
    TRY(exchange->is_first // who it is shows its hello
            ? tx_open_all(app->db, exchange->arena, &tx)
            : tx_open(app->db, exchange->arena, id_str(&exchange->peer->scope), &tx));
    TRY(exchange->is_first ? exchange_first(exchange, tx, now_ms)
                           : exchange_next(exchange, tx, now_ms));
    if (exchange->down.ack == 0) return SUCCESS;
    schema_encode(&SyncDown_schema, &exchange->down, ENCODE_REPLY, exchange->reply);
    TRY(text_check(exchange->reply));
    *ret_tx = tx;
    return SUCCESS;
}

static void exchange_end(Exchange *exchange, Err err) {
    if (err.code != OK) {
        text_clear(exchange->reply);
        log_event(err.code == ERR_SYSTEM ? LOG_ERROR : LOG_WARN,
                  "sync.failed",
                  F("device", id_str(&exchange->peer->subject)),
                  F("remote", exchange->peer->remote),
                  F("channel", exchange->peer->channel),
                  F("what", err.what),
                  F("reason", exchange->reason.text),
                  F("errno", (uint64_t)err.sys));
    }
    exchange->done(exchange->ctx, err);
    arena_done(&exchange->memory);
    free(exchange);
}

static void exchange_try(void *arg);

/// The end of a try, on whichever thread that is; a lost race is run again.
static void exchange_settle(Exchange *exchange, Err err, bool is_race) {
    const Err judged = is_race ? FAIL(ERR_CONFLICT, err.what) : err;
    WorkerPool *workers = exchange->app->pools[POOL_DEVICES];
    uint32_t pause_ms = 0;
    if (race_again(&exchange->race, judged, &pause_ms)
        && worker_submit_after(workers, pause_ms, exchange_try, exchange).code == OK)
        return; // it is a worker's now
    exchange_end(exchange, err);
}

/// A key that another has taken since then, a fleet that is gone: judged anew. So is what the store
/// had no room for: else the device would come back with it at once.
static void exchange_committed(void *ctx, Err err, const TxFault *) {
    bool is_race = err.code == ERR_EXISTS || err.code == ERR_NOT_FOUND || err.code == ERR_BUSY;
    exchange_settle(ctx, err, is_race);
}

static void exchange_try(void *arg) {
    Exchange *exchange = arg;
    Tx *tx = NULL;
    arena_reset(exchange->arena);
    text_clear(exchange->reply);
    Err err = exchange_answer(exchange, &tx);
    if (!tx) {
        exchange_settle(exchange, err, false);
        return;
    }
    tx_patient(tx);
    tx_commit_then(tx, exchange_committed, exchange);
}

void exchange_run(
    App *app, ChannelPeer *peer, Str message, Text *reply, ChannelDone done, void *ctx) {
    Exchange *exchange = calloc(1, sizeof(*exchange));
    if (!exchange) {
        done(ctx, OUT_OF_MEMORY);
        return;
    }
    *exchange = (Exchange){.app = app,
                           .peer = peer,
                           .message = message,
                           .reply = reply,
                           .done = done,
                           .ctx = ctx,
                           .arena = &exchange->memory,
                           .is_first = id_is_absent(&peer->subject)};
    arena_init(&exchange->memory, SYNC_ARENA_MAX);
    exchange_try(exchange);
}
