// SPDX-License-Identifier: Apache-2.0
#include "control/device/seen.h"

#include "base/scope.h"
#include "control/device/presences.h"
#include "db/journal.h"
#include "db/tx.h"

enum { LEFT_MAX = TX_NOTES_MAX, SEEN_ARENA_MAX = 1024 * 1024 };

Presence seen_presence(Time last_seen, uint64_t heartbeat_ms, uint64_t now_ms) {
    if (last_seen.ms == 0) return PRESENCE_NEVER;
    uint64_t silent_ms = now_ms > last_seen.ms ? now_ms - last_seen.ms : 0;
    if (silent_ms <= heartbeat_ms + heartbeat_ms / 2) return PRESENCE_ONLINE;
    return silent_ms <= 3 * heartbeat_ms ? PRESENCE_LATE : PRESENCE_OFFLINE;
}

Seen seen_of(const App *app, const DeviceStatus *status, const Node *node, uint64_t now_ms) {
    PresenceHere here = presences_here(app->presences, &status->device_id);
    if (here.channel) return (Seen){PRESENCE_ONLINE, {here.heard_ms}};
    const uint64_t heartbeat_ms = app->config.heartbeat.ms;
    Time at = status->last_seen_at;
    bool is_elsewhere = !id_is_absent(&status->node_id) && !id_eq(&status->node_id, &app->node);
    if (is_elsewhere && node->alive_at.ms > at.ms) at = node->alive_at;
    if (is_elsewhere && now_ms < app->started_ms + 3 * heartbeat_ms)
        return (Seen){PRESENCE_UNKNOWN, at};
    return (Seen){seen_presence(at, heartbeat_ms, now_ms), at};
}

static Err seen_note_one(Tx *tx,
                         Arena *arena,
                         const Device *device,
                         const char *action,
                         const char *detail,
                         uint64_t now_ms) {
    const Note note = {
        .org_id = device->org_id,
        .class = ENTRY_EVENT,
        .at = {now_ms},
        .actor = str_print(arena, "device/%.*s", STR_FMT(device->name)),
        .action = str_from(action),
        .subject = id_str(&device->id),
        .subject_name = device->name,
        .detail = {str_from(detail)},
    };
    TRY(arena_check(arena));
    return tx_note(tx, &note);
}

Err seen_note(Tx *tx,
              Arena *arena,
              const Device *device,
              const DeviceStatus *before,
              const DeviceStatus *after,
              uint64_t now_ms) {
    bool was_here = !id_is_absent(&before->node_id), is_here = !id_is_absent(&after->node_id);
    if (was_here != is_here) {
        const char *action = is_here ? "device.online" : "device.offline";
        TRY(seen_note_one(tx, arena, device, action, NULL, now_ms));
    }
    if (before->state == after->state) return SUCCESS;
    Str detail = str_print(arena,
                           "{\"state\":\"%s\",\"before\":\"%s\"}",
                           WorkloadState_names.items[after->state],
                           WorkloadState_names.items[before->state]);
    TRY(arena_check(arena));
    return seen_note_one(tx, arena, device, "device.state", detail.ptr, now_ms);
}

/// The status is without a channel since `at_ms`.
static Err
seen_left(Tx *tx, Arena *arena, const DeviceStatus *status, uint64_t at_ms, uint64_t now_ms) {
    Device device;
    Err err = device_get(tx, &status->device_id, &device);
    // What an operator has retired meanwhile leaves nothing behind.
    if (err.code == ERR_NOT_FOUND) return tx_delete(tx, &DeviceStatus_schema, status);
    TRY(err);
    TRY(tx_expect(tx, &Device_schema, &device));
    DeviceStatus left = *status;
    left.node_id = (Id){};
    if (at_ms > left.last_seen_at.ms) left.last_seen_at.ms = at_ms;
    TRY(seen_note(tx, arena, &device, status, &left, now_ms));
    return device_put_status(tx, &left);
}

Err seen_leave(const App *app, Tx *tx, Arena *arena, const Id *device_id, uint64_t heard_ms) {
    DeviceStatus status;
    Err err = tx_get(tx, &DeviceStatus_schema, id_str(device_id), &status);
    if (err.code == ERR_NOT_FOUND) return SUCCESS;
    TRY(err);
    // What is here again or elsewhere by now has not gone; its row was read after it was looked for
    // nowhere else, so one that comes beside this finds another row.
    bool is_back = presences_here(app->presences, device_id).channel != 0;
    if (is_back || !id_eq(&status.node_id, &app->node)) return SUCCESS;
    return seen_left(tx, arena, &status, heard_ms, clock_now_ms(&app->clock));
}

/// This process said nothing for so long (the machine slept, say) that others may have taken it for
/// dead: what its devices' rows say is looked at again.
static Err seen_return(const App *app, Tx *tx, uint64_t now_ms) {
    Node self;
    Err err = tx_get(tx, &Node_schema, id_str(&app->node), &self);
    bool is_lost = err.code == ERR_NOT_FOUND;
    if (!is_lost) TRY(err);
    if (is_lost || self.alive_at.ms + NODE_SILENT_MS / 2 < now_ms) presences_news(app->presences);
    return node_alive(app, tx, now_ms);
}

Err seen_tidy(App *app, Tx *tx, uint64_t now_ms, bool *ret_more) {
    TRY(seen_return(app, tx, now_ms));
    Node dead;
    Err err = node_find_dead(app, tx, now_ms, NODE_SILENT_MS, &dead);
    if (err.code == ERR_NOT_FOUND) return SUCCESS;
    TRY(err);
    Query query = {.where = {WHERE(DeviceStatus, node_id, IS, &dead.id)}, .limit = LEFT_MAX};
    Page page;
    TRY(tx_list(tx, &DeviceStatus_schema, &query, &page));
    const DeviceStatus *statuses = page.items;
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, SEEN_ARENA_MAX);
    for (size_t i = 0; i < page.count; i++)
        TRY(seen_left(tx, &arena, &statuses[i], dead.alive_at.ms, now_ms));
    *ret_more = page.count > 0;
    return page.count > 0 ? SUCCESS : node_forget(tx, &dead);
}
