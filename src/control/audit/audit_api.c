// SPDX-License-Identifier: Apache-2.0
#include "control/access.h"
#include "control/audit/audit.h"
#include "control/call.h"

/// The cursor is the seq; the key is the organisation's id and the seq.
static Str audit_key(const Call *call, Arena *arena, uint64_t seq) {
    return str_print(arena, "%s/%012llu", call->principal.scope.text, (unsigned long long)seq);
}

static Err audit_list(Call *call) {
    Query query;
    TRY(call_query(call, &query));
    uint64_t after = 0; // what is no number is before every entry
    if (query.after.ptr && str_u64(query.after, &after).code != OK) after = 0;
    if (query.after.ptr) query.after = audit_key(call, call->arena, after);
    AuditEntry *entries;
    size_t count;
    TRY(tx_list(call->tx, &AuditEntry_schema, &query, (void **)&entries, &count));
    Str next = {};
    if (count == query.limit)
        next = str_print(call->arena, "%llu", (unsigned long long)entries[count - 1].seq);
    return call_reply_list(call, entries, count, next);
}

/// Check one page of the chain behind `verdict`; `*ret_more` says whether there may be another.
static Err audit_verify_page(Call *call, Arena *arena, AuditVerdict *verdict, bool *ret_more) {
    Query query = {.limit = TX_PAGE_MAX};
    query.after = audit_key(call, arena, verdict->entries);
    Tx *tx;
    TRY(tx_open(app_of(call)->db, arena, id_str(&call->principal.scope), &tx));
    AuditEntry *entries;
    size_t count;
    Err err = tx_list(tx, &AuditEntry_schema, &query, (void **)&entries, &count);
    tx_close(tx);
    TRY(err);
    for (size_t i = 0; i < count && verdict->intact; i++) {
        err = audit_entry_check(&entries[i], verdict->entries, verdict->head, arena);
        if (err.code != OK && err.code != ERR_STATE) return err;
        verdict->intact = err.code == OK;
        if (!verdict->intact) {
            verdict->broken_seq = verdict->entries + 1;
            break;
        }
        verdict->entries++;
        verdict->head = entries[i].hash;
    }
    *ret_more = verdict->intact && count == TX_PAGE_MAX;
    verdict->head = str_dup(call->arena, verdict->head);
    return arena_check(call->arena);
}

static Err audit_verify(Call *call) {
    AuditVerdict verdict = {.intact = true};
    Arena page; // each page's rows go away with it, however long the chain is
    arena_init(&page, CALL_ARENA_MAX);
    Err err = SUCCESS;
    for (bool more = true; more && err.code == OK;) {
        err = audit_verify_page(call, &page, &verdict, &more);
        arena_reset(&page);
    }
    arena_done(&page);
    TRY(err);
    return call_reply(call, &verdict);
}

static const Route routes[] = {
    {&Audit_list,   MAY_READ, audit_list  },
    {&Audit_verify, MAY_READ, audit_verify},
};
static const Schema *const stored[] = {&AuditEntry_schema};
const Slice audit_slice = {.noun = "audit", .routes = ROUTE_TABLE(routes), SLICE_STORED(stored)};
