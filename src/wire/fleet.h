// SPDX-License-Identifier: Apache-2.0
/// Fleets, the releases they run, and the tokens devices join them with.
#pragma once

#include "wire/manifest.h"

/// Devices that run the same release.
typedef struct Fleet {
    Id id;
    Id org_id;
    uint64_t rev;
    Str name;
    Id release_id;            ///< what its devices should run; absent: nothing
    uint64_t desired_version; ///< grows with each deploy; ms of a hybrid clock; 0 = never deployed
    uint64_t device_count;    ///< for the reply
    Time created_at;
} Fleet;
extern const Schema Fleet_schema;

/// Ship a release to a fleet.
typedef struct DeployInput {
    Id release_id;
} DeployInput;
extern const Schema DeployInput_schema;

/// An immutable set of services under a version.
typedef struct Release {
    Id id;
    Id org_id;
    Str application;
    Str version;
    Str ref;    ///< "application@version", unique
    Str digest; ///< of the manifest's canonical JSON
    Manifest manifest;
    Str created_by;
    Time created_at;
} Release;
extern const Schema Release_schema;

/// A secret that lets devices join a fleet, a number of times, for a time.
typedef struct Token {
    Id id;
    Id org_id;
    uint64_t rev;
    Id fleet_id;
    uint64_t uses_max;
    uint64_t uses;
    Duration ttl; ///< on its way in only
    Time expires_at;
    Str secret_sha256;
    Str token; ///< the text for the device; in the reply to its creation only
    Time created_at;
} Token;
extern const Schema Token_schema;

/// The parts of an enrolment token's text "muster1.SECRET.FINGERPRINT".
typedef struct TokenText {
    Str secret;         ///< base64url
    Str ca_fingerprint; ///< SHA-256 of the server's CA certificate, 64 hex digits
} TokenText;
/// Split the text of a token, borrowed. ERR_INVALID: not one.
Err token_text_parse(Str text, TokenText *ret_parts);
/// The text of a token, in `arena`.
Str token_text_make(const TokenText *parts, Arena *arena);
