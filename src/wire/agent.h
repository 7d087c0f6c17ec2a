// SPDX-License-Identifier: Apache-2.0
/// What a device and the control plane say to each other.
///
/// Joining: POST /v1/agent/challenge gives a nonce and the server's time; POST /v1/agent/enrol
/// shows the enrolment token and proves possession of the device's key by signing the nonce.
/// Coming back: challenge again, then POST /v1/agent/token exchanges a signed assertion (RFC 7523)
/// for a short-lived access token, which opens the channel (GET /v1/agent/channel, WebSocket) or a
/// poll (POST /v1/agent/sync). On both the device sends SyncUp and is answered with SyncDown.
/// A device whose clock is wrong can do all of it: times in proofs are the server's.
#pragma once

#include "wire/device.h"

enum {
    SYNC_MESSAGE_MAX = 512 * 1024, ///< bytes of a SyncUp or SyncDown
    NONCE_LIFE_MS = 60'000,
    DEVICE_TOKEN_LIFE_S = 3600,
};

#define AGENT_CHALLENGE_PATH "/v1/agent/challenge"
#define AGENT_ENROL_PATH "/v1/agent/enrol"
#define AGENT_TOKEN_PATH "/v1/agent/token"
#define AGENT_SYNC_PATH "/v1/agent/sync"
#define AGENT_CHANNEL_PATH "/v1/agent/channel"
#define AGENT_CHANNEL_PROTOCOL "muster.1"
#define ASSERTION_GRANT "urn:ietf:params:oauth:grant-type:jwt-bearer"

/// Answer to a challenge request: something fresh to sign.
typedef struct Challenge {
    Str nonce; ///< good once, for NONCE_LIFE_MS
    Time now;  ///< the server's time
} Challenge;
extern const Schema Challenge_schema;

/// Claims that a joining device signs with its new key.
typedef struct EnrolProof {
    Str aud; ///< "muster-enrol"
    Str nonce;
    Str token_sha256; ///< of the enrolment token's text, so that the proof fits no other
} EnrolProof;
extern const Schema EnrolProof_schema;

typedef struct EnrolInput {
    Str token;      ///< enrolment token
    Str public_key; ///< Ed25519, base64
    Str proof;      ///< compact JWS over an EnrolProof
    Str name;       ///< wished name; absent: the host name made to fit, or the id
    Facts facts;
} EnrolInput;
extern const Schema EnrolInput_schema;

typedef struct Enrolled {
    Id device_id;
    Str name;
    Id fleet_id;
} Enrolled;
extern const Schema Enrolled_schema;

/// Claims of a device's assertion (RFC 7523 section 3).
typedef struct AssertionClaims {
    Str iss;      ///< the device's id
    Str sub;      ///< the same
    Str aud;      ///< "muster-token"
    Str jti;      ///< the nonce
    uint64_t exp; ///< Unix seconds, by the server's time of the challenge
} AssertionClaims;
extern const Schema AssertionClaims_schema;

typedef struct AssertionInput {
    Str grant_type; ///< ASSERTION_GRANT
    Str assertion;  ///< compact JWS over AssertionClaims
} AssertionInput;
extern const Schema AssertionInput_schema;

typedef struct DeviceTokenReply {
    Str access_token;
    Str token_type;
    uint64_t expires_in_s;
    uint64_t channel_port; ///< on the same host; 0: no channel, poll
    Duration heartbeat;    ///< how often to say something
} DeviceTokenReply;
extern const Schema DeviceTokenReply_schema;

/// Device to server. Only what changed since the last acknowledged message is in it.
typedef struct SyncUp {
    uint64_t seq;             ///< grows by one a message; the answer acknowledges it
    uint64_t desired_version; ///< of the desired state that the device holds
    Facts facts;
    Reported reported;
    Telemetry telemetry;
} SyncUp;
extern const Schema SyncUp_schema;

/// What a device should run.
typedef struct Desired {
    uint64_t version; ///< newest wins, never goes back
    Id release_id;    ///< absent: nothing
    Str digest;       ///< of `manifest`
    Json manifest;    ///< canonical JSON of a Manifest
} Desired;
extern const Schema Desired_schema;

/// Server to device: an answer, or a push (`ack` 0).
typedef struct SyncDown {
    uint64_t ack;    ///< everything up to this SyncUp.seq is durable
    Desired desired; ///< if newer than SyncUp.desired_version
    Time now;
    Duration heartbeat;
} SyncDown;
extern const Schema SyncDown_schema;
