// SPDX-License-Identifier: Apache-2.0
#include "agent/link/sync.h"

#include "base/scope.h"

#include <string.h>

void sync_init(Sync *sync, uint64_t held_version) {
    *sync = (Sync){.held_version = held_version, .heartbeat_ms = SYNC_HEARTBEAT_MS};
    arena_init(&sync->facts_part.arena, SYNC_ARENA_MAX);
    arena_init(&sync->reported_part.arena, SYNC_ARENA_MAX);
}

void sync_done(Sync *sync) {
    arena_done(&sync->facts_part.arena);
    arena_done(&sync->reported_part.arena);
}

/// Keep a copy of `record`, made through its JSON, which is also how it is compared.
static Err part_set(SyncPart *part, const Schema *schema, const void *record, void *kept) {
    SCOPED(text_done) Text json;
    text_init(&json, SYNC_MESSAGE_MAX);
    schema_encode(schema, record, ENCODE_STORED, &json);
    TRY(text_check(&json));
    if (part->is_known) {
        SCOPED(text_done) Text before;
        text_init(&before, SYNC_MESSAGE_MAX);
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
    return part_set(&sync->facts_part, &Facts_schema, facts, &sync->facts);
}

Err sync_reported(Sync *sync, const Reported *reported) {
    return part_set(&sync->reported_part, &Reported_schema, reported, &sync->reported);
}

static bool part_is_unsent(const SyncPart *part) {
    return part->is_known && !part->is_acked && part->sent_seq == 0;
}

bool sync_is_due(const Sync *sync) {
    return !sync->is_waiting
           && (part_is_unsent(&sync->facts_part) || part_is_unsent(&sync->reported_part));
}

/// What is reported: while a newer desired state is refused, that is what the server must hear.
static Reported reported_now(const Sync *sync) {
    Reported reported = sync->reported;
    if (sync->refused_version > sync->held_version) {
        reported.version = sync->refused_version;
        reported.release_id = sync->refused_release;
        reported.state = WORKLOAD_FAILED;
        reported.detail = str_from(sync->refused_why.text);
    }
    return reported;
}

void sync_up(Sync *sync, const Telemetry *telemetry, Text *out) {
    SyncUp up = {.seq = ++sync->seq, .desired_version = sync->held_version};
    if (part_is_unsent(&sync->facts_part)) {
        up.facts = sync->facts;
        sync->facts_part.sent_seq = up.seq;
    }
    if (part_is_unsent(&sync->reported_part)) {
        up.reported = reported_now(sync);
        sync->reported_part.sent_seq = up.seq;
    }
    if (telemetry) up.telemetry = *telemetry;
    sync->is_waiting = true;
    schema_encode(&SyncUp_schema, &up, ENCODE_REQUEST, out);
}

static void part_acked(SyncPart *part, uint64_t ack) {
    if (part->sent_seq > 0 && part->sent_seq <= ack) part->is_acked = true;
}

static void refuse(Sync *sync, const Desired *desired, Err why, const Reason *said) {
    if (sync->refused_version == desired->version) return; // it is sent with each answer
    sync->refused_version = desired->version;
    sync->refused_release = desired->release_id;
    reason_set(&sync->refused_why, "%s%s%s", why.what, said->text[0] ? ": " : "", said->text);
    sync->reported_part.is_known = true;
    sync->reported_part.is_acked = false;
    sync->reported_part.sent_seq = 0;
}

Err sync_down(Sync *sync, Str message, Arena *arena, SyncNews *ret_news) {
    SyncDown down;
    TRY(schema_read(&SyncDown_schema, message, DECODE_PEER, arena, &down, NULL));
    if (down.ack > sync->seq) return FAIL(ERR_INVALID, "the server acknowledges what was not sent");
    if (down.heartbeat.ms > 0) sync->heartbeat_ms = down.heartbeat.ms;
    part_acked(&sync->facts_part, down.ack);
    part_acked(&sync->reported_part, down.ack);
    if (down.ack == sync->seq) sync->is_waiting = false;
    SyncNews news = {.desired = down.desired};
    if (down.desired.version > sync->held_version) {
        Reason said = {};
        Err err = desired_check(&down.desired, arena, &news.manifest, &said);
        if (err.code == ERR_LIMIT || err.code == ERR_MEMORY) return err; // no fault of what came
        if (err.code != OK) refuse(sync, &down.desired, err, &said);
        news.is_newer = err.code == OK;
    }
    *ret_news = news;
    return SUCCESS;
}

void sync_held(Sync *sync, uint64_t version) {
    sync->held_version = version;
}

void sync_lost(Sync *sync) {
    sync->is_waiting = false;
    if (!sync->facts_part.is_acked) sync->facts_part.sent_seq = 0;
    if (!sync->reported_part.is_acked) sync->reported_part.sent_seq = 0;
}
