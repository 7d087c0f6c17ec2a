// SPDX-License-Identifier: Apache-2.0
#include "agent/link/sync.h"

#include "base/scope.h"

#include <string.h>

enum { SYNC_ARENA_MAX = 4 * 1024 * 1024, SYNC_PART_MAX = 2 * 1024 * 1024 };

void sync_init(Sync *sync, uint64_t generation, Notes *notes) {
    *sync = (Sync){.heartbeat_ms = SYNC_HEARTBEAT_MS, .notes = notes};
    sync_held(sync, generation);
    arena_init(&sync->facts_part.arena, SYNC_ARENA_MAX);
    arena_init(&sync->reported_part.arena, SYNC_ARENA_MAX);
}

void sync_done(Sync *sync) {
    arena_done(&sync->facts_part.arena);
    arena_done(&sync->reported_part.arena);
}

/// Keep a copy of `record`, made through its JSON, which is also how it is compared.
static Err sync_part_set(SyncPart *part, const Schema *schema, const void *record, void *kept) {
    SCOPED(text_done) Text json;
    text_init(&json, SYNC_PART_MAX);
    schema_encode(schema, record, ENCODE_STORED, &json);
    TRY(text_check(&json));
    if (part->is_known) {
        SCOPED(text_done) Text before;
        text_init(&before, SYNC_PART_MAX);
        schema_encode(schema, kept, ENCODE_STORED, &before);
        if (str_eq(text_str(&before), text_str(&json))) return SUCCESS;
    }
    Arena arena;
    arena_init(&arena, SYNC_ARENA_MAX);
    Err err = schema_read(schema, text_str(&json), DECODE_STORED, &arena, kept, NULL);
    if (err.code != OK) {
        arena_done(&arena);
        part->is_known = false;
        return err;
    }
    arena_done(&part->arena);
    *part = (SyncPart){.arena = arena, .is_known = true};
    return SUCCESS;
}

Err sync_facts(Sync *sync, const Facts *facts) {
    return sync_part_set(&sync->facts_part, &Facts_schema, facts, &sync->facts);
}

Err sync_reported(Sync *sync, const Reported *reported) {
    return sync_part_set(&sync->reported_part, &Reported_schema, reported, &sync->reported);
}

static void sync_part_change(SyncPart *part) {
    part->is_known = true;
    part->is_acked = false;
    part->sent_seq = 0;
}

static bool sync_part_is_unsent(const SyncPart *part) {
    return part->is_known && !part->is_acked && part->sent_seq == 0;
}

/// A new note makes the account a new one.
static void sync_notes_look(Sync *sync) {
    if (!sync->notes || sync->notes->count == sync->notes_told) return;
    sync->notes_told = sync->notes->count;
    sync_part_change(&sync->reported_part);
}

bool sync_is_due(Sync *sync) {
    sync_notes_look(sync);
    return !sync->is_waiting
           && (sync_part_is_unsent(&sync->facts_part) || sync_part_is_unsent(&sync->reported_part));
}

/// The account with the device's notes behind those of its workload; `lines` has room for all.
static Reported sync_reported_now(const Sync *sync, Str lines[NOTES_MAX]) {
    Reported reported = sync->reported;
    size_t count = 0;
    for (size_t i = 0; i < reported.notes.count && count < NOTES_MAX; i++)
        lines[count++] = reported.notes.items[i];
    for (size_t i = 0; sync->notes && i < sync->notes->count && count < NOTES_MAX; i++)
        lines[count++] = str_from(sync->notes->lines[i].text);
    reported.notes = count ? (StrList){lines, count} : (StrList){};
    return reported;
}

/// Leave out services, from the last application to the first, until the message fits.
static void sync_up_encode(SyncUp *up, Text *out) {
    size_t max = up->hello.proof.ptr ? SYNC_FIRST_MAX : SYNC_UP_MAX;
    ApplicationReport reports[APPLICATION_REPORTS_MAX];
    ApplicationReportList *list = &up->reported.applications;
    if (list->count) memcpy(reports, list->items, list->count * sizeof(reports[0]));
    list->items = list->count ? reports : NULL;
    for (size_t kept = list->count;; kept--) {
        schema_encode(&SyncUp_schema, up, ENCODE_REQUEST, out);
        if ((out->len <= max && !out->failed) || up->hello.proof.ptr || kept == 0) return;
        list->items[kept - 1].services.count = 0;
        list->items[kept - 1].services.items = NULL;
        text_clear(out);
    }
}

void sync_up(Sync *sync, const SyncSaid *said, Text *out) {
    sync_notes_look(sync);
    SyncUp least = {.seq = ++sync->seq, .generation = sync->generation};
    if (said->hello) least.hello = *said->hello;
    if (said->stamp) least.stamp = *said->stamp;
    SyncUp up = least;
    Str lines[NOTES_MAX];
    bool has_facts = sync_part_is_unsent(&sync->facts_part);
    bool has_reported = sync_part_is_unsent(&sync->reported_part);
    if (has_facts) up.facts = sync->facts;
    if (has_reported) up.reported = sync_reported_now(sync, lines);
    up.facts.is_present = has_facts;
    up.reported.is_present = has_reported;
    if (said->telemetry) up.telemetry = *said->telemetry;
    sync->is_waiting = true;
    sync_up_encode(&up, out);
    if (said->hello && (out->failed || out->len > SYNC_FIRST_MAX)) {
        text_clear(out);
        schema_encode(&SyncUp_schema, &least, ENCODE_REQUEST, out);
        return;
    }
    if (has_facts) sync->facts_part.sent_seq = up.seq;
    if (has_reported) sync->reported_part.sent_seq = up.seq;
}

static void sync_part_acked(SyncPart *part, uint64_t ack) {
    if (part->sent_seq > 0 && part->sent_seq <= ack) part->is_acked = true;
}

Err sync_down(Sync *sync, const SyncDown *down, bool *ret_is_newer) {
    if (down->ack > sync->seq)
        return FAIL(ERR_INVALID, "the server acknowledges what was not sent");
    if (down->heartbeat.ms > 0) sync->heartbeat_ms = down->heartbeat.ms;
    if (sync->heartbeat_ms < SYNC_HEARTBEAT_MIN_MS) sync->heartbeat_ms = SYNC_HEARTBEAT_MIN_MS;
    sync_part_acked(&sync->facts_part, down->ack);
    sync_part_acked(&sync->reported_part, down->ack);
    if (down->ack == sync->seq) sync->is_waiting = false;
    *ret_is_newer = false;
    if (down->desired.generation <= sync->floor) return SUCCESS;
    Reason reason = {};
    *ret_is_newer = desired_check(&down->desired, &reason).code == OK;
    if (!*ret_is_newer && sync->notes)
        notes_add(sync->notes,
                  "the desired state of generation %llu is not acted on: %s",
                  (unsigned long long)down->desired.generation,
                  reason.text);
    return SUCCESS;
}

void sync_held(Sync *sync, uint64_t generation) {
    sync->generation = generation;
    sync->floor = generation;
}

void sync_ask_again(Sync *sync) {
    if (sync->floor > 0) sync->floor--;
    sync->generation = 0;
}

void sync_lost(Sync *sync) {
    sync->seq = 0;
    sync->is_waiting = false;
    if (!sync->facts_part.is_acked) sync->facts_part.sent_seq = 0;
    if (!sync->reported_part.is_acked) sync->reported_part.sent_seq = 0;
}

void sync_tell_all(Sync *sync) {
    SyncPart *parts[] = {&sync->facts_part, &sync->reported_part};
    for (size_t i = 0; i < 2; i++) {
        parts[i]->is_acked = false;
        parts[i]->sent_seq = 0;
    }
}
