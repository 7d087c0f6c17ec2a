// SPDX-License-Identifier: Apache-2.0
#include "api/token.h"

#include "wire/token_text.h"

static const Field Token_fields[] = {
    FIELD(Token, id, KEY | READ_ONLY | LISTED, "id of the token", .prefix = "token"),
    FIELD(Token, org_id, SCOPE | READ_ONLY, "organisation", .prefix = "org"),
    FIELD(Token, rev, REV | READ_ONLY, "revision"),
    FIELD(Token, fleet_id, REQUIRED | INDEXED, "fleet that devices join", .prefix = "fleet"),
    FIELD(Token, fleet_name, COMPUTED | LISTED, "the fleet's name"),
    FIELD(Token,
          uses_max,
          LISTED,
          "devices that may join with it",
          .fallback = "1",
          .min = 1,
          .max = 1'000'000),
    FIELD(Token, uses, READ_ONLY | LOOSE | LISTED, "devices that have joined"),
    FIELD(Token,
          ttl,
          WRITE_ONLY,
          "how long it is good",
          .fallback = "1h",
          .min = 1000,
          .max = 31'536'000'000),
    FIELD(Token, expires_at, READ_ONLY | LISTED | INDEXED, "when it stops being good"),
    FIELD(Token, secret_sha256, HIDDEN | UNIQUE | GLOBAL, "hash of the secret"),
    FIELD(Token, token, COMPUTED, "the text for the device, shown once", .max = TOKEN_TEXT_MAX),
    FIELD(Token, created_at, READ_ONLY, "when it was made"),
};
const Schema Token_schema = SCHEMA(Token, "token", "lets devices join a fleet");

static const Field TokenQuery_fields[] = {
    PAGE_FIELDS(TokenQuery),
    FIELD(TokenQuery, fleet_id, 0, "only tokens of this fleet", .prefix = "fleet"),
};
const Schema TokenQuery_schema = SCHEMA(TokenQuery, "token_query", "which tokens");

// clang-format off
#define TOKENS "/v1/tokens"
const Endpoint Token_list =
    ENDPOINT_LIST(Token, "token", TOKENS, "Enrolment tokens, without their secrets");
const Endpoint Token_show =
    ENDPOINT_SHOW(Token, "token", TOKENS, "One enrolment token, without its secret");
const Endpoint Token_create = ENDPOINT_CREATE(
    Token, "token", TOKENS, "Make an enrolment token; only this answer shows its text");
const Endpoint Token_delete =
    ENDPOINT_DELETE(Token, "token", TOKENS, "Revoke an enrolment token");
// clang-format on
