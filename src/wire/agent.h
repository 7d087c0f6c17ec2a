// SPDX-License-Identifier: Apache-2.0
/// What a device and the control plane say to each other: docs/protocol.md in C.
///
/// Everything here is an envelope, read with DECODE_PEER: either side may be older. What is signed
/// (Proof) and what a device acts on (wire/document.h) is read strictly.
#pragma once

#include "wire/device.h"
#include "wire/document.h"
#include "wire/extra.h"

enum {
    SYNC_DOWN_MAX = 2 * 1024 * 1024, ///< bytes of a message down
    SYNC_UP_MAX = 512 * 1024,        ///< of one up
    SYNC_FIRST_MAX = 128 * 1024,     ///< of the first one up, from somebody who is not known yet
    HELLO_WITHIN_MS = 20'000,        ///< from the connection's start to an accepted hello
    NONCE_LIFE_MS = 60'000,
    BINDING_LEN = 32, ///< bytes of a channel binding
    SERVERS_MAX = 8,
    AUTHORITIES_MAX = 8,
    AUTHORITY_PEM_MAX = 16 * 1024,
    URL_MAX = 255,
    APPLICATIONS_MAX = 16,
    SEALED_MAX = 64,
    SIGNATURES_MAX = 8,
    DESIRED_TEXTS_MAX = 3 * 512 * 1024, ///< bytes of all documents of a desired state
    VALUES_TEXT_MAX = 256 * 1024,
    STATEMENT_TEXT_MAX = 16 * 1024,
};

#define AGENT_CHALLENGE_PATH "/v1/agent/challenge"
#define AGENT_ENROL_PATH "/v1/agent/enrol"
#define AGENT_SYNC_PATH "/v1/agent/sync"
#define AGENT_CHANNEL_PATH "/v1/agent/channel"
#define AGENT_SUBPROTOCOL "muster.1"

/// WebSocket close statuses of ours (docs/protocol.md, section 5).
enum { CHANNEL_REPLACED = 4001, CHANNEL_REFUSED = 4003 };

/// What a proof must carry of the connection.
typedef enum Binding { BINDING_NONE, BINDING_TLS_EXPORTER } Binding;
extern const EnumNames Binding_names;

/// Something fresh to sign.
typedef struct Challenge {
    Str nonce; ///< good for NONCE_LIFE_MS at any server of the installation
    Time now;  ///< the server's time
    Id audience;
    Binding binding;
} Challenge;
extern const Schema Challenge_schema;

/// What a proof is for; one for one is none for another.
typedef enum ProofUse { PROOF_ENROL, PROOF_HELLO, PROOF_ROTATE } ProofUse;
extern const EnumNames ProofUse_names;

/// Claims of a proof: a JWS by a device's identity key. Read strictly.
typedef struct Proof {
    Id aud; ///< the installation
    ProofUse use;
    Str nonce;
    Id sub;        ///< the device; absent in PROOF_ENROL
    Bytes binding; ///< of the connection; present exactly if the challenge asks for it
    Str about;     ///< PROOF_ENROL: SHA-256 of the secret, hex; else the new public key, if any
} Proof;
extern const Schema Proof_schema;

/// A server of the installation.
typedef struct ServerEntry {
    Str url;
} ServerEntry;
extern const Schema ServerEntry_schema;

/// Where an installation can be reached, and whom to trust there.
typedef struct Servers {
    Str digest; ///< names this list; absent: there is none
    struct {
        ServerEntry *items;
        size_t count;
    } servers;           ///< in the order in which they are tried
    StrList authorities; ///< PEM; none: the publicly trusted ones
} Servers;
extern const Schema Servers_schema;

typedef struct EnrolInput {
    Str secret;     ///< of the enrolment token
    Str public_key; ///< Ed25519, base64
    Str proof;      ///< PROOF_ENROL
    Str name;       ///< wished name; absent: the host name made to fit, or the id
    Facts facts;
    Str agent_version;
    StrList abilities;
} EnrolInput;
extern const Schema EnrolInput_schema;

typedef struct Enrolled {
    Id device_id;
    Str name;
    Id fleet_id;
    uint64_t epoch;
    Id installation;
    Servers servers;
    Duration heartbeat;
} Enrolled;
extern const Schema Enrolled_schema;

/// The identity key is to be replaced by this one.
typedef struct NextKey {
    Str public_key;
    Str proof; ///< PROOF_ROTATE, by the new key
} NextKey;
extern const Schema NextKey_schema;

/// Who is there. Absent: no device_id.
typedef struct Hello {
    Id device_id;
    uint64_t epoch;
    Str proof; ///< PROOF_HELLO, over the connection's challenge
    Str agent_version;
    StrList abilities;
    Str instance;       ///< random at each start of the agent
    Str servers;        ///< digest of the list that is held
    Str servers_failed; ///< of one that was tried and did not work
    NextKey next_key;
} Hello;
extern const Schema Hello_schema;

/// Device to server. Facts and account are in it when they changed since the last acknowledged
/// ones.
typedef struct SyncUp {
    Hello hello;         ///< in the first message of a channel, and in each poll
    uint64_t seq;        ///< grows by one a message; the answer acknowledges it
    uint64_t generation; ///< of the desired state that is held durably
    Stamp stamp;
    Facts facts;
    Reported reported;
    Telemetry telemetry;
} SyncUp;
extern const Schema SyncUp_schema;

/// The message has this member, which is a record of its own.
bool sync_up_has(const SyncUp *up, const char *member);

/// A secret for one device; kept as it came.
typedef struct Sealed {
    Str name;
    Str algorithm;
    Str recipient; ///< the key it is sealed to
    Bytes ciphertext;
} Sealed;
extern const Schema Sealed_schema;

/// Detached, over the exact bytes of a document's text.
typedef struct Signature {
    Str algorithm; ///< "ed25519"
    Str key_id;
    Bytes signature;
} Signature;
extern const Schema Signature_schema;

/// An application at one release.
typedef struct Application {
    Str name;
    uint64_t serial; ///< grows with each deployment
    Id release_id;
    Str version;
    Document manifest;
    Document values;
    struct {
        Sealed *items;
        size_t count;
    } sealed;
    Document statement;
    struct {
        Signature *items;
        size_t count;
    } signatures;
} Application;
extern const Schema Application_schema;
typedef struct ApplicationList {
    Application *items;
    size_t count;
} ApplicationList;

/// Everything that a device should run. Generation 0: absent.
typedef struct Desired {
    uint64_t generation; ///< newest wins, never goes back
    ApplicationList applications;
    Document policy;
    EXTRA_MEMBERS
} Desired;
extern const Schema Desired_schema;

/// Server to device: a challenge, an answer, or a push (`ack` 0).
typedef struct SyncDown {
    Challenge challenge; ///< in the first message of a channel, alone
    Refusal refused;     ///< hello was refused: the last message
    uint64_t ack;        ///< everything up to this SyncUp.seq is durable
    Time now;
    Duration heartbeat;
    Desired desired; ///< if newer than what the device holds
    Servers servers; ///< if other than what the device holds
    bool rotate_key; ///< replace the identity key when convenient
    Str key;         ///< answers Hello.next_key: the key the device is known by from now on
} SyncDown;
extern const Schema SyncDown_schema;

/// Judge a desired state as a whole: names unique and in order, texts not too large together.
/// ERR_INVALID: `reason` says what is wrong; it must not be held.
Err desired_check(const Desired *desired, Reason *reason);
/// The application's part that needs an ability which this program lacks; absent if there is none.
/// `*ret_refusal` says so (texts static).
void application_check(const Application *application, Refusal *ret_refusal);
