// SPDX-License-Identifier: Apache-2.0
/// Organisations and the people who work in them.
#pragma once

#include "base/schema.h"

/// Who shares a control plane without seeing each other.
typedef struct Org {
    Id id;
    uint64_t rev;
    Str name;
    Time created_at;
} Org;
extern const Schema Org_schema;

/// What an operator may do; each includes the one before.
typedef enum Role {
    ROLE_VIEWER,   ///< see everything of the organisation
    ROLE_OPERATOR, ///< change fleets, devices, releases, enrolment tokens
    ROLE_OWNER,    ///< change operators and the organisation
    ROLE_COUNT
} Role;
extern const EnumNames Role_names;

/// A person (or a program acting for one) who signs in.
typedef struct Operator {
    Id id;
    Id org_id;
    uint64_t rev;
    Str name;
    Role role;
    Str password;      ///< on its way in only
    Str password_hash; ///< Argon2id, PHC string
    Time created_at;
} Operator;
extern const Schema Operator_schema;

enum { PASSWORD_MIN = 12, PASSWORD_MAX = 256 };

typedef struct LoginInput {
    Str org; ///< name of the organisation; may be absent where there is only one
    Str name;
    Str password;
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
