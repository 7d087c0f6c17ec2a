// SPDX-License-Identifier: Apache-2.0
#include "control/access.h"
#include "control/access_cache.h"
#include "control/call.h"
#include "control/operator/login_gate.h"
#include "control/operator/operator.h"
#include "control/operator/session_api.h"
#include "control/org/org.h"

/// Of an operator that is made, changed or removed: the organisation keeps an owner.
static Err operator_count(Call *call, const Operator *before, const Operator *after) {
    int by = (after && after->role == ROLE_OWNER) - (before && before->role == ROLE_OWNER);
    return by ? org_count_owner(call->tx, &call->principal.scope, by) : SUCCESS;
}

/// Whoever changes another operator is an owner still when this is committed: of two owners who
/// take each other's role away at once, one is left.
static Err operator_expect_owner(Call *call) {
    Operator caller;
    Err err = tx_get(call->tx, &Operator_schema, id_str(&call->principal.subject), &caller);
    if (err.code == ERR_NOT_FOUND || (err.code == OK && caller.role != ROLE_OWNER))
        return FAIL(ERR_FORBIDDEN, "you are no owner any more");
    TRY(err);
    return tx_expect(call->tx, &Operator_schema, &caller);
}

static Err operator_save(Call *call, const void *before, void *record) {
    const Operator *old = before;
    Operator *new = record;
    if (old && id_eq(&new->id, &call->principal.subject) && new->role != old->role)
        return call_refuse(call, S("/role"), "must be changed by another owner");
    if (old && !id_eq(&new->id, &call->principal.subject)) TRY(operator_expect_owner(call));
    TRY(operator_count(call, old, new));
    if (!new->password.ptr) return SUCCESS;
    if (old) TRY(session_end_all(call, &new->id));
    return password_hash(new->password, call->arena, &new->password_hash);
}

static Err operator_drop(Call *call, const void *record) {
    const Operator *old = record;
    if (id_eq(&old->id, &call->principal.subject))
        return FAIL(ERR_STATE, "an operator cannot remove itself");
    TRY(operator_expect_owner(call));
    TRY(operator_count(call, old, NULL));
    return session_end_all(call, &old->id);
}

static const Rules rules = {.save = operator_save, .drop = operator_drop};

static const Route routes[] = {
    {&Session_login, 0,  session_login,        NULL,            POOL_LOGINS},
    {&Session_refresh,              0, session_refresh,       NULL      },
    {&Session_logout,              MAY_READ,  session_logout, NULL},
    {&Operator_list,              MAY_READ,   call_list,  &rules           },
    {&Operator_create,              MAY_OWN, call_create, &rules},
    {&Operator_show,              MAY_READ,   call_show,  &rules            },
    {&Operator_update,              MAY_OWN, call_update, &rules},
    {&Operator_delete,              MAY_OWN, call_delete, &rules            },
};
static const Schema *const stored[] = {&Operator_schema, &Session_schema};

/// What ends sessions or changes an operator, or may have: its tokens are looked up anew.
static void operator_noted(App *app, const Note *note, bool) {
    static const Endpoint *const revoking[] = {&Session_logout, &Operator_update, &Operator_delete};
    Id id;
    for (size_t i = 0; i < sizeof(revoking) / sizeof(revoking[0]); i++)
        if (slice_note_is(note, revoking[i])
            && id_parse(note->subject, S("operator"), &id).code == OK)
            access_cache_revoke(app->access_cache, &id);
}

static Err operator_open(App *app) {
    return login_gate_open(&app->login_gate);
}

static void operator_close(App *app) {
    app->login_gate = login_gate_close(app->login_gate);
}

const Slice operator_slice = {
    .noun = "operator",
    .routes = ROUTE_TABLE(routes),
    SLICE_STORED(stored),
    .open = operator_open,
    .close = operator_close,
    .tidy = session_tidy,
    .noted = operator_noted,
};
