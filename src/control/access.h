// SPDX-License-Identifier: Apache-2.0
/// Who may call what, and the tokens that show it.
///
/// An access token is a JWS (base/jws.h) over AccessClaims by the server's own key. Operators get
/// theirs by signing in, and it is good while that session is there and as what the operator is
/// now: the first call with a token looks both up, those that follow find what it saw in
/// control/access_cache.h, which whoever changes either empties. So a logout, a new password,
/// another role or a removal takes effect with the next call, whatever the token says. Devices have
/// none: they prove themselves in what they send (control/device/hello.h).
#pragma once

#include "control/app.h"

/// Route.access and Principal.access.
enum {
    MAY_READ = 1 << 0,    ///< viewers and above
    MAY_OPERATE = 1 << 1, ///< operators and owners
    MAY_OWN = 1 << 2,     ///< owners
};

#define AUDIENCE_OPERATOR "muster-api"

enum { OPERATOR_TOKEN_LIFE_S = 900 };

typedef struct AccessClaims {
    Id sub;
    Id sid;
    Id org;
    Str aud;
    uint64_t iat; ///< Unix seconds
    uint64_t exp;
} AccessClaims;
extern const Schema AccessClaims_schema;

/// A token that says so, signed, in `arena`. ERR_LIMIT: arena exhausted.
Err access_token_make(const App *app, const AccessClaims *claims, Arena *arena, Str *ret_token);
/// Who a bearer token is for: signature, audience, expiry, and that session and subject are there.
/// ERR_UNAUTHENTICATED: not a good token (any more).
Err access_principal(
    const App *app, Str bearer, uint64_t now_ms, Arena *arena, Principal *ret_principal);
/// RouterOptions.authorise: access_principal, then the route's access bits (ERR_FORBIDDEN).
Err access_authorise(void *app, Call *call);
