// SPDX-License-Identifier: Apache-2.0
#include "wire/agent.h"

#include "base/field.h"
#include "wire/manifest.h"

enum {
    JWS_TEXT_MAX = 2048,
    NONCE_MAX = 128,
    SERVERS_DIGEST_MAX = DIGEST_LEN,
    INSTANCE_LEN = 32,
    SECRET_MAX = 255,
    HEX_DIGEST_LEN = 64,
    SIGNATURE_BYTES_MAX = 512,
    CIPHERTEXT_MAX = 16 * 1024,
    WORD_MAX = 64,
    HEARTBEAT_MAX_MS = 86'400'000,
};

static const char *const bindings[] = {"none", "tls-exporter"};
const EnumNames Binding_names = ENUM_NAMES(bindings);
static const char *const proof_uses[] = {"enrol", "hello", "rotate"};
const EnumNames ProofUse_names = ENUM_NAMES(proof_uses);

static const Field Challenge_fields[] = {
    FIELD(Challenge, nonce, REQUIRED, "to be signed", .max = NONCE_MAX),
    FIELD(Challenge, now, REQUIRED, "the server's time"),
    FIELD(Challenge, audience, REQUIRED, "the installation", .prefix = "installation"),
    FIELD_ENUM(Challenge, binding, Binding, 0, "what the proof must carry of the connection"),
};
const Schema Challenge_schema = SCHEMA(Challenge, "challenge", "something fresh to sign");

static const Field Proof_fields[] = {
    FIELD(Proof, aud, REQUIRED, "the installation", .prefix = "installation"),
    FIELD_ENUM(Proof, use, ProofUse, REQUIRED, "what it is a proof for"),
    FIELD(Proof, nonce, REQUIRED, "of the challenge", .max = NONCE_MAX),
    FIELD(Proof, sub, 0, "the device", .prefix = "device"),
    FIELD(Proof, binding, 0, "of the connection", .min = BINDING_LEN, .max = BINDING_LEN),
    FIELD(Proof, about, 0, "hash of the secret, or the new key", .max = HEX_DIGEST_LEN),
};
const Schema Proof_schema = SCHEMA(Proof, "proof", "what a device signs");

static const Field ServerEntry_fields[] = {
    FIELD(ServerEntry, url, REQUIRED, "https://HOST[:PORT]", .pattern = &Pattern_line),
};
const Schema ServerEntry_schema = SCHEMA(ServerEntry, "server_entry", "a server");

static const Field Servers_fields[] = {
    FIELD(Servers,
          digest,
          REQUIRED,
          "names this list",
          .pattern = &Pattern_line,
          .max = SERVERS_DIGEST_MAX),
    FIELD_LIST(Servers,
               servers,
               ServerEntry,
               REQUIRED,
               "in the order in which they are tried",
               .min = 1,
               .max = SERVERS_MAX),
    FIELD(Servers,
          authorities,
          0,
          "PEM certificates that are trusted; none: the public ones",
          .max = AUTHORITIES_MAX,
          .item_max = AUTHORITY_PEM_MAX),
};
const Schema Servers_schema =
    SCHEMA(Servers, "servers", "where an installation can be reached, and whom to trust there");

#define AGENT_FIELDS(type, flags)              \
    FIELD(type,                                \
          agent_version,                       \
          flags,                               \
          "version of the agent",              \
          .pattern = &Pattern_line,            \
          .max = VERSION_MAX),                 \
        FIELD(type,                            \
              abilities,                       \
              0,                               \
              "what documents may need of it", \
              .max = ABILITIES_MAX,            \
              .item_max = ABILITY_MAX,         \
              .pattern = &Pattern_dns_label)

static const Field EnrolInput_fields[] = {
    FIELD(EnrolInput, secret, REQUIRED | WRITE_ONLY, "of the enrolment token", .max = SECRET_MAX),
    FIELD(EnrolInput, public_key, REQUIRED, "the device's Ed25519 key", .pattern = &Pattern_key32),
    FIELD(EnrolInput, proof, REQUIRED, "a Proof for enrol by that key", .max = JWS_TEXT_MAX),
    FIELD(EnrolInput, name, 0, "wished name", .pattern = &Pattern_slug, .max = DEVICE_NAME_MAX),
    FIELD_RECORD(EnrolInput, facts, Facts, 0, "what the device is"),
    AGENT_FIELDS(EnrolInput, 0),
};
const Schema EnrolInput_schema = SCHEMA(EnrolInput, "enrolment", "a device that joins");

static const Field Enrolled_fields[] = {
    FIELD(Enrolled, device_id, REQUIRED, "the device's id from now on", .prefix = "device"),
    FIELD(Enrolled, name, REQUIRED, "its name"),
    FIELD(Enrolled, fleet_id, REQUIRED, "the fleet it joined", .prefix = "fleet"),
    FIELD(Enrolled, epoch, REQUIRED, "number of this enrolment", .min = 1),
    FIELD(Enrolled, installation, REQUIRED, "audience of its proofs", .prefix = "installation"),
    FIELD_RECORD(Enrolled, servers, Servers, REQUIRED, "where to come back to"),
    FIELD(Enrolled, heartbeat, 0, "how often to say something", .max = HEARTBEAT_MAX_MS),
};
const Schema Enrolled_schema = SCHEMA(Enrolled, "enrolled", "a device that has joined");

static const Field NextKey_fields[] = {
    FIELD(NextKey, public_key, REQUIRED, "Ed25519, base64", .pattern = &Pattern_key32),
    FIELD(NextKey, proof, REQUIRED, "a Proof for rotate by that key", .max = JWS_TEXT_MAX),
};
const Schema NextKey_schema = SCHEMA(NextKey, "next_key", "what the identity key becomes");

static const Field Hello_fields[] = {
    FIELD(Hello, device_id, REQUIRED, "who is there", .prefix = "device"),
    FIELD(Hello, epoch, REQUIRED, "number of its enrolment", .min = 1),
    FIELD(Hello, proof, REQUIRED, "a Proof for hello", .max = JWS_TEXT_MAX),
    AGENT_FIELDS(Hello, REQUIRED),
    FIELD(Hello,
          instance,
          0,
          "random at each start",
          .pattern = &Pattern_hex128,
          .max = INSTANCE_LEN),
    FIELD(Hello, servers, 0, "digest of the list that is held", .max = SERVERS_DIGEST_MAX),
    FIELD(Hello, servers_failed, 0, "digest of one that failed", .max = SERVERS_DIGEST_MAX),
    FIELD_RECORD(Hello, next_key, NextKey, 0, "what the identity key becomes"),
};
const Schema Hello_schema = SCHEMA(Hello, "hello", "who is there");

static const Field SyncUp_fields[] = {
    FIELD_RECORD(SyncUp, hello, Hello, 0, "first message of a channel, and each poll"),
    FIELD(SyncUp, seq, REQUIRED, "grows with each message", .min = 1),
    FIELD(SyncUp, generation, 0, "of the desired state that the device holds"),
    FIELD_RECORD(SyncUp, stamp, Stamp, 0, "when this was said"),
    FIELD_RECORD(SyncUp, facts, Facts, 0, "when they changed"),
    FIELD_RECORD(SyncUp, reported, Reported, 0, "when it changed"),
    FIELD_RECORD(SyncUp, telemetry, Telemetry, 0, "latest measurements"),
};
const Schema SyncUp_schema = SCHEMA(SyncUp, "sync_up", "what a device has");

bool sync_up_has(const SyncUp *up, const char *member) {
    const Field *field = schema_field(&SyncUp_schema, str_from(member));
    return !field_is_absent(field, (const char *)up + field->offset);
}

static const Field Sealed_fields[] = {
    FIELD(Sealed, name, REQUIRED, "of the secret", .pattern = &Pattern_line),
    FIELD(Sealed, algorithm, REQUIRED, "how it is sealed", .max = WORD_MAX),
    FIELD(Sealed, recipient, REQUIRED, "key that it is sealed to"),
    FIELD(Sealed, ciphertext, REQUIRED, "for nobody else", .max = CIPHERTEXT_MAX),
};
const Schema Sealed_schema = SCHEMA(Sealed, "sealed", "a secret for one device");

static const Field Signature_fields[] = {
    FIELD(Signature, algorithm, REQUIRED, "ed25519", .max = WORD_MAX),
    FIELD(Signature, key_id, REQUIRED, "whose it is", .pattern = &Pattern_line),
    FIELD(Signature, signature, REQUIRED, "over exact bytes", .max = SIGNATURE_BYTES_MAX),
};
const Schema Signature_schema = SCHEMA(Signature, "signature", "of a document");

static const Field Application_fields[] = {
    FIELD(Application, name, REQUIRED, "its name", .pattern = &Pattern_dns_label, .max = 63),
    FIELD(Application, serial, REQUIRED, "grows with each deployment", .min = 1),
    FIELD(Application, release_id, REQUIRED, "its release", .prefix = "release"),
    FIELD(Application, version, 0, "of the release", .pattern = &Pattern_line),
    FIELD_RECORD(Application, manifest, Document, REQUIRED, "what it runs"),
    FIELD_RECORD(Application, values, Document, 0, "variables and files"),
    FIELD_LIST(Application, sealed, Sealed, 0, "secrets", .max = SEALED_MAX),
    FIELD_RECORD(Application, statement, Document, 0, "authorises the deployment"),
    FIELD_LIST(Application, signatures, Signature, 0, "of the statement", .max = SIGNATURES_MAX),
};
const Schema Application_schema =
    SCHEMA(Application, "application", "an application at one release");

static const Field Desired_fields[] = {
    FIELD(Desired, generation, REQUIRED, "newest wins", .min = 1),
    FIELD_LIST(Desired,
               applications,
               Application,
               REQUIRED,
               "all that should run",
               .max = APPLICATIONS_MAX),
    FIELD_RECORD(Desired, policy, Document, 0, "what the device may do, and when"),
    EXTRA_ROWS(Desired)};
const Schema Desired_schema = SCHEMA(Desired, "desired", "what a device should run");

static const Field SyncDown_fields[] = {
    FIELD_RECORD(SyncDown, challenge, Challenge, 0, "first message of a channel"),
    FIELD_RECORD(SyncDown, refused, Refusal, 0, "hello was refused"),
    FIELD(SyncDown, ack, 0, "what is durable; 0: a push"),
    FIELD(SyncDown, now, 0, "the server's time"),
    FIELD(SyncDown, heartbeat, 0, "how often to say something", .max = HEARTBEAT_MAX_MS),
    FIELD_RECORD(SyncDown, desired, Desired, 0, "if it is newer"),
    FIELD_RECORD(SyncDown, servers, Servers, 0, "if they are others"),
    FIELD(SyncDown, rotate_key, 0, "replace the identity key"),
    FIELD(SyncDown, key, 0, "that the device is known by", .pattern = &Pattern_key32),
};
const Schema SyncDown_schema = SCHEMA(SyncDown, "sync_down", "what the server wants");

static size_t agent_application_texts(const Application *application) {
    return application->manifest.text.len + application->values.text.len
           + application->statement.text.len;
}

Err desired_check(const Desired *desired, Reason *reason) {
    const ApplicationList *list = &desired->applications;
    size_t texts = desired->policy.text.len;
    for (size_t i = 0; i < list->count; i++) {
        texts += agent_application_texts(&list->items[i]);
        if (i > 0 && str_cmp(list->items[i - 1].name, list->items[i].name) >= 0)
            return reason_fail(reason,
                               FAIL(ERR_INVALID, "the desired state is not well-formed"),
                               "/applications/%zu/name: must stand behind the one before it",
                               i);
    }
    if (texts <= DESIRED_TEXTS_MAX) return SUCCESS;
    return reason_fail(reason,
                       FAIL(ERR_INVALID, "the desired state is too large"),
                       "%zu bytes of documents, at most %d",
                       texts,
                       DESIRED_TEXTS_MAX);
}

void application_check(const Application *application, Refusal *ret_refusal) {
    *ret_refusal = (Refusal){};
    if (application->values.text.ptr) {
        *ret_refusal = refusal_make(REFUSED_NEEDS_ABILITY,
                                    S("it has values, which this agent cannot read: a newer "
                                      "muster-agent is needed"));
    } else if (application->sealed.count > 0) {
        *ret_refusal = refusal_make(REFUSED_NEEDS_ABILITY,
                                    S("it has secrets, which this agent cannot unseal: a newer "
                                      "muster-agent is needed"));
    } else if (application->statement.text.ptr) {
        *ret_refusal = refusal_make(REFUSED_NEEDS_ABILITY,
                                    S("it has a statement, which this agent cannot judge: a newer "
                                      "muster-agent is needed"));
    }
}
