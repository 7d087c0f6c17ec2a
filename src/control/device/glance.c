// SPDX-License-Identifier: Apache-2.0
#include "control/device/glance.h"

#include "control/device/device.h"
#include "control/device/exchange.h"
#include "control/device/presences.h"
#include "control/telemetry/telemetry.h"
#include "db/tx.h"
#include "io/worker.h"

#include <stdlib.h>

enum { GLANCE_MESSAGE_MAX = 4 * 1024, GLANCE_ARENA_MAX = 256 * 1024 };

/// A message that was looked at; malloc'ed. While it commits the store has it.
typedef struct Glance {
    App *app;
    ChannelPeer *peer;
    Str message;
    Text *reply;
    ChannelDone done;
    void *ctx;
    uint64_t now_ms;
    Settled settled;
    Arena arena;
} Glance;

static void glance_free(Glance *glance) {
    arena_done(&glance->arena);
    free(glance);
}

/// It says only what is judged without reading.
static bool glance_suffices(const Glance *glance, const SyncUp *up) {
    return up->generation == glance->settled.generation && id_is_absent(&up->hello.device_id)
           && !sync_up_has(up, "facts") && !sync_up_has(up, "reported");
}

static Err glance_answer(const Glance *glance, const SyncUp *up) {
    const SyncDown down = {
        .ack = up->seq, .now = {glance->now_ms}, .heartbeat = glance->app->config.heartbeat};
    schema_encode(&SyncDown_schema, &down, ENCODE_REPLY, glance->reply);
    return text_check(glance->reply);
}

/// Collect the measurements, for the device as it was when it was settled.
static Err glance_keep(Glance *glance, const Telemetry *telemetry, Tx **ret_tx) {
    const ChannelPeer *peer = glance->peer;
    const Device device = {.id = peer->subject, .org_id = peer->scope, .rev = glance->settled.rev};
    Tx *tx = NULL;
    TRY(tx_open(glance->app->db, &glance->arena, id_str(&peer->scope), &tx));
    TRY(tx_expect(tx, &Device_schema, &device));
    TRY(telemetry_put(tx, telemetry, &peer->subject, &peer->scope, glance->now_ms));
    tx_patient(tx);
    *ret_tx = tx;
    return SUCCESS;
}

/// It took more than a glance.
static void glance_whole(void *arg) {
    Glance *glance = arg;
    exchange_run(
        glance->app, glance->peer, glance->message, glance->reply, glance->done, glance->ctx);
    glance_free(glance);
}

static void glance_committed(void *ctx, Err err, const TxFault *) {
    Glance *glance = ctx;
    WorkerPool *workers = glance->app->pools[POOL_DEVICES];
    if (err.code != OK && worker_submit(workers, glance_whole, glance).code == OK) return;
    glance->done(glance->ctx, err);
    glance_free(glance);
}

/// GLANCE_TAKEN: it is the store's.
static ChannelGlance glance_look(Glance *glance) {
    SyncUp up;
    Tx *tx = NULL;
    Err err = schema_read(&SyncUp_schema, glance->message, DECODE_PEER, &glance->arena, &up, NULL);
    if (err.code != OK || !glance_suffices(glance, &up)) return GLANCE_NOT;
    if (glance_answer(glance, &up).code != OK) return GLANCE_NOT;
    if (!sync_up_has(&up, "telemetry")) return GLANCE_ANSWERED;
    if (glance_keep(glance, &up.telemetry, &tx).code != OK) return GLANCE_NOT;
    tx_commit_then(tx, glance_committed, glance);
    return GLANCE_TAKEN;
}

ChannelGlance
glance_take(App *app, ChannelPeer *peer, Str message, Text *reply, ChannelDone done, void *ctx) {
    uint64_t now_ms = clock_now_ms(&app->clock);
    PresenceHere here = presences_heard(app->presences, &peer->subject, peer->channel, now_ms);
    if (here.settled.moment == 0 || message.len > GLANCE_MESSAGE_MAX) return GLANCE_NOT;
    Glance *glance = calloc(1, sizeof(*glance));
    if (!glance) return GLANCE_NOT;
    *glance = (Glance){app, peer, message, reply, done, ctx, now_ms, here.settled, {}};
    arena_init(&glance->arena, GLANCE_ARENA_MAX);
    ChannelGlance seen = glance_look(glance);
    if (seen == GLANCE_TAKEN) return seen;
    if (seen == GLANCE_NOT) text_clear(reply);
    glance_free(glance);
    return seen;
}
