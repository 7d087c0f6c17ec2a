// SPDX-License-Identifier: Apache-2.0
#include "control/access.h"

#include "base/scope.h"
#include "control/access_cache.h"
#include "control/operator/operator.h"
#include "db/tx.h"

enum { CLAIMS_JSON_MAX = 1024, MS_PER_S = 1000 };

static const Field AccessClaims_fields[] = {
    FIELD(AccessClaims, sub, REQUIRED, "whose token it is"),
    FIELD(AccessClaims, sid, REQUIRED, "sign-in that it is of", .prefix = "session"),
    FIELD(AccessClaims, org, REQUIRED, "organisation", .prefix = "org"),
    FIELD(AccessClaims, aud, REQUIRED, "what it is for"),
    FIELD(AccessClaims, iat, REQUIRED, "made, Unix seconds"),
    FIELD(AccessClaims, exp, REQUIRED, "ends, Unix seconds"),
};
const Schema AccessClaims_schema =
    SCHEMA(AccessClaims, "access_claims", "claims of an access token");

Err access_token_make(const App *app, const AccessClaims *claims, Arena *arena, Str *ret_token) {
    SCOPED(text_done) Text json;
    text_init(&json, CLAIMS_JSON_MAX);
    schema_encode(&AccessClaims_schema, claims, ENCODE_STORED, &json);
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

/// The claims of our own token that has not ended.
static Err access_verify_claims(
    const App *app, Str bearer, uint64_t now_ms, Arena *arena, AccessClaims *ret_claims) {
    Str json;
    TRY(jws_verify(app->key.public, bearer, arena, &json));
    AccessClaims claims = {};
    Err err = schema_read(&AccessClaims_schema, json, DECODE_STORED, arena, &claims, NULL);
    if (err.code == ERR_INVALID) return FAIL(ERR_UNAUTHENTICATED, "the token has other claims");
    TRY(err);
    if (!str_eq(claims.aud, S(AUDIENCE_OPERATOR)))
        return FAIL(ERR_UNAUTHENTICATED, "the token is for something else");
    if (now_ms / MS_PER_S >= claims.exp) return FAIL(ERR_UNAUTHENTICATED, "the token has expired");
    *ret_claims = claims;
    return SUCCESS;
}

/// Whose claims they are, if the session and the operator are there. `*ret_ends_at_ms`: until when
/// that holds by itself.
static Err access_look_up(const App *app,
                          const AccessClaims *claims,
                          uint64_t now_ms,
                          Arena *arena,
                          Principal *ret_principal,
                          uint64_t *ret_ends_at_ms) {
    SCOPED(tx_closep) Tx *tx = NULL;
    TRY(tx_open(app->db, arena, id_str(&claims->org), &tx));
    Session session = {};
    Operator operator= {};
    Err err = session_get(tx, &claims->sid, &session);
    if (err.code == OK) err = operator_get(tx, &claims->sub, &operator);
    if (err.code == ERR_NOT_FOUND || (err.code == OK && now_ms >= session.expires_at.ms))
        return FAIL(ERR_UNAUTHENTICATED, "the token's session has ended");
    TRY(err);
    Principal principal = {
        .subject = claims->sub,
        .session = claims->sid,
        .scope = claims->org,
        .access = access_of_role(operator.role),
        .name = str_print(arena, "operator/%.*s", STR_FMT(operator.name)),
    };
    TRY(arena_check(arena));
    uint64_t token_ends_at_ms = claims->exp * MS_PER_S;
    *ret_principal = principal;
    *ret_ends_at_ms =
        token_ends_at_ms < session.expires_at.ms ? token_ends_at_ms : session.expires_at.ms;
    return SUCCESS;
}

Err access_principal(
    const App *app, Str bearer, uint64_t now_ms, Arena *arena, Principal *ret_principal) {
    if (!bearer.ptr) return FAIL(ERR_UNAUTHENTICATED, "a bearer token is needed");
    Principal principal;
    uint64_t revocations, ends_at_ms;
    AccessKey key = access_key(bearer);
    if (!access_cache_find(app->access_cache, &key, now_ms, arena, &principal, &revocations)) {
        AccessClaims claims;
        TRY(access_verify_claims(app, bearer, now_ms, arena, &claims));
        TRY(access_look_up(app, &claims, now_ms, arena, &principal, &ends_at_ms));
        access_cache_add(app->access_cache, &key, &principal, now_ms, ends_at_ms, revocations);
    }
    TRY(arena_check(arena));
    *ret_principal = principal;
    return SUCCESS;
}

Err access_authorise(void *app, Call *call) {
    TRY(access_principal(app, call->bearer, call->now_ms, call->arena, &call->principal));
    if (!(call->principal.access & call->route->access))
        return FAIL(ERR_FORBIDDEN, "this needs another role");
    return SUCCESS;
}
