// SPDX-License-Identifier: Apache-2.0
/// Who may call what, and the tokens that show it.
///
/// An access token is a JWS (base/jws.h) over AccessClaims by the server's own key. Operators get
/// theirs by signing in. Every call looks its subject up again, so a removed operator is out at
/// once, whatever the token says. Devices have none: they prove themselves in what they send
/// (control/device/hello.h).
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
    Id org;
    Str aud;
    uint64_t iat; ///< Unix seconds
    uint64_t exp;
} AccessClaims;
extern const Schema AccessClaims_schema;

/// A signed token for `subject` of `org`, in `arena`. ERR_LIMIT: arena exhausted.
Err access_token_make(const App *app,
                      const Id *subject,
                      const Id *org,
                      Str audience,
                      uint64_t now_ms,
                      uint64_t life_s,
                      Arena *arena,
                      Str *ret_token);
/// Who a bearer token is for: signature, audience, expiry, and that the subject is still there.
/// ERR_UNAUTHENTICATED: not a good token (any more).
Err access_principal(
    const App *app, Str bearer, uint64_t now_ms, Arena *arena, Principal *ret_principal);
/// RouterOptions.authorise: access_principal, then the route's access bits (ERR_FORBIDDEN).
Err access_authorise(void *app, Call *call);
