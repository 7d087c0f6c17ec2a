// SPDX-License-Identifier: Apache-2.0
/// The journal's entries as streams of events, each to whom it is for: what is pure about it.
#pragma once

#include "api/event.h"
#include "control/slice.h"

#include <sys/queue.h>

/// An entry of the journal as it is sent, or what is not there of it any more.
typedef struct EventItem {
    TAILQ_ENTRY(EventItem) link;
    uint64_t number;  ///< of the entry; of a gap, the last in it
    bool is_gap;      ///< retention has removed some
    bool was_audit;   ///< of a gap: audit entries may have been in it
    EntryClass class; ///< these four of an entry only
    Str action, subject, subject_name;
    Str text;     ///< as Server-Sent Events
    char bytes[]; ///< of all that
} EventItem;

/// Items in the order of their numbers, each of which is about what follows the one before.
TAILQ_HEAD(EventItems, EventItem);

/// The item of a row, malloc'ed. An entry that cannot be read has no action: it is for those who
/// want all. ERR_MEMORY; ERR_LIMIT: the arena is exhausted.
Err event_item_of(const JournalRow *row, Arena *arena, EventItem **ret_item);
/// The item of a gap. `floor`: audit entries up to here were removed. ERR_MEMORY.
Err event_item_gap(const EventGap *gap, uint64_t floor, EventItem **ret_item);
/// Free what is in the list; it is empty then.
void event_items_free(struct EventItems *items);

/// Whether who asked so wants it.
bool event_is_wanted(const EventQuery *query, const EventItem *item);

/// Where a client begins: behind the event that it saw last, else as it asks. `end`: of the journal
/// now. ERR_INVALID: the id is none. ERR_STATE: there is no such entry yet.
Err event_begin(const EventQuery *query, Str last_event_id, uint64_t end, uint64_t *ret_after);

extern const Slice event_slice;
