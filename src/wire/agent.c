// SPDX-License-Identifier: Apache-2.0
#include "wire/agent.h"

#include "wire/manifest.h"

enum { JWS_TEXT_MAX = 2048, NONCE_MAX = 128, CLAIM_MAX = 128 };

static const Field Challenge_fields[] = {
    FIELD(Challenge, nonce, REQUIRED, "to be signed, good once", .max = NONCE_MAX),
    FIELD(Challenge, now, REQUIRED, "the server's time"),
};
const Schema Challenge_schema = SCHEMA(Challenge, "challenge", "something fresh to sign");

static const Field EnrolProof_fields[] = {
    FIELD(EnrolProof, aud, REQUIRED, "muster-enrol", .max = CLAIM_MAX),
    FIELD(EnrolProof, nonce, REQUIRED, "of the challenge", .max = NONCE_MAX),
    FIELD(EnrolProof, token_sha256, REQUIRED, "of the enrolment token", .max = 64),
};
const Schema EnrolProof_schema = SCHEMA(EnrolProof, "enrol_proof", "what a joining device signs");

static const Field EnrolInput_fields[] = {
    FIELD(EnrolInput, token, REQUIRED | WRITE_ONLY, "enrolment token"),
    FIELD(EnrolInput, public_key, REQUIRED, "the device's Ed25519 key", .pattern = &Pattern_key32),
    FIELD(EnrolInput, proof, REQUIRED, "JWS over an EnrolProof by that key", .max = JWS_TEXT_MAX),
    FIELD(EnrolInput, name, 0, "wished name", .pattern = &Pattern_slug, .max = 63),
    FIELD_RECORD(EnrolInput, facts, Facts, 0, "what the device is"),
};
const Schema EnrolInput_schema = SCHEMA(EnrolInput, "enrolment", "a device that joins");

static const Field Enrolled_fields[] = {
    FIELD(Enrolled, device_id, REQUIRED, "the device's id from now on", .prefix = "device"),
    FIELD(Enrolled, name, REQUIRED, "its name"),
    FIELD(Enrolled, fleet_id, REQUIRED, "the fleet it joined", .prefix = "fleet"),
};
const Schema Enrolled_schema = SCHEMA(Enrolled, "enrolled", "a device that has joined");

static const Field AssertionClaims_fields[] = {
    FIELD(AssertionClaims, iss, REQUIRED, "the device's id", .max = CLAIM_MAX),
    FIELD(AssertionClaims, sub, REQUIRED, "the same", .max = CLAIM_MAX),
    FIELD(AssertionClaims, aud, REQUIRED, "muster-token", .max = CLAIM_MAX),
    FIELD(AssertionClaims, jti, REQUIRED, "the nonce", .max = NONCE_MAX),
    FIELD(AssertionClaims, exp, 0, "when it ends, Unix seconds"),
};
const Schema AssertionClaims_schema =
    SCHEMA(AssertionClaims, "assertion_claims", "claims of a device's assertion");

static const Field AssertionInput_fields[] = {
    FIELD(AssertionInput, grant_type, REQUIRED, ASSERTION_GRANT),
    FIELD(AssertionInput, assertion, REQUIRED, "JWS by the device's key", .max = JWS_TEXT_MAX),
};
const Schema AssertionInput_schema =
    SCHEMA(AssertionInput, "assertion", "a device that asks for an access token");

static const Field DeviceTokenReply_fields[] = {
    FIELD(DeviceTokenReply, access_token, REQUIRED, "for the channel and for polls", .max = 4096),
    FIELD(DeviceTokenReply, token_type, REQUIRED, "Bearer"),
    FIELD(DeviceTokenReply, expires_in_s, REQUIRED, "its life in seconds"),
    FIELD(DeviceTokenReply, channel_port, 0, "port of the channel; 0: poll", .max = 65535),
    FIELD(DeviceTokenReply, heartbeat, 0, "how often to say something"),
};
const Schema DeviceTokenReply_schema =
    SCHEMA(DeviceTokenReply, "device_token", "a device's access token");

static const Field SyncUp_fields[] = {
    FIELD(SyncUp, seq, REQUIRED, "grows with each message", .min = 1),
    FIELD(SyncUp, desired_version, 0, "of the desired state that the device holds"),
    FIELD_RECORD(SyncUp, facts, Facts, 0, "when they changed"),
    FIELD_RECORD(SyncUp, reported, Reported, 0, "when it changed"),
    FIELD_RECORD(SyncUp, telemetry, Telemetry, 0, "latest measurements"),
};
const Schema SyncUp_schema = SCHEMA(SyncUp, "sync_up", "what a device has");

static const Field Desired_fields[] = {
    FIELD(Desired, version, REQUIRED, "newest wins"),
    FIELD(Desired, release_id, 0, "release; absent: nothing", .prefix = "release"),
    FIELD(Desired, digest, 0, "of the manifest", .pattern = &Pattern_digest),
    FIELD(Desired, manifest, 0, "a Manifest in canonical JSON", .max = MANIFEST_JSON_MAX),
};
const Schema Desired_schema = SCHEMA(Desired, "desired", "what a device should run");

static const Field SyncDown_fields[] = {
    FIELD(SyncDown, ack, REQUIRED, "what is durable; 0: a push"),
    FIELD_RECORD(SyncDown, desired, Desired, 0, "if it is newer"),
    FIELD(SyncDown, now, REQUIRED, "the server's time"),
    FIELD(SyncDown, heartbeat, 0, "how often to say something"),
};
const Schema SyncDown_schema = SCHEMA(SyncDown, "sync_down", "what the server wants");
