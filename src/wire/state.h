// SPDX-License-Identifier: Apache-2.0
/// The files that a device keeps (docs/protocol.md, section 8): formats that no later program may
/// misread.
///
/// Each begins with `format`, the format that it was written as, and `reads`, the lowest format
/// whose programs may read it: a program reads what `reads` lets it, skipping fields that it does
/// not know. So a newer agent may add fields and be replaced by an older one.
#pragma once

#include "wire/agent.h"

enum {
    STATE_FORMAT = 1,                 ///< that this program writes
    STATE_FILE_MAX = 4 * 1024 * 1024, ///< more than a message down: former entries may stay in it
    SEED_LEN = 32,
};

#define STATE_IDENTITY "identity.json"
#define STATE_IDENTITY_NEXT "identity.next.json"
#define STATE_MEMBERSHIP "membership.json"
#define STATE_SERVERS "servers.json"
#define STATE_SERVERS_NEXT "servers.next.json"
#define STATE_DESIRED "desired.json"
#define STATE_REPORTED "reported.json"

/// What every file begins with.
typedef struct StateHead {
    uint64_t format;
    uint64_t reads;
} StateHead;
extern const Schema StateHead_schema;

/// The key that never leaves the device.
typedef struct IdentityFile {
    StateHead head;
    Str algorithm; ///< "ed25519"
    Bytes seed;
} IdentityFile;
extern const Schema IdentityFile_schema;

/// Which device this is, and of which installation.
typedef struct Membership {
    StateHead head;
    Id installation;
    Id device_id;
    uint64_t epoch;
    Str name;       ///< at enrolment
    Id fleet_id;    ///< at enrolment
    Str public_key; ///< base64, of the identity that goes with it
} Membership;
extern const Schema Membership_schema;

/// Where the installation is.
typedef struct ServersFile {
    StateHead head;
    Servers servers;
} ServersFile;
extern const Schema ServersFile_schema;

/// What was accepted last.
typedef struct DesiredFile {
    StateHead head;
    Desired desired;
} DesiredFile;
extern const Schema DesiredFile_schema;

/// What was last told.
typedef struct ReportedFile {
    StateHead head;
    Reported reported;
} ReportedFile;
extern const Schema ReportedFile_schema;

/// The head of a file that this program writes.
StateHead state_head(void);
/// Whether a file with this head may be read by this program.
bool state_head_is_readable(const StateHead *head);
