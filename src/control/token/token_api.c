// SPDX-License-Identifier: Apache-2.0
#include "control/access.h"
#include "control/audit/audit.h"
#include "control/page.h"
#include "control/token/token.h"

enum { SECRET_BYTES = 24 };

typedef struct TokenQuery {
    PageQuery page;
    Id fleet_id;
} TokenQuery;

static const Field TokenQuery_fields[] = {
    PAGE_FIELDS(TokenQuery),
    FIELD(TokenQuery, fleet_id, 0, "only tokens of this fleet", .prefix = "fleet"),
};
static const Schema TokenQuery_schema = SCHEMA(TokenQuery, "token_query", "which tokens");

static Err token_list(Call *call) {
    const TokenQuery *wanted = call->query;
    Query query = page_query(&wanted->page);
    if (!id_is_absent(&wanted->fleet_id))
        page_where(&query, WHERE_STR("fleet_id", id_str(&wanted->fleet_id)));
    Token *tokens;
    size_t count;
    TRY(tx_list(call->tx, &Token_schema, &query, (void **)&tokens, &count));
    Str next = count ? page_next(&wanted->page, count, &tokens[count - 1].id) : (Str){};
    return call_reply_list(call, tokens, count, next);
}

static Err token_show(Call *call) {
    Token token;
    TRY(tx_get(call->tx, &Token_schema, call_arg(call, S("token_id")), &token));
    return call_reply(call, &token);
}

static Err token_create(Call *call) {
    Token token = *(const Token *)call->in;
    Fleet fleet;
    Err err = tx_get(call->tx, &Fleet_schema, id_str(&token.fleet_id), &fleet);
    if (err.code == ERR_NOT_FOUND)
        return call_refuse(call, S("/fleet_id"), "must be a fleet of this organisation");
    TRY(err);
    TRY(tx_update(call->tx, &Fleet_schema, &fleet)); // so that it is not deleted meanwhile
    TokenText text = {.secret = secret_make(call->arena, SECRET_BYTES),
                      .ca_fingerprint = app_of(call)->ca_fingerprint};
    token.id = id_new(S("token"), call->now_ms);
    token.org_id = call->principal.scope;
    token.rev = 1;
    token.expires_at.ms = call->now_ms + token.ttl.ms;
    token.secret_sha256 = sha256_hex(call->arena, text.secret);
    token.created_at.ms = call->now_ms;
    TRY(arena_check(call->arena));
    TRY(tx_create(call->tx, &Token_schema, &token));
    TRY(audit_record(call, "token.create", id_str(&token.id), &Token_schema, &token));
    token.token = token_text_make(&text, call->arena); // in the reply only, not in the audit
    return call_reply(call, &token);
}

static Err token_delete(Call *call) {
    Token token;
    TRY(tx_get(call->tx, &Token_schema, call_arg(call, S("token_id")), &token));
    TRY(tx_delete(call->tx, &Token_schema, &token));
    return audit_record(call, "token.delete", id_str(&token.id), NULL, NULL);
}

static const Route routes[] = {
    {.method = GET,
     .path = "/v1/tokens",
     .access = MAY_OPERATE,
     .query = &TokenQuery_schema,
     .out = &Token_schema,
     .shape = REPLY_LIST,
     .id = "token_list",
     .doc = "Enrolment tokens, without their secrets",
     .handler = token_list},
    {.method = POST,
     .path = "/v1/tokens",
     .access = MAY_OPERATE,
     .in = &Token_schema,
     .out = &Token_schema,
     .status = 201,
     .id = "token_create",
     .doc = "Make an enrolment token; the answer is the only time its text is shown",
     .handler = token_create},
    {.method = GET,
     .path = "/v1/tokens/{token_id}",
     .access = MAY_OPERATE,
     .out = &Token_schema,
     .id = "token_show",
     .doc = "One enrolment token, without its secret",
     .handler = token_show},
    {.method = DELETE,
     .path = "/v1/tokens/{token_id}",
     .access = MAY_OPERATE,
     .shape = REPLY_NONE,
     .id = "token_delete",
     .doc = "Revoke an enrolment token",
     .handler = token_delete},
};
const RouteTable token_routes = ROUTE_TABLE(routes);
