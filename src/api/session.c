// SPDX-License-Identifier: Apache-2.0
#include "api/session.h"

static const Field LoginInput_fields[] = {
    FIELD(LoginInput,
          org,
          0,
          "organisation; may be left out where there is only one",
          .pattern = &Pattern_slug,
          .max = 63),
    FIELD(LoginInput, name, REQUIRED, "operator's name", .pattern = &Pattern_slug, .max = 63),
    FIELD(LoginInput, password, REQUIRED | WRITE_ONLY, "password", .max = PASSWORD_MAX),
    FIELD(LoginInput,
          refresh_token,
          WRITE_ONLY,
          "of a session of this operator, which stays as it is: lets it in though there were too "
          "many "
          "failures"),
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

static const Field LogoutQuery_fields[] = {
    FIELD(LogoutQuery,
          all,
          0,
          "every session of the operator, not only this one",
          .fallback = "false"),
};
const Schema LogoutQuery_schema = SCHEMA(LogoutQuery, "logout_query", "what a logout ends");

// clang-format off
const Endpoint Session_login = {
    POST, "/v1/login", "session", "login", "Sign in with a password",
    .in = &LoginInput_schema, .out = &LoginReply_schema};
const Endpoint Session_refresh = {
    POST, "/v1/refresh", "session", "refresh",
    "Trade the refresh token for the next one and a new access token",
    .in = &RefreshInput_schema, .out = &LoginReply_schema};
const Endpoint Session_logout = {
    POST, "/v1/logout", "session", "logout", "Sign out: end this session, or all of the operator's",
    .query = &LogoutQuery_schema, .shape = REPLY_NONE};
// clang-format on
