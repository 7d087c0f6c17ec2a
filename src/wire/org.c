// SPDX-License-Identifier: Apache-2.0
#include "wire/org.h"

static const char *const roles[] = {"viewer", "operator", "owner"};
const EnumNames Role_names = ENUM_NAMES(roles);

static const Field Org_fields[] = {
    FIELD(Org, id, KEY | SCOPE | READ_ONLY, "id of the organisation", .prefix = "org"),
    FIELD(Org, rev, REV | READ_ONLY, "revision"),
    FIELD(Org,
          name,
          REQUIRED | UNIQUE | GLOBAL | LISTED,
          "its name",
          .pattern = &Pattern_slug,
          .max = 63),
    FIELD(Org, created_at, READ_ONLY | LISTED, "when it was made"),
};
const Schema Org_schema =
    SCHEMA(Org, "org", "who shares a control plane without seeing each other");

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

static const Field LoginInput_fields[] = {
    FIELD(LoginInput,
          org,
          0,
          "organisation; may be left out where there is only one",
          .pattern = &Pattern_slug,
          .max = 63),
    FIELD(LoginInput, name, REQUIRED, "operator's name", .pattern = &Pattern_slug, .max = 63),
    FIELD(LoginInput, password, REQUIRED | WRITE_ONLY, "password", .max = PASSWORD_MAX),
};
const Schema LoginInput_schema = SCHEMA(LoginInput, "login", "who signs in");

static const Field LoginReply_fields[] = {
    FIELD(LoginReply, access_token, REQUIRED, "JWT for the Authorization header", .max = 4096),
    FIELD(LoginReply, token_type, REQUIRED, "Bearer"),
    FIELD(LoginReply, expires_in_s, REQUIRED, "life of the access token in seconds"),
    FIELD(LoginReply, refresh_token, REQUIRED, "good for one refresh"),
    FIELD(LoginReply, operator_id, REQUIRED, "who signed in", .prefix = "operator"),
    FIELD(LoginReply, org_id, REQUIRED, "in which organisation", .prefix = "org"),
    FIELD_ENUM(LoginReply, role, Role, REQUIRED, "what the operator may do"),
};
const Schema LoginReply_schema = SCHEMA(LoginReply, "session", "tokens of a signed-in operator");

static const Field RefreshInput_fields[] = {
    FIELD(RefreshInput, refresh_token, REQUIRED | WRITE_ONLY, "the last refresh token"),
};
const Schema RefreshInput_schema = SCHEMA(RefreshInput, "refresh", "a refresh token to be renewed");
