// SPDX-License-Identifier: Apache-2.0
#include "control/event/event.h"

#include "base/log.h"
#include "base/scope.h"
#include "http1/sse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ITEM_TEXT_MAX = ENTRY_BYTES_MAX + 256 };

/// A copy behind what `*at` points to, which moves on.
static Str event_keep(char **at, Str text) {
    if (text.len == 0) return (Str){};
    Str kept = {*at, text.len};
    memcpy(*at, text.ptr, text.len);
    *at += text.len;
    return kept;
}

/// The item with copies of its texts.
static Err event_item_make(const EventItem *from, EventItem **ret_item) {
    size_t len = from->action.len + from->subject.len + from->subject_name.len + from->text.len;
    EventItem *item = malloc(sizeof(*item) + len);
    if (!item) return OUT_OF_MEMORY;
    *item = *from;
    char *at = item->bytes;
    item->action = event_keep(&at, from->action);
    item->subject = event_keep(&at, from->subject);
    item->subject_name = event_keep(&at, from->subject_name);
    item->text = event_keep(&at, from->text);
    *ret_item = item;
    return SUCCESS;
}

/// `number` as an id.
static Str event_id(uint64_t number, char text[static 24]) {
    int len = snprintf(text, 24, "%llu", (unsigned long long)number);
    return (Str){text, (size_t)len};
}

Err event_item_of(const JournalRow *row, Arena *arena, EventItem **ret_item) {
    JournalEntry entry = {};
    Err err = entry_decode(row->entry, row->hash, arena, &entry);
    if (err.code == ERR_INVALID)
        log_event(LOG_ERROR, "journal.damaged", F("id", row->id), F("what", err.what));
    else
        TRY(err);
    char id[24];
    SCOPED(text_done) Text text;
    text_init(&text, ITEM_TEXT_MAX);
    sse_add(&text, &(SseEvent){.id = event_id(row->number, id), .data = row->entry});
    TRY(text_check(&text));
    return event_item_make(&(EventItem){.number = row->number,
                                        .class = row->class,
                                        .action = entry.action,
                                        .subject = entry.subject,
                                        .subject_name = entry.subject_name,
                                        .text = text_str(&text)},
                           ret_item);
}

Err event_item_gap(const EventGap *gap, uint64_t floor, EventItem **ret_item) {
    char id[24];
    SCOPED(text_done) Text data, text;
    text_init(&data, ITEM_TEXT_MAX);
    text_init(&text, ITEM_TEXT_MAX);
    schema_encode(&EventGap_schema, gap, ENCODE_REPLY, &data);
    TRY(text_check(&data));
    sse_add(&text, &(SseEvent){event_id(gap->last, id), S(EVENT_REMOVED), text_str(&data)});
    TRY(text_check(&text));
    return event_item_make(&(EventItem){.number = gap->last,
                                        .is_gap = true,
                                        .was_audit = gap->first <= floor,
                                        .text = text_str(&text)},
                           ret_item);
}

void event_items_free(struct EventItems *items) {
    EventItem *item;
    while ((item = TAILQ_FIRST(items))) {
        TAILQ_REMOVE(items, item, link);
        free(item);
    }
}

static bool event_has_action(StrList actions, Str action) {
    Str rest = action, noun = {};
    (void)str_cut(&rest, '.', &noun);
    for (size_t i = 0; i < actions.count; i++)
        if (str_eq(actions.items[i], action) || str_eq(actions.items[i], noun)) return true;
    return actions.count == 0;
}

static bool event_has_subject(StrList subjects, const EventItem *item) {
    for (size_t i = 0; i < subjects.count; i++) {
        if (str_eq(subjects.items[i], item->subject)) return true;
        if (item->subject_name.len && str_eq(subjects.items[i], item->subject_name)) return true;
    }
    return subjects.count == 0;
}

bool event_is_wanted(const EventQuery *query, const EventItem *item) {
    // Nobody knows what was in a gap; but audit entries go from the oldest on.
    if (item->is_gap) return query->class != EVENT_AUDIT || item->was_audit;
    if (query->class == EVENT_AUDIT && item->class != ENTRY_AUDIT) return false;
    if (query->class == EVENT_EVENT && item->class != ENTRY_EVENT) return false;
    return event_has_action(query->action, item->action) && event_has_subject(query->subject, item);
}

Err event_begin(const EventQuery *query, Str last_event_id, uint64_t end, uint64_t *ret_after) {
    uint64_t after = query->follow ? end : 0;
    Str from = last_event_id.len ? last_event_id : query->after;
    if (from.len) TRY(event_number_parse(from, &after));
    if (after > end)
        return FAIL(ERR_STATE, "the journal has no such entry yet: is this another journal?");
    *ret_after = after;
    return SUCCESS;
}
