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

Err token_spend(Tx *tx, uint64_t now_ms, const Token *token) {
    if (now_ms >= token->expires_at.ms || token->uses >= token->uses_max) return REFUSED;
    return tx_add(tx, id_str(&token->id), COUNTER(Token, uses), 1, 0, (int64_t)token->uses_max);
}

Err token_delete_all(Call *call, const Id *fleet_id) {
    Query query = {.where = {WHERE(Token, fleet_id, IS, fleet_id)}};
    uint64_t count;
    TRY(tx_count(call->tx, &Token_schema, &query, &count));
    TRY(tx_delete_where(call->tx, &query)); // also those that come until the commit
    if (count == 0) return SUCCESS;
    return call_note_as(call, &call->principal, &Token_delete, id_str(fleet_id), NULL, NULL, NULL);
}
