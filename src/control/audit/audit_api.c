// SPDX-License-Identifier: Apache-2.0
#include "control/access.h"
#include "control/audit/audit.h"
#include "control/call.h"

/// Check one page of the chain behind `verdict`, and move the cursor on; absent: that was the end.
static Err audit_verify_page(Call *call, Arena *arena, AuditVerdict *verdict, Str *cursor) {
    Query query = {.cursor = *cursor, .limit = TX_PAGE_MAX};
    Tx *tx;
    TRY(tx_open(app_of(call)->db, arena, id_str(&call->principal.scope), &tx));
    Page page;
    Err err = tx_list(tx, &AuditEntry_schema, &query, &page);
    tx_close(tx);
    TRY(err);
    const AuditEntry *entries = page.items;
    for (size_t i = 0; i < page.count && verdict->intact; i++) {
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
    *cursor = verdict->intact ? str_dup(call->arena, page.next) : (Str){};
    verdict->head = str_dup(call->arena, verdict->head);
    return arena_check(call->arena);
}

static Err audit_verify(Call *call) {
    AuditVerdict verdict = {.intact = true};
    Arena page; // each page's rows go away with it, however long the chain is
    arena_init(&page, CALL_ARENA_MAX);
    Str cursor = {};
    Err err = SUCCESS;
    do {
        err = audit_verify_page(call, &page, &verdict, &cursor);
        arena_reset(&page);
    } while (cursor.ptr && err.code == OK);
    arena_done(&page);
    TRY(err);
    return call_reply(call, &verdict);
}

static const Route routes[] = {
    {&Audit_list,   MAY_READ, call_list,    NULL, POOL_OPERATORS},
    {&Audit_verify, MAY_READ, audit_verify, NULL, POOL_LONG     },
};
static const Schema *const stored[] = {&AuditEntry_schema};
const Slice audit_slice = {.noun = "audit", .routes = ROUTE_TABLE(routes), SLICE_STORED(stored)};
