// SPDX-License-Identifier: Apache-2.0
/// The thread that moves notes into the journal (db/journal.h).
///
/// It sleeps until a commit with notes wakes it, gathers for a moment and seals what is there. A
/// store that fails is tried again, after pauses that grow, and is logged once. What is left when
/// it ends is sealed at the next start, before anybody is served.
#pragma once

#include "db/journal.h"

typedef struct Sealer Sealer;

typedef struct SealerOptions {
    Db *db;            ///< must outlive it
    const JwsKey *key; ///< signs checkpoints; borrowed
    Clock clock;
    SealWatch watch;
} SealerOptions;

/// Seal everything that waits, then start the thread. A store that fails at this is no failure: the
/// thread tries again. ERR_SYSTEM: no thread. ERR_MEMORY.
Err sealer_open(const SealerOptions *options, Sealer **ret_sealer);
/// There is a new note. Never blocks for long. NULL-safe.
void sealer_wake(Sealer *sealer);
/// Wait until every note that is there now is sealed, or cannot be: then why.
Err sealer_flush(Sealer *sealer);
/// Seal what is left, if the store lets us, and end the thread. NULL-safe; returns NULL.
Sealer *sealer_close(Sealer *sealer);
