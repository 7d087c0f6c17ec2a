// SPDX-License-Identifier: Apache-2.0
#include "api/fleet.h"
#include "base/jws.h"
#include "control/access.h"
#include "control/call.h"
#include "control/token/token.h"
#include "wire/token_text.h"

enum { SECRET_BYTES = 24, ENDED_KEPT_MS = 7 * 86'400'000, ENDED_MAX = 500 };

/// All that a machine needs to join.
static Err token_text(const App *app, Str fleet, Str secret, Arena *arena, Str *ret_text) {
    size_t count = app->servers.servers.count;
    Str *urls = ARENA_ARRAY(arena, Str, count);
    TRY(arena_check(arena));
    for (size_t i = 0; i < count; i++)
        urls[i] = app->servers.servers.items[i].url;
    TokenText parts = {
        .servers = {urls, count},
          .authority = app->authority, .fleet = fleet, .secret = secret
    };
    return token_text_make(&parts, arena, ret_text);
}

static Err token_fill(Call *call, void *records, size_t count) {
    Token *tokens = records;
    return call_names(
        call, &Fleet_schema, RECORDS(tokens, count), NAMES(NAME_OF(Token, fleet_id, fleet_name)));
}

static Err token_save(Call *call, const void *, void *record) {
    Token *token = record;
    TRY(call_ref(call, &Fleet_schema, &token->fleet_id, S("/fleet_id")));
    TRY(token_fill(call, token, 1));
    Str secret = secret_make(call->arena, SECRET_BYTES);
    token->expires_at.ms = call->now_ms + token->ttl.ms;
    token->secret_sha256 = sha256_hex(call->arena, secret);
    TRY(arena_check(call->arena));
    // Computed: in this reply, nowhere else.
    return token_text(app_of(call), token->fleet_name, secret, call->arena, &token->token);
}

static const Rules rules = {.save = token_save, .fill = token_fill};

/// A token that lets nobody in any more stays for a while, to be looked at.
static Err token_tidy(App *, Tx *tx, uint64_t now_ms, bool *ret_more) {
    const Time before = {now_ms > ENDED_KEPT_MS ? now_ms - ENDED_KEPT_MS : 0};
    const Query query = {.where = {WHERE(Token, expires_at, BELOW, before)}, .limit = ENDED_MAX};
    uint64_t count;
    TRY(tx_count(tx, &Token_schema, &query, &count));
    *ret_more = count > ENDED_MAX;
    return count ? tx_delete_where(tx, &query) : SUCCESS;
}

static const Route routes[] = {
    {&Token_list,   MAY_OPERATE, call_list,   &rules},
    {&Token_create, MAY_OPERATE, call_create, &rules},
    {&Token_show,   MAY_OPERATE, call_show,   &rules},
    {&Token_delete, MAY_OPERATE, call_delete, &rules},
};
static const Schema *const stored[] = {&Token_schema};
const Slice token_slice = {
    .noun = "token",
    .routes = ROUTE_TABLE(routes),
    SLICE_STORED(stored),
    .tidy = token_tidy,
};
