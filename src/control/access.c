// SPDX-License-Identifier: Apache-2.0
#include "control/access.h"

#include "base/scope.h"
#include "control/operator/operator.h"
#include "db/tx.h"

enum { CLAIMS_JSON_MAX = 1024, MS_PER_S = 1000 };

static const Field AccessClaims_fields[] = {
    FIELD(AccessClaims, sub, REQUIRED, "whose token it is"),
    FIELD(AccessClaims, org, REQUIRED, "organisation", .prefix = "org"),
    FIELD(AccessClaims, aud, REQUIRED, "what it is for"),
    FIELD(AccessClaims, iat, REQUIRED, "made, Unix seconds"),
    FIELD(AccessClaims, exp, REQUIRED, "ends, Unix seconds"),
};
const Schema AccessClaims_schema =
    SCHEMA(AccessClaims, "access_claims", "claims of an access token");

Err access_token_make(const App *app,
                      const Id *subject,
                      const Id *org,
                      Str audience,
                      uint64_t now_ms,
                      uint64_t life_s,
                      Arena *arena,
                      Str *ret_token) {
    uint64_t now_s = now_ms / MS_PER_S;
    AccessClaims claims = {
        .sub = *subject, .org = *org, .aud = audience, .iat = now_s, .exp = now_s + life_s};
    SCOPED(text_done) Text json;
    text_init(&json, CLAIMS_JSON_MAX);
    schema_encode(&AccessClaims_schema, &claims, ENCODE_STORED, &json);
    TRY(text_check(&json));
    SCOPED(text_done) Text token;
    text_init(&token, JWS_TOKEN_MAX);
    jws_sign(&app->key, text_str(&json), &token);
    TRY(text_check(&token));
    Str copy = str_dup(arena, text_str(&token));
    TRY(arena_check(arena));
    *ret_token = copy;
    return SUCCESS;
}

/// Roles include the ones before them.
static uint32_t access_of_role(Role role) {
    static const uint32_t bits[ROLE_COUNT] = {
        [ROLE_VIEWER] = MAY_READ,
        [ROLE_OPERATOR] = MAY_READ | MAY_OPERATE,
        [ROLE_OWNER] = MAY_READ | MAY_OPERATE | MAY_OWN,
    };
    return bits[role];
}

static Err access_principal_of_operator(Tx *tx, const Id *id, Arena *arena, Principal *principal) {
    Operator operator;
    TRY(operator_get(tx, id, &operator));
    principal->access = access_of_role(operator.role);
    principal->name = str_print(arena, "operator/%.*s", STR_FMT(operator.name));
    return arena_check(arena);
}

/// The claims of our own token that has not ended.
static Err access_verify_claims(
    const App *app, Str bearer, uint64_t now_ms, Arena *arena, AccessClaims *ret_claims) {
    if (!bearer.ptr) return FAIL(ERR_UNAUTHENTICATED, "a bearer token is needed");
    Str json;
    TRY(jws_verify(app->key.public, bearer, arena, &json));
    AccessClaims claims = {};
    Err err = schema_read(&AccessClaims_schema, json, DECODE_STORED, arena, &claims, NULL);
    if (err.code == ERR_INVALID) return FAIL(ERR_UNAUTHENTICATED, "the token has other claims");
    TRY(err);
    if (now_ms / MS_PER_S >= claims.exp) return FAIL(ERR_UNAUTHENTICATED, "the token has expired");
    *ret_claims = claims;
    return SUCCESS;
}

Err access_principal(
    const App *app, Str bearer, uint64_t now_ms, Arena *arena, Principal *ret_principal) {
    AccessClaims claims;
    TRY(access_verify_claims(app, bearer, now_ms, arena, &claims));
    Principal principal = {.subject = claims.sub, .scope = claims.org};
    SCOPED(tx_closep) Tx *tx = NULL;
    TRY(tx_open(app->db, arena, id_str(&claims.org), &tx));
    if (!str_eq(claims.aud, S(AUDIENCE_OPERATOR)))
        return FAIL(ERR_UNAUTHENTICATED, "the token is for something else");
    Err err = access_principal_of_operator(tx, &claims.sub, arena, &principal);
    if (err.code == ERR_NOT_FOUND)
        return FAIL(ERR_UNAUTHENTICATED, "the token's subject is not there any more");
    TRY(err);
    *ret_principal = principal;
    return SUCCESS;
}

Err access_authorise(void *app, Call *call) {
    TRY(access_principal(app, call->bearer, call->now_ms, call->arena, &call->principal));
    if (!(call->principal.access & call->route->access))
        return FAIL(ERR_FORBIDDEN, "this needs another role");
    return SUCCESS;
}
