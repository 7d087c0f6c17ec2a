// SPDX-License-Identifier: Apache-2.0
#include "api/event.h"

enum { NUMBER_DIGITS = 15 }; ///< of any that a JSON number can be

static const char *const class_texts[] = {"any", "audit", "event"};
const EnumNames EventClass_names = ENUM_NAMES(class_texts);

static bool event_is_number(Str text) {
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9') return false;
    return text.len >= 1 && text.len <= NUMBER_DIGITS;
}

static const Pattern Pattern_number = {
    .name = "entry-number",
    .regex = "^[0-9]{1,15}$",
    .allowed = "the number of an entry",
    .matches = event_is_number,
};

static bool event_is_word(Str text) {
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
            return false;
    }
    return text.len > 0;
}

static bool event_is_action(Str text) {
    Str noun, verb = text;
    return str_cut(&verb, '.', &noun) && event_is_word(noun) && (!verb.ptr || event_is_word(verb));
}

static const Pattern Pattern_action = {
    .name = "action",
    .regex = "^[a-z0-9_-]+(\\.[a-z0-9_-]+)?$",
    .allowed = "an action (fleet.deploy), or the noun of several (fleet)",
    .matches = event_is_action,
};

static const Field EventQuery_fields[] = {
    FIELD(EventQuery,
          after,
          0,
          "begin behind the entry with this number; without it: who follows begins with what comes "
          "now, who does not at the start",
          .max = NUMBER_DIGITS,
          .pattern = &Pattern_number),
    FIELD(EventQuery, follow, 0, "go on with what comes", .fallback = "true"),
    FIELD_ENUM(EventQuery, class, EventClass, 0, "only of this class", .fallback = "any"),
    FIELD(EventQuery,
          action,
          0,
          "only these actions: fleet.deploy, or all of a noun: fleet",
          .max = 16,
          .item_max = 64,
          .pattern = &Pattern_action),
    FIELD(EventQuery,
          subject,
          0,
          "only about these: ids, or what they were called then",
          .max = 16,
          .item_max = 128),
};
const Schema EventQuery_schema = SCHEMA(EventQuery, "event_query", "which events");

static const Field EventGap_fields[] = {
    FIELD(EventGap, first, READ_ONLY, "number of the first entry that retention has removed"),
    FIELD(EventGap, last, READ_ONLY, "of the last"),
};
const Schema EventGap_schema = SCHEMA(EventGap, "event_gap", "entries that are not there any more");

// clang-format off
const Endpoint Event_follow = {
    GET, "/v1/events", "event", "follow", "The entries of the journal as they come",
    .query = &EventQuery_schema, .out = &JournalEntry_schema, .shape = REPLY_EVENTS};
// clang-format on

Err event_number_parse(Str text, uint64_t *ret_number) {
    if (!event_is_number(text)) return FAIL(ERR_INVALID, "this is not the number of an entry");
    return str_u64(text, ret_number);
}
