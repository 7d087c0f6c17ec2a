// SPDX-License-Identifier: Apache-2.0
/// The progress of a pull: JSON objects, a line each, in pieces of any size.
///
/// The engine answers 200 before it knows whether the pull will work, so a failure is one of the
/// lines.
#pragma once

#include "base/text.h"

enum { PULL_LINE_MAX = 16 * 1024 };

typedef struct PullProgress {
    Text line;    ///< the line under way
    bool skipped; ///< the line under way is too long, drop it until its end
    bool failed;
    Reason reason; ///< of the failure
} PullProgress;

/// Nothing read yet.
void pull_init(PullProgress *pull);
/// Free. Fits SCOPED.
void pull_done(PullProgress *pull);
/// Read a piece. Lines that are no JSON object, or longer than PULL_LINE_MAX, are passed over.
void pull_feed(PullProgress *pull, Str bytes);
/// The stream is over: read what is left.
void pull_end(PullProgress *pull);
