// SPDX-License-Identifier: Apache-2.0
#include "control/token/token.h"

#include "base/jws.h"
#include "control/call.h"
#include "wire/token_text.h"

#define REFUSED FAIL(ERR_UNAUTHENTICATED, "the enrolment token is not good (any more)")

Err token_find(Tx *tx, Str secret, Arena *arena, Token *ret_token) {
    Query query = {.where = {WHERE(Token, secret_sha256, IS, sha256_hex(arena, secret))}};
    TRY(arena_check(arena));
    Err err = tx_find(tx, &query, ret_token);
    return err.code == ERR_NOT_FOUND ? REFUSED : err;
}

Err token_spend(Tx *tx, uint64_t now_ms, Token *token) {
    if (now_ms >= token->expires_at.ms || token->uses >= token->uses_max) return REFUSED;
    token->uses++;
    return tx_update(tx, &Token_schema, token);
}

Err token_delete_all(Call *call, const Id *fleet_id) {
    enum { TOKENS_MAX = (TX_OPS_MAX - 2) / 2 }; // a delete and an audit entry each, as the fleet
    Query query = {.where = {WHERE(Token, fleet_id, IS, fleet_id)}, .limit = TOKENS_MAX + 1};
    Page page;
    TRY(tx_list(call->tx, &Token_schema, &query, &page));
    const Token *tokens = page.items;
    if (page.count > TOKENS_MAX)
        return FAIL(ERR_STATE, "the fleet has too many enrolment tokens: delete tokens first");
    for (size_t i = 0; i < page.count; i++) {
        Str id = id_str(&tokens[i].id);
        TRY(tx_delete(call->tx, &Token_schema, &tokens[i]));
        TRY(call_note_as(call, &call->principal, &Token_delete, id, &Token_schema, &tokens[i]));
    }
    return SUCCESS;
}
