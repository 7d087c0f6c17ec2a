// SPDX-License-Identifier: Apache-2.0
#include "control/token/token.h"

#include "base/jws.h"
#include "db/tx.h"
#include "wire/token_text.h"

#define REFUSED FAIL(ERR_UNAUTHENTICATED, "the enrolment token is not good (any more)")

Err token_find(Tx *tx, Str text, Arena *arena, Token *ret_token) {
    TokenText parts;
    if (token_text_parse(text, &parts).code != OK) return REFUSED;
    Query query = {.where = {WHERE_STR("secret_sha256", sha256_hex(arena, parts.secret))},
                   .limit = 1};
    TRY(arena_check(arena));
    Err err = tx_find(tx, &Token_schema, &query, ret_token);
    return err.code == ERR_NOT_FOUND ? REFUSED : err;
}

Err token_spend(Tx *tx, uint64_t now_ms, Token *token) {
    if (now_ms >= token->expires_at.ms || token->uses >= token->uses_max) return REFUSED;
    token->uses++;
    return tx_update(tx, &Token_schema, token);
}
