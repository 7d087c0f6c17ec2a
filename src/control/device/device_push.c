// SPDX-License-Identifier: Apache-2.0
/// A push only hastens: a device that misses it is told at its next sync.
#include "control/device/device_push.h"

#include "api/agent.h"
#include "api/device.h"
#include "api/fleet.h"
#include "base/log.h"
#include "base/scope.h"
#include "control/device/device.h"
#include "control/device/exchange.h"
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
    Id subject;
    bool is_fleet; ///< the subject is one
    Race race;     ///< of the page, or the device
    Text cursor;   ///< a fleet's devices up to here know; empty: none does
} Push;

/// Send a device that is here what it should run now, `applications` of its fleet, and whether it
/// is to have a new key; what it holds already it is not sent again.
static Err push_device(App *app,
                       const Device *device,
                       const Fleet *fleet,
                       const ApplicationList *applications) {
    PresenceHere here = presences_here(app->presences, &device->id);
    uint64_t generation = device_generation(device, fleet);
    bool is_newer = generation > here.held;
    if (here.channel == 0) return SUCCESS; // it will hear of it when it comes
    if (!is_newer && !device->rotate_key) return SUCCESS;
    SyncDown down = {
        .now = {clock_now_ms(&app->clock)},
        .heartbeat = app->config.heartbeat,
        .rotate_key = device->rotate_key,
    };
    if (is_newer) down.desired = (Desired){generation, *applications, {}};
    SCOPED(text_done) Text text;
    text_init(&text, SYNC_DOWN_MAX);
    schema_encode(&SyncDown_schema, &down, ENCODE_REPLY, &text);
    TRY(text_check(&text));
    gateway_send(app->gateway, here.channel, text_str(&text));
    return SUCCESS;
}

/// One page of the fleet's devices behind the cursor, which moves on: at the end it is empty.
///
/// Reads are not of one moment: what the fleet runs and the generation of a device that has just
/// come there go together only if the fleet did not change between the two.
static Err push_page(Push *push, Arena *arena) {
    SCOPED(tx_closep) Tx *tx = NULL;
    TRY(tx_open(push->app->db, arena, id_str(&push->org), &tx));
    Query query = {.where = {WHERE(Device, fleet_id, IS, &push->subject)},
                   .cursor = push->cursor.len ? text_str(&push->cursor) : (Str){},
                   .limit = PUSH_PAGE};
    Fleet fleet;
    ApplicationList applications;
    Page page;
    TRY(fleet_expect(tx, &push->subject, &fleet));
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
    TRY(device_get(tx, &push->subject, &device));
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
    Err err = push->is_fleet ? push_fleet(push, &arena) : push_one(push, &arena);
    uint32_t pause_ms = 0;
    if (race_again(&push->race, err, &pause_ms)
        && worker_submit_after(push->app->pushers, pause_ms, push_run, push).code == OK)
        return;
    if (err.code != OK && err.code != ERR_NOT_FOUND) // what is gone has nothing to tell
        log_event(
            LOG_WARN, "push.failed", F("subject", id_str(&push->subject)), F("what", err.what));
    push_free(push);
}

/// The device's channel, if there is one, is of a life that is over.
static void push_end(App *app, const Note *note, RefusalCode code, const char *detail) {
    Id device_id;
    if (id_parse(note->subject, S("device"), &device_id).code != OK) return;
    uint64_t channel = presences_here(app->presences, &device_id).channel;
    Refusal refusal = refusal_make(code, str_from(detail));
    if (channel) exchange_refuse(app, channel, &refusal);
}

static void push_start(App *app, const Note *note, bool is_fleet) {
    Push *push = malloc(sizeof(*push));
    if (!push) return;
    *push = (Push){.app = app, .org = note->org_id, .is_fleet = is_fleet};
    text_init(&push->cursor, PUSH_CURSOR_MAX);
    const char *noun = is_fleet ? "fleet" : "device";
    bool starts = id_parse(note->subject, str_from(noun), &push->subject).code == OK
                  && worker_submit(app->pushers, push_run, push).code == OK;
    if (!starts) push_free(push);
}

/// A fleet's desired state is newer.
static void push_on_fleet(App *app, const Note *note) {
    push_start(app, note, true);
}

/// One device's may be, or it is asked for a new key. What it did itself it knows.
static void push_on_device(App *app, const Note *note) {
    if (!str_starts(note->actor, S("device/"))) push_start(app, note, false);
}

static void push_on_retired(App *app, const Note *note) {
    push_end(app, note, REFUSED_DEVICE_RETIRED, "the device was retired");
}

/// It joined anew: the channel of its former life ends.
static void push_on_enrolled(App *app, const Note *note) {
    push_end(app, note, REFUSED_EPOCH_OLD, "the device was enrolled anew");
}

/// What a note means for those who are here: by its endpoint, else by its noun, so that an endpoint
/// of tomorrow reaches them, too.
static const struct {
    const Endpoint *endpoint; ///< NULL: whatever else is done to the noun
    const char *noun;
    void (*act)(App *app, const Note *note);
    bool is_news; ///< for one of them, to be told with the next message at the latest
} pushes[] = {
    {&Device_delete, NULL,     push_on_retired,  true },
    {&Agent_enrol,   NULL,     push_on_enrolled, false},
    {NULL,           "fleet",  push_on_fleet,    true },
    {NULL,           "device", push_on_device,   true },
};

static bool push_is_about(const Note *note, size_t row) {
    if (pushes[row].endpoint) return slice_note_is(note, pushes[row].endpoint);
    Str noun = str_slice(note->action, 0, str_index(note->action, '.', 0));
    return note->class == ENTRY_AUDIT && str_eq(noun, str_from(pushes[row].noun));
}

void device_noted(App *app, const Note *note, bool is_sure) {
    for (size_t i = 0; i < sizeof(pushes) / sizeof(pushes[0]); i++) {
        if (!push_is_about(note, i)) continue;
        if (pushes[i].is_news) presences_news(app->presences);
        // No device is told that it is retired while it may not be.
        if (app->gateway && is_sure) pushes[i].act(app, note);
        return;
    }
}
