// SPDX-License-Identifier: Apache-2.0
/// Events: the entries of the journal (base/chain.h) as they come.
#pragma once

#include "base/chain.h"
#include "base/endpoint.h"

/// Of which class.
typedef enum EventClass { EVENT_ANY, EVENT_AUDIT, EVENT_EVENT, EVENT_CLASS_COUNT } EventClass;
extern const EnumNames EventClass_names;

/// Which events, and from where on.
typedef struct EventQuery {
    Str after; ///< number of an entry; absent: who follows begins now, who does not at the start
    bool follow;
    EventClass class;
    StrList action;  ///< "fleet.deploy", or all of a noun: "fleet"
    StrList subject; ///< ids, or what they were called then
} EventQuery;
extern const Schema EventQuery_schema;

/// The data of an event that is no entry, called EVENT_REMOVED: these are not there any more.
typedef struct EventGap {
    uint64_t first;
    uint64_t last;
} EventGap;
extern const Schema EventGap_schema;
#define EVENT_REMOVED "removed"
/// Who does not follow has had everything up to the entry whose number this event's data is.
#define EVENT_END "end"

extern const Endpoint Event_follow;

/// The number of an entry, as `after` and as the id of an event. ERR_INVALID.
Err event_number_parse(Str text, uint64_t *ret_number);
