// SPDX-License-Identifier: Apache-2.0
/// Operators: the people who sign in, and what they may do.
#pragma once

#include "api/page.h"
#include "base/endpoint.h"

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

/// Which operators a list has.
typedef struct OperatorQuery {
    PageQuery page;
    Str name;
} OperatorQuery;
extern const Schema OperatorQuery_schema;

extern const Endpoint Operator_list, Operator_show, Operator_create, Operator_update;
extern const Endpoint Operator_delete;
