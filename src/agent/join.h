// SPDX-License-Identifier: Apache-2.0
/// Who this device is when the agent starts: as it was enrolled, or as it is enrolled now, by the
/// file that was left for it (agent/enrol.h).
#pragma once

#include "agent/state.h"

/// The device's membership, in `arena`, and its key. A machine that is not enrolled yet is enrolled
/// by the file at `path`, however long that takes: there may be no network yet. One that has lost
/// its servers tries the file once, and goes on as it was without.
/// `reason`: not NULL. ERR_STATE: it is not enrolled, and there is no file; or a newer program's
/// files. ERR_INVALID: the file or the state folder is not right. ERR_EXISTS: its key is another
/// organisation's device.
Err join(const State *state,
         const char *path,
         Arena *arena,
         Membership *ret_member,
         Identity *ret_identity,
         Reason *reason);
