// SPDX-License-Identifier: Apache-2.0
/// The folder with everything that the agent must know after a power cut (docs/protocol.md,
/// section 8; the records are in wire/state.h).
///
/// Each file is one record by its Schema, replaced as a whole (io/file.h): either the old or the
/// new one. membership.json says who the device is; it names the public key that it goes with, so
/// that key and membership, which are two files, cannot be mixed up by a crash between them: a new
/// key waits as identity.next.json until the membership that names it is there. The Reason of a
/// failure names the file, and says what is wrong in it.
#pragma once

#include "agent/identity.h"
#include "agent/notes.h"

typedef struct State {
    Str folder;
    int lock_fd;  ///< held while open: one agent a folder
    Notes *notes; ///< where it is told that a file was set aside; NULL: nowhere
} State;

/// Make the folder if it is not there, and lock it. `folder` and `notes` are borrowed.
/// ERR_BUSY: another agent has it. ERR_SYSTEM: it cannot be made or opened.
Err state_open(const char *folder, Notes *notes, State *ret_state, Reason *reason);
/// Unlock. Fits SCOPED.
void state_close(State *state);

/// Read the record in file `name`. Its schema begins with the members of StateHead. ERR_NOT_FOUND:
/// no such file. ERR_STATE: a newer program wrote it, for newer programs only. ERR_INVALID:
/// damaged.
Err state_load(const State *state,
               const char *name,
               const Schema *schema,
               Arena *arena,
               void *record,
               Reason *reason);
/// The same for a file that can be asked for again: one that cannot be read is set aside as
/// NAME.newer or NAME.damaged, noted, and is ERR_NOT_FOUND.
Err state_find(const State *state,
               const char *name,
               const Schema *schema,
               Arena *arena,
               void *record,
               Reason *reason);
/// Replace the record in file `name`, durably. Its head is the caller's (wire/state.h:state_head).
Err state_save(
    const State *state, const char *name, const Schema *schema, const void *record, Reason *reason);

/// The device's key and membership. ERR_NOT_FOUND: not enrolled. ERR_STATE: a newer program's.
/// ERR_INVALID: damaged, or the files do not fit together; `reason` says which, and nothing was
/// changed. Finishes what a crash in state_enrolled or state_rotated left.
Err state_identity(const State *state,
                   Arena *arena,
                   Membership *ret_member,
                   Identity *ret_identity,
                   Reason *reason);
/// The key in identity.next.json. ERR_NOT_FOUND: there is none.
Err state_next_find(const State *state, Identity *ret_identity, Reason *reason);
/// The same, made and saved now unless there is one: to enrol with, or to offer.
Err state_next_make(const State *state, Identity *ret_identity, Reason *reason);
/// The server will never accept the key that waits: the next one is a new one.
Err state_next_forget(const State *state, Reason *reason);
/// The server has accepted `identity`: it is the device's from now on, with this membership and
/// these servers. Forgets what belonged to the enrolment before.
Err state_enrolled(const State *state,
                   const Membership *member,
                   const Servers *servers,
                   const Identity *identity,
                   Reason *reason);
/// The server knows the device by `identity`, the key that waited, from now on. `member` is the
/// present one.
Err state_rotated(const State *state,
                  const Membership *member,
                  const Identity *identity,
                  Reason *reason);

/// Where the installation is: the list in force, and one on trial (no digest: there is none).
/// ERR_NOT_FOUND: neither is known; a token is needed again.
Err state_servers(
    const State *state, Arena *arena, Servers *ret_servers, Servers *ret_trial, Reason *reason);
/// Keep a list that is to be tried beside the one in force.
Err state_servers_try(const State *state, const Servers *servers, Reason *reason);
/// The list on trial works: it is the one in force.
Err state_servers_accept(const State *state, const Servers *servers, Reason *reason);
/// The list on trial does not work.
Err state_servers_drop(const State *state, Reason *reason);
