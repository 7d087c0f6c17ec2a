// SPDX-License-Identifier: Apache-2.0
/// `muster-agent run`: the device's life. The loop's thread holds the link, a second one the
/// containers; slots (slot.h) lie between them.
#pragma once

#include "base/err.h"

typedef struct RunOptions {
    const char *state;      ///< folder
    const char *engine;     ///< "unix:///var/run/docker.sock"
    const char *enrol_file; ///< by which a machine that is not enrolled joins, for ever trying
    uint64_t poll_s;        ///< 0: a channel
} RunOptions;

/// Run until SIGTERM or SIGINT. ERR_STATE: not enrolled and no enrolment file, or a file of a newer
/// program. ERR_INVALID: the engine's address, the enrolment file, or a damaged identity; `reason`
/// says what is wrong. ERR_BUSY: another agent runs. ERR_SYSTEM, ERR_MEMORY.
Err run(const RunOptions *options, Reason *reason);
