// SPDX-License-Identifier: Apache-2.0
/// What the files called feed_*.c share; nobody else includes it.
#pragma once

#include "base/arena.h"
#include "control/event/event.h"
#include "control/event/feed.h"

#include <pthread.h>
#include <sys/queue.h>

enum { FEED_PART_BYTES = 64 * 1024 }; ///< after so many a part is long enough

typedef struct FeedOrg FeedOrg;

/// One client. Its texts are in its own arena.
typedef struct FeedStream {
    LIST_ENTRY(FeedStream) link; ///< of its organisation
    Feed *feed;
    FeedOrg *org;
    Arena arena;
    EventQuery query;
    Str bearer;
    WebRequest *web; ///< NULL: its answer has not begun
    uint64_t at;     ///< up to here it has everything, or it is in `page`
    uint64_t end;    ///< of the journal when it began
    Text page;       ///< read for it alone
    bool is_begun;   ///< it was told where it begins
    bool wants_page; ///< it waits for one
    bool owes_beat;
    bool is_over;   ///< nothing more is said
    bool is_gone;   ///< its connection is, and it waits to be put back
    uint32_t hands; ///< of the thread, that hold it without the lock
} FeedStream;

/// An organisation that is followed.
struct FeedOrg {
    LIST_ENTRY(FeedOrg) link;
    Id id;
    LIST_HEAD(, FeedStream) streams;
    uint32_t count; ///< of streams
    struct EventItems window;
    size_t window_bytes;
    uint64_t window_after; ///< the window begins behind this entry
    uint64_t at;           ///< and goes up to this one
    bool is_stale;         ///< there may be more
};

struct Feed {
    App *app;
    pthread_t thread;
    Arena arena;          ///< of the thread, for what it reads now
    pthread_mutex_t lock; ///< guards what follows
    pthread_cond_t change;
    LIST_HEAD(, FeedOrg) orgs; ///< made by who joins, removed by the thread
    uint32_t count;            ///< of streams
    bool is_running;           ///< there is the thread
    bool is_woken;
    bool is_closing;
    bool is_stuck;        ///< the store fails
    uint64_t revocations; ///< when all streams were looked at
};

/// Append what of these the stream wants and has not had, up to a part's length; it has it then.
void feed_take(FeedStream *stream, const struct EventItems *items, Text *out);
/// The stream's place is before the window.
bool feed_is_behind(const FeedStream *stream);
/// The thread has something to do. The lock is held.
void feed_wake(Feed *feed);
/// The stream as its call has it.
CallStream feed_stream_of(FeedStream *stream);
/// Free a stream that is in no list.
void feed_stream_free(FeedStream *stream);
/// Items of the journal behind `after`; `end`: it went up to here at least. `*ret_more`: there are
/// others. Without the lock.
Err feed_read(Feed *feed,
              const Id *org_id,
              uint64_t after,
              uint64_t end,
              struct EventItems *items,
              bool *ret_more);
/// The thread.
void *feed_main(void *feed);
