// SPDX-License-Identifier: Apache-2.0
/// Signing in, staying in, signing out.
#pragma once

#include "api/operator.h"

typedef struct LoginInput {
    Str org; ///< name of the organisation; may be absent where there is only one
    Str name;
    Str password;
    /// Of a session that the operator has or had from here; it is not used up. Shows that this is
    /// no stranger, when there were too many failures. May be absent.
    Str refresh_token;
} LoginInput;
extern const Schema LoginInput_schema;

/// RFC 6749 section 5.1.
typedef struct LoginReply {
    Str access_token; ///< a JWT for the Authorization header
    Str token_type;   ///< "Bearer"
    uint64_t expires_in_s;
    Str refresh_token; ///< good for one refresh
    Id operator_id;
    Id org_id;
    Role role;
} LoginReply;
extern const Schema LoginReply_schema;

typedef struct RefreshInput {
    Str refresh_token;
} RefreshInput;
extern const Schema RefreshInput_schema;

/// What a logout ends.
typedef struct LogoutQuery {
    bool all;
} LogoutQuery;
extern const Schema LogoutQuery_schema;

extern const Endpoint Session_login, Session_refresh, Session_logout;
