// SPDX-License-Identifier: Apache-2.0
/// `muster-agent run`: the device's life. The loop's thread holds the link, a second one the
/// containers; two slots (slot.h) lie between them.
#pragma once

#include "base/err.h"

typedef struct RunOptions {
    const char *state;  ///< folder
    const char *engine; ///< "unix:///var/run/docker.sock"
    uint64_t poll_s;    ///< 0: a channel
} RunOptions;

/// Run until SIGTERM or SIGINT. ERR_STATE: not enrolled. ERR_INVALID: the engine's address, or a
/// damaged state. ERR_BUSY: another agent runs. ERR_SYSTEM, ERR_MEMORY. The Reason
/// names the file or address.
Err run(const RunOptions *options, Reason *reason);
