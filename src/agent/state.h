// SPDX-License-Identifier: Apache-2.0
/// The folder with everything that the agent must know after a power cut.
///
/// Each file is one record by its Schema, replaced as a whole (io/file.h): either the old or the
/// new one. `server.json` says who the device is and to whom; it names the public key that it goes
/// with, so that key and record, which are two files, cannot be mixed up by a crash between them:
/// a new key waits as `identity.next` until the record that names it is there. The Reason of a
/// failure is the path of the file or folder.
#pragma once

#include "agent/identity.h"
#include "base/schema.h"

enum { STATE_FILE_MAX = 512 * 1024 };

#define STATE_DESIRED "desired.json"   ///< a Desired: what was last accepted, saved before acting
#define STATE_PREVIOUS "previous.json" ///< a Desired: the last one that ran before it
#define STATE_REPORTED "reported.json" ///< a Reported: how far we got, and why not further

/// Where this device belongs.
typedef struct Membership {
    Str url;    ///< "https://host:port"
    Str ca_pem; ///< the only authority that is trusted; absent with http
    Id device_id;
    Id fleet_id;    ///< at enrolment
    Str name;       ///< at enrolment
    Str public_key; ///< base64, of the identity that was enrolled
} Membership;
extern const Schema Membership_schema;

typedef struct State {
    Str folder;
    int lock_fd; ///< held while open: one agent a folder
} State;

/// Make the folder if it is not there, and lock it. `folder` is borrowed.
/// ERR_BUSY: another agent has it. ERR_SYSTEM: it cannot be made or opened.
Err state_open(const char *folder, State *ret_state, Reason *reason);
/// Unlock. Fits SCOPED.
void state_close(State *state);
/// Read the record in file `name`. ERR_NOT_FOUND: no such file. ERR_INVALID: damaged.
Err state_load(const State *state,
               const char *name,
               const Schema *schema,
               Arena *arena,
               void *record,
               Reason *reason);
/// Replace the record in file `name`, durably.
Err state_save(
    const State *state, const char *name, const Schema *schema, const void *record, Reason *reason);

/// The device's key and membership. ERR_NOT_FOUND: not enrolled. ERR_INVALID: the files do not fit
/// together. Finishes what a crash in state_enrolled left.
Err state_identity(const State *state,
                   Arena *arena,
                   Membership *ret_member,
                   Identity *ret_identity,
                   Reason *reason);
/// The key to enrol with: one that is made and saved now, or that an earlier try has left.
Err state_identity_next(const State *state, Identity *ret_identity, Reason *reason);
/// The server will never accept the key that an earlier try has left: the next one is a new one.
Err state_identity_refused(const State *state, Reason *reason);
/// The server has accepted `identity`, from state_identity_next: it is the device's from now on.
/// Forgets what belonged to the one before.
Err state_enrolled(const State *state,
                   const Membership *member,
                   const Identity *identity,
                   Reason *reason);
