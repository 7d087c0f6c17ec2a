// SPDX-License-Identifier: Apache-2.0
// From rows of the journal to items, with what is missing between them.
#include "base/scope.h"
#include "control/event/feed_parts.h"
#include "db/tx.h"

enum { PAGE_ROWS_MAX = 64 };

typedef struct FeedReading {
    Feed *feed;
    Tx *tx;
    const Id *org_id;
    struct EventItems *items;
    uint64_t at;    ///< up to here there are items
    bool has_floor; ///< it was asked for
    uint64_t floor;
} FeedReading;

/// Entries up to this one are not there.
static Err feed_read_gap(FeedReading *reading, uint64_t last) {
    Feed *feed = reading->feed;
    EventItem *item;
    Checkpoint end;
    if (last <= reading->at) return SUCCESS;
    if (!reading->has_floor) {
        const uint8_t *key = feed->app->key.public;
        TRY(journal_end(reading->tx, &feed->arena, reading->org_id, key, &end));
        reading->floor = end.floor_number;
        reading->has_floor = true;
    }
    TRY(event_item_gap(&(EventGap){reading->at + 1, last}, reading->floor, &item));
    TAILQ_INSERT_TAIL(reading->items, item, link);
    reading->at = last;
    return SUCCESS;
}

static Err feed_read_row(FeedReading *reading, const JournalRow *row) {
    EventItem *item;
    TRY(feed_read_gap(reading, row->number - 1));
    TRY(event_item_of(row, &reading->feed->arena, &item));
    TAILQ_INSERT_TAIL(reading->items, item, link);
    reading->at = row->number;
    return SUCCESS;
}

Err feed_read(Feed *feed,
              const Id *org_id,
              uint64_t after,
              uint64_t end,
              struct EventItems *items,
              bool *ret_more) {
    const JournalRow *rows;
    size_t count;
    SCOPED(tx_closep) Tx *tx = NULL;
    arena_reset(&feed->arena);
    TRY(tx_open(feed->app->db, &feed->arena, id_str(org_id), &tx));
    TRY(journal_read(tx, &feed->arena, org_id, after, PAGE_ROWS_MAX, &rows, &count));
    FeedReading reading = {.feed = feed, .tx = tx, .org_id = org_id, .items = items, .at = after};
    for (size_t i = 0; i < count; i++)
        TRY(feed_read_row(&reading, &rows[i]));
    *ret_more = count == PAGE_ROWS_MAX;
    return *ret_more ? SUCCESS : feed_read_gap(&reading, end);
}
