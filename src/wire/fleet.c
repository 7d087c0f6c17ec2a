// SPDX-License-Identifier: Apache-2.0
#include "wire/fleet.h"

static const Field Fleet_fields[] = {
    FIELD(Fleet, id, KEY | READ_ONLY | LISTED, "id of the fleet", .prefix = "fleet"),
    FIELD(Fleet, org_id, SCOPE | READ_ONLY, "organisation", .prefix = "org"),
    FIELD(Fleet, rev, REV | READ_ONLY, "revision"),
    FIELD(Fleet, name, REQUIRED | UNIQUE | LISTED, "its name", .pattern = &Pattern_slug, .max = 63),
    FIELD(Fleet,
          release_id,
          READ_ONLY | INDEXED | LISTED,
          "what its devices should run",
          .prefix = "release"),
    FIELD(Fleet, desired_version, READ_ONLY, "grows with each deploy"),
    FIELD(Fleet, device_count, COMPUTED | LISTED, "devices in it"),
    FIELD(Fleet, created_at, READ_ONLY | LISTED, "when it was made"),
};
const Schema Fleet_schema = SCHEMA(Fleet, "fleet", "devices that run the same release");

static const Field DeployInput_fields[] = {
    FIELD(DeployInput,
          release_id,
          REQUIRED,
          "what the fleet's devices shall run",
          .prefix = "release"),
};
const Schema DeployInput_schema = SCHEMA(DeployInput, "deploy", "ship a release to a fleet");

static const Field Release_fields[] = {
    FIELD(Release, id, KEY | READ_ONLY | LISTED, "id of the release", .prefix = "release"),
    FIELD(Release, org_id, SCOPE | READ_ONLY, "organisation", .prefix = "org"),
    FIELD(Release,
          application,
          REQUIRED | INDEXED | LISTED,
          "what it is a release of",
          .pattern = &Pattern_slug,
          .max = 63),
    FIELD(
        Release, version, REQUIRED | LISTED, "its version", .pattern = &Pattern_semver, .max = 64),
    FIELD(Release, ref, READ_ONLY | UNIQUE, "application@version"),
    FIELD(Release,
          digest,
          READ_ONLY | LISTED,
          "of the manifest's canonical JSON",
          .pattern = &Pattern_digest),
    FIELD_RECORD(Release, manifest, Manifest, REQUIRED, "what it runs"),
    FIELD(Release, created_by, READ_ONLY, "operator"),
    FIELD(Release, created_at, READ_ONLY | LISTED, "when it was made"),
};
const Schema Release_schema = SCHEMA(Release, "release", "an immutable set of services");

static const Field Token_fields[] = {
    FIELD(Token, id, KEY | READ_ONLY | LISTED, "id of the token", .prefix = "token"),
    FIELD(Token, org_id, SCOPE | READ_ONLY, "organisation", .prefix = "org"),
    FIELD(Token, rev, REV | READ_ONLY, "revision"),
    FIELD(
        Token, fleet_id, REQUIRED | INDEXED | LISTED, "fleet that devices join", .prefix = "fleet"),
    FIELD(Token,
          uses_max,
          LISTED,
          "devices that may join with it",
          .fallback = "1",
          .min = 1,
          .max = 1'000'000),
    FIELD(Token, uses, READ_ONLY | LISTED, "devices that have joined"),
    FIELD(Token,
          ttl,
          WRITE_ONLY,
          "how long it is good",
          .fallback = "1h",
          .min = 1000,
          .max = 31'536'000'000),
    FIELD(Token, expires_at, READ_ONLY | LISTED, "when it stops being good"),
    FIELD(Token, secret_sha256, HIDDEN | UNIQUE | GLOBAL, "hash of the secret"),
    FIELD(Token, token, COMPUTED, "the text for the device, shown once"),
    FIELD(Token, created_at, READ_ONLY, "when it was made"),
};
const Schema Token_schema = SCHEMA(Token, "token", "lets devices join a fleet");

Err token_text_parse(Str text, TokenText *ret_parts) {
    const Err bad = FAIL(ERR_INVALID, "an enrolment token looks like muster1.SECRET.FINGERPRINT");
    Str rest = text;
    Str kind, secret, fingerprint;
    if (!str_cut(&rest, '.', &kind) || !str_eq(kind, S("muster1"))) return bad;
    if (!str_cut(&rest, '.', &secret) || secret.len == 0) return bad;
    if (!str_cut(&rest, '.', &fingerprint) || fingerprint.len != 64 || rest.ptr) return bad;
    *ret_parts = (TokenText){secret, fingerprint};
    return SUCCESS;
}

Str token_text_make(const TokenText *parts, Arena *arena) {
    return str_print(
        arena, "muster1.%.*s.%.*s", STR_FMT(parts->secret), STR_FMT(parts->ca_fingerprint));
}
