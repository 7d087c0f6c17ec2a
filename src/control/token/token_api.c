// SPDX-License-Identifier: Apache-2.0
#include "api/fleet.h"
#include "base/jws.h"
#include "control/access.h"
#include "control/call.h"
#include "control/token/token.h"
#include "wire/token_text.h"

enum { SECRET_BYTES = 24 };

static Err token_save(Call *call, const void *, void *record) {
    Token *token = record;
    TRY(call_ref(call, &Fleet_schema, &token->fleet_id, S("/fleet_id")));
    TokenText text = {.secret = secret_make(call->arena, SECRET_BYTES),
                      .ca_fingerprint = app_of(call)->ca_fingerprint};
    token->expires_at.ms = call->now_ms + token->ttl.ms;
    token->secret_sha256 = sha256_hex(call->arena, text.secret);
    token->token = token_text_make(&text, call->arena); // computed: in this reply, nowhere else
    return SUCCESS;
}

static Err token_fill(Call *call, void *record) {
    Token *token = record;
    return call_name(call, &Fleet_schema, &token->fleet_id, &token->fleet_name);
}

static const Rules rules = {.save = token_save, .fill = token_fill};

static const Route routes[] = {
    {&Token_list,   MAY_OPERATE, call_list,   &rules},
    {&Token_create, MAY_OPERATE, call_create, &rules},
    {&Token_show,   MAY_OPERATE, call_show,   &rules},
    {&Token_delete, MAY_OPERATE, call_delete, &rules},
};
static const Schema *const stored[] = {&Token_schema};
const Slice token_slice = {.noun = "token", .routes = ROUTE_TABLE(routes), SLICE_STORED(stored)};
