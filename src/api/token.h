// SPDX-License-Identifier: Apache-2.0
/// Enrolment tokens, as an operator sees them.
#pragma once

#include "api/page.h"
#include "base/endpoint.h"

/// A secret that lets devices join a fleet, a number of times, for a time.
typedef struct Token {
    Id id;
    Id org_id;
    uint64_t rev;
    Id fleet_id;
    Str fleet_name; ///< for the reply
    uint64_t uses_max;
    uint64_t uses;
    Duration ttl; ///< on its way in only
    Time expires_at;
    Str secret_sha256;
    Str token; ///< the text for the device; in the reply to its creation only
    Time created_at;
} Token;
extern const Schema Token_schema;

/// Which tokens a list has.
typedef struct TokenQuery {
    PageQuery page;
    Id fleet_id;
} TokenQuery;
extern const Schema TokenQuery_schema;

extern const Endpoint Token_list, Token_show, Token_create, Token_delete;
