// SPDX-License-Identifier: Apache-2.0
/// Who follows the journals, and one thread that reads for all of them.
///
/// An organisation with streams has a *window*: its newest entries, read once when the sealer has
/// put them there, for all who are at the end. Whoever is further behind, because it began there
/// or takes slowly, has the thread read for it alone, a page when it has taken the one before. So a
/// stream holds its place and one page at most. The network's thread copies; it never reads.
///
/// A stream is as good as the token that it began with: it is looked at again when anything was
/// revoked, before more is handed on, and with each heartbeat.
#pragma once

#include "api/event.h"
#include "control/app.h"

typedef struct Feed Feed;

/// Who begins, and where.
typedef struct FeedJoin {
    Id org_id;
    Str bearer;
    const EventQuery *query; ///< copied
    uint64_t after;          ///< number of an entry
    uint64_t end;            ///< of the journal now: who does not follow ends here
} FeedJoin;

/// Nobody follows, and no thread yet: it begins with the first who does. ERR_MEMORY.
Err feed_open(App *app, Feed **ret_feed);
/// No stream is left. NULL-safe; returns NULL.
Feed *feed_close(Feed *feed);
/// A new stream; it begins when the answer does. ERR_BUSY: there are as many as there may be, of
/// this organisation or in all. ERR_MEMORY, ERR_SYSTEM.
Err feed_join(Feed *feed, const FeedJoin *join, CallStream *ret_stream);
/// The organisation's journal has grown. Does not block. Thread-safe.
void feed_sealed(Feed *feed, const Id *org_id);
