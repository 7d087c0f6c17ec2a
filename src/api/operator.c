// SPDX-License-Identifier: Apache-2.0
#include "api/operator.h"

static const char *const roles[] = {"viewer", "operator", "owner"};
const EnumNames Role_names = ENUM_NAMES(roles);

static const Field Operator_fields[] = {
    FIELD(Operator, id, KEY | READ_ONLY | LISTED, "id of the operator", .prefix = "operator"),
    FIELD(Operator, org_id, SCOPE | READ_ONLY, "organisation", .prefix = "org"),
    FIELD(Operator, rev, REV | READ_ONLY, "revision"),
    FIELD(Operator,
          name,
          REQUIRED | UNIQUE | LISTED | IMMUTABLE,
          "name to sign in with",
          .pattern = &Pattern_slug,
          .max = 63),
    FIELD_ENUM(Operator, role, Role, LISTED, "what the operator may do", .fallback = "viewer"),
    FIELD(Operator,
          password,
          REQUIRED | WRITE_ONLY,
          "password to sign in with",
          .min = PASSWORD_MIN,
          .max = PASSWORD_MAX),
    FIELD(Operator, password_hash, HIDDEN, "Argon2id of the password"),
    FIELD(Operator, created_at, READ_ONLY | LISTED, "when it was made"),
};
const Schema Operator_schema = SCHEMA(Operator, "operator", "a person who signs in");

static const Field OperatorQuery_fields[] = {
    PAGE_FIELDS(OperatorQuery),
    FIELD(OperatorQuery, name, 0, "only the operator of this name", .max = 63),
};
const Schema OperatorQuery_schema = SCHEMA(OperatorQuery, "operator_query", "which operators");

// clang-format off
#define OPERATORS "/v1/operators"
const Endpoint Operator_list = ENDPOINT_LIST(Operator, "operator", OPERATORS, "Who may sign in");
const Endpoint Operator_show = ENDPOINT_SHOW(Operator, "operator", OPERATORS, "One operator");
const Endpoint Operator_create =
    ENDPOINT_CREATE(Operator, "operator", OPERATORS, "Let somebody sign in");
const Endpoint Operator_update =
    ENDPOINT_UPDATE(Operator, "operator", OPERATORS, "Change an operator's role or password");
const Endpoint Operator_delete =
    ENDPOINT_DELETE(Operator, "operator", OPERATORS, "Remove an operator and end its sessions");
// clang-format on
