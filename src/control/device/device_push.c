// SPDX-License-Identifier: Apache-2.0
/// A push only hastens: a device that misses it is told at its next sync.
#include "control/device/device_push.h"

#include "base/log.h"
#include "base/scope.h"
#include "control/device/device.h"
#include "control/device/device_channel.h"
#include "control/device/presences.h"
#include "control/fleet/fleet.h"
#include "db/tx.h"
#include "io/race.h"
#include "io/worker.h"

#include <stdlib.h>

enum { PUSH_ARENA_MAX = 16 * 1024 * 1024, PUSH_PAGE = 200, PUSH_CURSOR_MAX = 1024 };

typedef struct Push {
    App *app;
    Id org;
    CallEvent event;
    Race race;   ///< of the page, or the device
    Text cursor; ///< a fleet's devices up to here know; empty: none does
} Push;

/// Send a device that is here what it should run now: `applications`, its fleet's.
static Err push_device(App *app,
                       const Device *device,
                       const Fleet *fleet,
                       const ApplicationList *applications) {
    uint64_t channel = presences_channel(app->presences, &device->id);
    if (channel == 0) return SUCCESS; // it will hear of it when it comes
    SyncDown down = {
        .now = {clock_now_ms(&app->clock)},
        .heartbeat = app->config.heartbeat,
        .rotate_key = device->rotate_key,
    };
    uint64_t generation = device_generation(device, fleet);
    if (generation) down.desired = (Desired){generation, *applications, {}};
    SCOPED(text_done) Text text;
    text_init(&text, SYNC_DOWN_MAX);
    schema_encode(&SyncDown_schema, &down, ENCODE_REPLY, &text);
    TRY(text_check(&text));
    gateway_send(app->gateway, channel, text_str(&text));
    return SUCCESS;
}

/// One page of the fleet's devices behind the cursor, which moves on: at the end it is empty.
///
/// Reads are not of one moment: what the fleet runs and the generation of a device that has just
/// come there go together only if the fleet did not change between the two.
static Err push_page(Push *push, Arena *arena) {
    SCOPED(tx_closep) Tx *tx = NULL;
    TRY(tx_open(push->app->db, arena, id_str(&push->org), &tx));
    Query query = {.where = {WHERE(Device, fleet_id, IS, &push->event.subject)},
                   .cursor = push->cursor.len ? text_str(&push->cursor) : (Str){},
                   .limit = PUSH_PAGE};
    Fleet fleet;
    ApplicationList applications;
    Page page;
    TRY(fleet_expect(tx, &push->event.subject, &fleet));
    TRY(device_applications(tx, arena, &fleet, &applications));
    TRY(tx_list(tx, &Device_schema, &query, &page));
    TRY(tx_commit(tx, NULL));
    const Device *devices = page.items;
    for (size_t i = 0; i < page.count; i++)
        TRY(push_device(push->app, &devices[i], &fleet, &applications));
    text_clear(&push->cursor);
    text_add(&push->cursor, page.next);
    return text_check(&push->cursor);
}

static Err push_fleet(Push *push, Arena *arena) {
    do {
        arena_reset(arena);
        TRY(push_page(push, arena));
        push->race = (Race){};
    } while (push->cursor.len > 0);
    return SUCCESS;
}

/// Its fleet was read while the device was as it is pushed to.
static Err push_one(const Push *push, Arena *arena) {
    SCOPED(tx_closep) Tx *tx = NULL;
    TRY(tx_open(push->app->db, arena, id_str(&push->org), &tx));
    Device device;
    Fleet fleet;
    ApplicationList applications;
    TRY(device_get(tx, &push->event.subject, &device));
    TRY(device_fleet(tx, &device, &fleet));
    TRY(device_applications(tx, arena, &fleet, &applications));
    TRY(tx_expect(tx, &Device_schema, &device));
    TRY(tx_commit(tx, NULL));
    return push_device(push->app, &device, &fleet, &applications);
}

static void push_free(Push *push) {
    text_done(&push->cursor);
    free(push);
}

/// From where it is to the end; a lost race goes on after its pause.
static void push_run(void *arg) {
    Push *push = arg;
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, PUSH_ARENA_MAX);
    Err err =
        push->event.kind == EVENT_FLEET_DESIRED ? push_fleet(push, &arena) : push_one(push, &arena);
    uint32_t pause_ms = 0;
    if (race_again(&push->race, err, &pause_ms)
        && worker_submit_after(push->app->pushers, pause_ms, push_run, push).code == OK)
        return;
    if (err.code != OK)
        log_event(LOG_WARN,
                  "push.failed",
                  F("subject", id_str(&push->event.subject)),
                  F("what", err.what));
    push_free(push);
}

/// The device's channel, if there is one, is of a life that is over.
static void push_end(App *app, const Id *device_id, RefusalCode code, const char *detail) {
    uint64_t channel = presences_channel(app->presences, device_id);
    Refusal refusal = refusal_make(code, str_from(detail));
    if (channel) device_channel_refuse(app, channel, &refusal);
}

static void push_start(App *app, const Call *call, const CallEvent *event) {
    Push *push = malloc(sizeof(*push));
    if (!push) return;
    *push = (Push){.app = app, .org = call->principal.scope, .event = *event};
    text_init(&push->cursor, PUSH_CURSOR_MAX);
    if (worker_submit(app->pushers, push_run, push).code != OK) push_free(push);
}

void device_published(void *ctx, Call *call) {
    App *app = ctx;
    if (!app->gateway) return;
    for (size_t i = 0; i < call->event_count; i++) {
        const CallEvent *event = &call->events[i];
        switch ((AppEvent)event->kind) {
        case EVENT_DEVICE_RETIRED:
            push_end(app, &event->subject, REFUSED_DEVICE_RETIRED, "the device was retired");
            break;
        case EVENT_DEVICE_ENROLLED:
            push_end(app, &event->subject, REFUSED_EPOCH_OLD, "the device was enrolled anew");
            break;
        case EVENT_FLEET_DESIRED:
        case EVENT_DEVICE_DESIRED:
            push_start(app, call, event);
            break;
        case EVENT_ACCESS_REVOKED:
            break;
        }
    }
}
