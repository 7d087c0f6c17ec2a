// SPDX-License-Identifier: Apache-2.0
#include "control/access.h"
#include "control/audit/audit.h"
#include "control/operator/operator.h"
#include "control/operator/session_api.h"
#include "control/page.h"

static Err operator_list(Call *call) {
    const PageQuery *page = call->query;
    Query query = page_query(page);
    Operator *operators;
    size_t count;
    TRY(tx_list(call->tx, &Operator_schema, &query, (void **)&operators, &count));
    Str next = count ? page_next(page, count, &operators[count - 1].id) : (Str){};
    return call_reply_list(call, operators, count, next);
}

static Err operator_load(Call *call, Operator *ret_operator) {
    return tx_get(call->tx, &Operator_schema, call_arg(call, S("operator_id")), ret_operator);
}

static Err operator_show(Call *call) {
    Operator operator;
    TRY(operator_load(call, &operator));
    return call_reply(call, &operator);
}

static Err operator_create(Call *call) {
    Operator operator= *(const Operator *) call->in;
    operator.id = id_new(S("operator"), call->now_ms);
    operator.org_id = call->principal.scope;
    operator.rev = 1;
    operator.created_at.ms = call->now_ms;
    TRY(password_hash(operator.password, call->arena, &operator.password_hash));
    TRY(tx_create(call->tx, &Operator_schema, &operator));
    TRY(audit_record(call, "operator.create", id_str(&operator.id), &Operator_schema, &operator));
    return call_reply(call, &operator);
}

static Err operator_change(Call *call) {
    Operator operator;
    TRY(operator_load(call, &operator));
    operator.password =(Str){};
    Role before = operator.role;
    TRY(call_patch(call, &Operator_schema, &operator));
    if (id_eq(&operator.id, &call->principal.subject) && operator.role != before)
        return call_refuse(call, S("/role"), "must be changed by another owner");
    if (operator.password.ptr) {
        TRY(password_hash(operator.password, call->arena, &operator.password_hash));
        TRY(session_end_all(call, &operator.id));
    }
    TRY(tx_update(call->tx, &Operator_schema, &operator));
    TRY(audit_record(call, "operator.change", id_str(&operator.id), &Operator_schema, &operator));
    operator.rev++;
    return call_reply(call, &operator);
}

static Err operator_delete(Call *call) {
    Operator operator;
    TRY(operator_load(call, &operator));
    if (id_eq(&operator.id, &call->principal.subject))
        return FAIL(ERR_STATE, "an operator cannot remove itself");
    TRY(session_end_all(call, &operator.id));
    TRY(tx_delete(call->tx, &Operator_schema, &operator));
    return audit_record(call, "operator.delete", id_str(&operator.id), NULL, NULL);
}

static const Route routes[] = {
    {.method = POST,
     .path = "/v1/login",
     .in = &LoginInput_schema,
     .out = &LoginReply_schema,
     .id = "session_login",
     .doc = "Sign in with a password",
     .handler = session_login                     },
    {.method = POST,
     .path = "/v1/refresh",
     .in = &RefreshInput_schema,
     .out = &LoginReply_schema,
     .id = "session_refresh",
     .doc = "Trade the refresh token for the next one and a new access token",
     .handler = session_refresh                   },
    {.method = POST,
     .path = "/v1/logout",
     .access = MAY_READ,
     .shape = REPLY_NONE,
     .id = "session_logout",
     .doc = "End the caller's sessions",
     .handler = session_logout                    },
    {.method = GET,
     .path = "/v1/operators",
     .access = MAY_READ,
     .query = &PageQuery_schema,
     .out = &Operator_schema,
     .shape = REPLY_LIST,
     .id = "operator_list",
     .doc = "The operators of the organisation",
     .handler = operator_list},
    {.method = POST,
     .path = "/v1/operators",
     .access = MAY_OWN,
     .in = &Operator_schema,
     .out = &Operator_schema,
     .status = 201,
     .id = "operator_create",
     .doc = "Add an operator",
     .handler = operator_create},
    {.method = GET,
     .path = "/v1/operators/{operator_id}",
     .access = MAY_READ,
     .out = &Operator_schema,
     .id = "operator_show",
     .doc = "One operator",
     .handler = operator_show                           },
    {.method = PATCH,
     .path = "/v1/operators/{operator_id}",
     .access = MAY_OWN,
     .in = &Operator_schema,
     .patch = true,
     .out = &Operator_schema,
     .id = "operator_change",
     .doc = "Change an operator's role or password",
     .handler = operator_change},
    {.method = DELETE,
     .path = "/v1/operators/{operator_id}",
     .access = MAY_OWN,
     .shape = REPLY_NONE,
     .id = "operator_delete",
     .doc = "Remove an operator and end its sessions",
     .handler = operator_delete},
};
const RouteTable operator_routes = ROUTE_TABLE(routes);
