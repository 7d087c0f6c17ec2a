// SPDX-License-Identifier: Apache-2.0
// Reading the journal. Each call reads a bounded part: who wants to prove the whole of it walks
// along it by many calls (cli/audit.c), and slows nobody else down.
#include "base/log.h"
#include "control/access.h"
#include "control/audit/audit.h"
#include "control/call.h"

enum {
    EXPORT_CHUNK = 32, ///< rows read at once
    EXPORT_BYTES_MAX = 1024 * 1024,
};

static Err audit_list(Call *call) {
    const PageQuery *given = call->query;
    Query query = {.where = {WHERE(JournalRow, class, IS, ENTRY_AUDIT)},
                   .cursor = given->after,
                   .descending = given->descending,
                   .limit = (size_t)given->limit};
    Page page;
    Err err = tx_list(call->tx, &JournalRow_schema, &query, &page);
    if (err.code == ERR_INVALID)
        return call_refuse(call, S("/after"), "must be `next` of a page of this list");
    TRY(err);
    const JournalRow *rows = page.items;
    JournalEntry *entries = ARENA_ARRAY(call->arena, JournalEntry, page.count + 1);
    TRY(arena_check(call->arena));
    for (size_t i = 0; i < page.count; i++) {
        err = entry_decode(rows[i].entry, rows[i].hash, call->arena, &entries[i]);
        if (err.code == ERR_INVALID) return FAIL(ERR_SYSTEM, "an entry of the journal is damaged");
        TRY(err);
    }
    return call_reply_list(call, entries, page.count, page.next);
}

/// Some of the lines behind the entry `*number`, which moves on.
static Err audit_export_chunk(
    Call *call, size_t limit, uint64_t *number, JournalLine *lines, size_t *ret_count) {
    const JournalRow *rows;
    size_t count;
    TRY(journal_read(call->tx, call->arena, &call->principal.scope, *number, limit, &rows, &count));
    for (size_t i = 0; i < count; i++)
        lines[i] =
            (JournalLine){rows[i].number, rows[i].class, rows[i].at, rows[i].entry, rows[i].hash};
    if (count > 0) *number = rows[count - 1].number;
    *ret_count = count;
    return SUCCESS;
}

static Err audit_export(Call *call) {
    const ExportQuery *given = call->query;
    JournalLine *lines = ARENA_ARRAY(call->arena, JournalLine, given->limit);
    TRY(arena_check(call->arena));
    uint64_t number = given->after;
    size_t count = 0, bytes = 0;
    bool more = true;
    while (more && count < given->limit && bytes < EXPORT_BYTES_MAX) {
        size_t left = given->limit - count;
        size_t limit = left < EXPORT_CHUNK ? left : EXPORT_CHUNK;
        size_t got;
        TRY(audit_export_chunk(call, limit, &number, lines + count, &got));
        for (size_t i = 0; i < got; i++)
            bytes += lines[count + i].entry.len;
        count += got;
        more = got == limit;
    }
    Str next = more ? str_print(call->arena, "%llu", (unsigned long long)number) : (Str){};
    return call_reply_list(call, lines, count, next);
}

static Err audit_checkpoint(Call *call) {
    JournalHead head;
    Err err = tx_get(call->tx, &JournalHead_schema, id_str(&call->principal.scope), &head);
    if (err.code == ERR_NOT_FOUND) return FAIL(ERR_NOT_FOUND, "the journal has no entry yet");
    TRY(err);
    return call_reply(call, &(SignedCheckpoint){head.checkpoint});
}

/// The journal has batches of its own.
static Err audit_tidy(App *app, Tx *, uint64_t now_ms, bool *ret_more) {
    const Config *config = &app->config;
    const JournalKeep keep = {config->audit_keep.ms, config->events_keep.ms};
    uint64_t removed = 0;
    *ret_more = false;
    TRY(journal_trim(app->db, &app->key, &keep, now_ms, &removed));
    if (removed) log_event(LOG_INFO, "journal.trimmed", F("entries", removed));
    return SUCCESS;
}

static const Route routes[] = {
    {&Audit_list,       MAY_READ, audit_list,       NULL, POOL_OPERATORS},
    {&Audit_export,     MAY_READ, audit_export,     NULL, POOL_LONG     },
    {&Audit_checkpoint, MAY_READ, audit_checkpoint, NULL, POOL_OPERATORS},
};
static const Schema *const stored[] = {
    &Note_schema, &JournalRow_schema, &JournalHead_schema, &Lease_schema};
const Slice audit_slice = {
    .noun = "audit",
    .routes = ROUTE_TABLE(routes),
    SLICE_STORED(stored),
    .tidy = audit_tidy,
};
