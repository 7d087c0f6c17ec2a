// SPDX-License-Identifier: Apache-2.0
#include "control/event/event.h"

#include "base/scope.h"
#include "test.h"

#include <stdlib.h>

static const EventItem deployed = {
    .class = ENTRY_AUDIT,
    .action = {"fleet.deploy", 12},
    .subject = {"fleet_1",      7 },
    .subject_name = {"tills",        5 }
};
static const EventItem gone = {
    .class = ENTRY_EVENT, .action = {"device.offline", 14},
         .subject = {"device_1",       8 }
};
static const EventItem old_gap = {.is_gap = true, .was_audit = true};
static const EventItem young_gap = {.is_gap = true};

#define LIST(...) \
    { (Str[]){__VA_ARGS__}, sizeof((Str[]){__VA_ARGS__}) / sizeof(Str) }

TEST(what_is_asked_for_is_what_is_sent) {
    const struct {
        EventQuery query;
        bool deployed, gone;
    } rows[] = {
        {{},                                                 true,  true },
        {{.class = EVENT_AUDIT},                             true,  false},
        {{.class = EVENT_EVENT},                             false, true },
        {{.action = LIST(S("fleet.deploy"))},                true,  false},
        {{.action = LIST(S("fleet"))},                       true,  false},
        {{.action = LIST(S("device"), S("fleet.create"))},   false, true },
        {{.action = LIST(S("fleet.dep"))},                   false, false},
        {{.action = LIST(S("flee"))},                        false, false},
        {{.subject = LIST(S("fleet_1"))},                    true,  false},
        {{.subject = LIST(S("tills"), S("device_1"))},       true,  true },
        {{.subject = LIST(S(""))},                           false, false},
        {{.class = EVENT_EVENT, .action = LIST(S("fleet"))}, false, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CHECK(event_is_wanted(&rows[i].query, &deployed) == rows[i].deployed);
        CHECK(event_is_wanted(&rows[i].query, &gone) == rows[i].gone);
        CHECK(event_is_wanted(&rows[i].query, &old_gap));
        CHECK(event_is_wanted(&rows[i].query, &young_gap) == (rows[i].query.class != EVENT_AUDIT));
    }
}

TEST(a_client_begins_where_it_was) {
    static const struct {
        const char *id, *after;
        bool follow;
        ErrCode code;
        uint64_t at;
    } rows[] = {
        {NULL,                   NULL, true,  OK,          9},
        {NULL,                   NULL, false, OK,          0},
        {"",                     "3",  true,  OK,          3}, // as a client that has seen nothing
        {"5",                    "3",  true,  OK,          5},
        {"9",                    NULL, false, OK,          9},
        {"0",                    NULL, true,  OK,          0},
        {"10",                   NULL, true,  ERR_STATE,   0},
        {NULL,                   "10", true,  ERR_STATE,   0},
        {"x",                    "3",  true,  ERR_INVALID, 0},
        {"-1",                   NULL, true,  ERR_INVALID, 0},
        {"1 ",                   NULL, true,  ERR_INVALID, 0},
        {"99999999999999999999", NULL, true,  ERR_INVALID, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const EventQuery query = {.after = str_from(rows[i].after), .follow = rows[i].follow};
        uint64_t at = 77;
        Err err = event_begin(&query, str_from(rows[i].id), 9, &at);
        CHECK(err.code == rows[i].code);
        CHECK(at == (err.code == OK ? rows[i].at : 77));
    }
}

TEST(an_entry_is_sent_byte_for_byte_under_its_number) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 1 << 20);
    JournalRow row = {.number = 7, .class = ENTRY_EVENT};
    const JournalEntry entry = {.number = 7,
                                .class = ENTRY_EVENT,
                                .action = S("device.online"),
                                .subject = S("device_1"),
                                .subject_name = S("a\nb")};
    EventItem *item;
    CHECK_OK(entry_encode(&entry, &arena, &row.entry, &row.hash));
    CHECK_OK(event_item_of(&row, &arena, &item));
    CHECK_STR(item->text, str_print(&arena, "id: 7\ndata: %.*s\n\n", STR_FMT(row.entry)));
    CHECK(item->number == 7 && item->class == ENTRY_EVENT && !item->is_gap);
    CHECK_STR(item->action, S("device.online"));
    CHECK_STR(item->subject_name, S("a\nb"));
    free(item);
}

TEST(a_damaged_entry_is_for_those_who_want_all) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 1 << 20);
    const JournalRow row = {.number = 8, .entry = S("{damaged"), .hash = S("x")};
    EventItem *item;
    CHECK_OK(event_item_of(&row, &arena, &item));
    CHECK_STR(item->text, S("id: 8\ndata: {damaged\n\n"));
    CHECK(event_is_wanted(&(EventQuery){}, item));
    CHECK(!event_is_wanted(&(EventQuery){.action = LIST(S("fleet"))}, item));
    free(item);
}

TEST(a_gap_is_told_under_its_last_number) {
    struct EventItems items = TAILQ_HEAD_INITIALIZER(items);
    EventItem *item;
    CHECK_OK(event_item_gap(&(EventGap){3, 9}, 2, &item));
    TAILQ_INSERT_TAIL(&items, item, link);
    CHECK(item->number == 9 && item->is_gap && !item->was_audit);
    CHECK_STR(item->text, S("id: 9\nevent: removed\ndata: {\"first\":3,\"last\":9}\n\n"));
    CHECK_OK(event_item_gap(&(EventGap){10, 12}, 10, &item));
    TAILQ_INSERT_TAIL(&items, item, link);
    CHECK(item->was_audit);
    event_items_free(&items);
    CHECK(TAILQ_EMPTY(&items));
}

TEST_MAIN(CASE(what_is_asked_for_is_what_is_sent),
          CASE(a_client_begins_where_it_was),
          CASE(an_entry_is_sent_byte_for_byte_under_its_number),
          CASE(a_damaged_entry_is_for_those_who_want_all),
          CASE(a_gap_is_told_under_its_last_number))
