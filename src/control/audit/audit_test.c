// SPDX-License-Identifier: Apache-2.0
#include "control/audit/audit.h"

#include "base/scope.h"
#include "control/fixture.h"
#include "db/sealer.h"
#include "db/tx.h"
#include "test.h"

#include <pthread.h>

static HttpReply newest(Fixture *f) {
    return fixture_call(f, "GET", "/v1/audit?limit=1&descending=true", f->token, NULL);
}

TEST(each_change_leaves_an_entry_that_says_who_did_what_to_which) {
    Fixture f;
    fixture_open(&f);
    Str fleet = fixture_fleet(&f, "one");
    HttpReply list = newest(&f);
    CHECK(list.status == 200);
    CHECK_STR(fixture_field(&list, "action"), S("fleet.create"));
    CHECK(fixture_has(&list, "\"actor\":\"operator/"));
    CHECK_STR(fixture_field(&list, "subject"), fleet);
    CHECK_STR(fixture_field(&list, "subject_name"), S("one"));
    CHECK(fixture_field(&list, "after").len == CHAIN_HASH_LEN);
    CHECK(!fixture_has(&list, "\"before\""));
    fixture_close(&f);
}

TEST(an_entry_shows_the_record_as_it_is_stored) {
    Fixture f;
    fixture_open(&f);
    Str fleet = fixture_fleet(&f, "one");
    HttpReply made = newest(&f);
    const char *path = fixture_print(&f, "/v1/fleets/%.*s", STR_FMT(fleet));
    HttpReply changed = fixture_call(&f, "PATCH", path, f.token, "{\"name\":\"two\"}");
    CHECK_STR(fixture_field(&changed, "rev"), S("2"));
    HttpReply entry = newest(&f);
    CHECK_STR(fixture_field(&entry, "action"), S("fleet.update"));
    CHECK_STR(fixture_field(&entry, "rev"), S("2"));
    CHECK_STR(fixture_field(&entry, "subject_name"), S("two"));
    CHECK_STR(fixture_field(&entry, "before"), fixture_field(&made, "after"));
    Str after = fixture_field(&entry, "after");
    CHECK(fixture_call(&f, "DELETE", path, f.token, NULL).status == 204);
    HttpReply gone = newest(&f);
    CHECK_STR(fixture_field(&gone, "before"), after);
    CHECK(!fixture_has(&gone, "\"after\""));
    fixture_close(&f);
}

TEST(a_refused_change_leaves_no_entry) {
    Fixture f;
    fixture_open(&f);
    fixture_fleet(&f, "one");
    HttpReply before = newest(&f);
    HttpReply again = fixture_call(&f, "POST", "/v1/fleets", f.token, "{\"name\":\"one\"}");
    CHECK(again.status == 409);
    HttpReply after = newest(&f);
    CHECK_STR(fixture_field(&after, "number"), fixture_field(&before, "number"));
    fixture_close(&f);
}

typedef struct LinePage {
    struct {
        JournalLine *items;
        size_t count;
    } items;
    Str next;
} LinePage;
static const Field LinePage_fields[] = {
    FIELD_LIST(LinePage, items, JournalLine, REQUIRED, "lines", .max = 1000),
    FIELD(LinePage, next, 0, "of the next page"),
};
static const Schema LinePage_schema = SCHEMA(LinePage, "line_page", "a part of the journal");

/// Walk along the whole journal as the CLI does, in parts of two.
static Err walk(Fixture *f, uint64_t *ret_entries) {
    HttpReply reply = fixture_call(f, "GET", "/v1/audit/checkpoint", f->token, NULL);
    Checkpoint head;
    Chain chain;
    Reason reason = {};
    CHECK_OK(checkpoint_verify(
        f->app.key.public, fixture_field(&reply, "checkpoint"), &f->arena, &head));
    CHECK_OK(chain_init(&chain, &head.org_id, 0, 0, (Str){}));
    LinePage page = {.next = S("0")};
    while (page.next.ptr) {
        const char *path =
            fixture_print(f, "/v1/audit/export?limit=2&after=%.*s", STR_FMT(page.next));
        reply = fixture_call(f, "GET", path, f->token, NULL);
        CHECK(reply.status == 200);
        CHECK_OK(schema_read(&LinePage_schema, reply.body, DECODE_REPLY, &f->arena, &page, NULL));
        for (size_t i = 0; i < page.items.count; i++)
            TRY(chain_step(&chain, &page.items.items[i], &f->arena, &reason));
    }
    *ret_entries = chain.entries;
    return chain_end(&chain, &head, &reason);
}

TEST(what_is_exported_proves_itself) {
    Fixture f;
    fixture_open(&f);
    for (int i = 0; i < 5; i++)
        fixture_fleet(&f, fixture_print(&f, "fleet-%d", i));
    uint64_t entries = 0;
    CHECK_OK(walk(&f, &entries));
    HttpReply list = newest(&f);
    CHECK_STR(fixture_field(&list, "number"),
              str_from(fixture_print(&f, "%llu", (unsigned long long)entries)));
    fixture_close(&f);
}

TEST(another_organisations_journal_is_its_own) {
    Fixture f;
    fixture_open(&f);
    fixture_fleet(&f, "one");
    f.token = fixture_org(&f, "other");
    uint64_t entries = 0;
    CHECK_OK(walk(&f, &entries));
    CHECK(entries == 3); // made, its owner, who signed in
    HttpReply list = fixture_call(&f, "GET", "/v1/audit", f.token, NULL);
    CHECK(!fixture_has(&list, "\"one\""));
    fixture_close(&f);
}

/// The row with this number, written again with another action.
static void falsify(Fixture *f, uint64_t number) {
    SCOPED(tx_closep) Tx *tx = NULL;
    HttpReply org = fixture_call(f, "GET", "/v1/org", f->token, NULL);
    Id id;
    JournalRow row;
    JournalEntry entry;
    CHECK_OK(id_parse(fixture_field(&org, "id"), S("org"), &id));
    CHECK_OK(tx_open(f->app.db, &f->arena, id_str(&id), &tx));
    CHECK_OK(tx_get(tx, &JournalRow_schema, journal_key(&f->arena, &id, number), &row));
    CHECK_OK(entry_decode(row.entry, row.hash, &f->arena, &entry));
    entry.action = S("fleet.nothing");
    CHECK_OK(entry_encode(&entry, &f->arena, &row.entry, &row.hash));
    CHECK_OK(tx_put(tx, &JournalRow_schema, &row));
    CHECK_OK(tx_commit(tx, NULL));
}

TEST(a_changed_entry_is_found) {
    Fixture f;
    fixture_open(&f);
    for (int i = 0; i < 5; i++)
        fixture_fleet(&f, fixture_print(&f, "fleet-%d", i));
    CHECK_OK(sealer_flush(f.app.sealer));
    falsify(&f, 4);
    uint64_t entries = 0;
    CHECK_ERR(walk(&f, &entries), ERR_STATE);
    fixture_close(&f);
}

TEST(a_list_shows_a_page_and_refuses_the_cursor_of_another) {
    Fixture f;
    fixture_open(&f);
    fixture_fleet(&f, "one");
    HttpReply list = fixture_call(&f, "GET", "/v1/audit?limit=2", f.token, NULL);
    const char *rest =
        fixture_print(&f, "/v1/audit?limit=1&after=%.*s", STR_FMT(fixture_field(&list, "next")));
    HttpReply third = fixture_call(&f, "GET", rest, f.token, NULL);
    CHECK_STR(fixture_field(&third, "number"), S("3"));
    CHECK(fixture_call(&f, "GET", "/v1/audit?after=nonsense", f.token, NULL).status == 422);
    fixture_close(&f);
}

TEST_MAIN(CASE(each_change_leaves_an_entry_that_says_who_did_what_to_which),
          CASE(an_entry_shows_the_record_as_it_is_stored),
          CASE(a_refused_change_leaves_no_entry),
          CASE(what_is_exported_proves_itself),
          CASE(another_organisations_journal_is_its_own),
          CASE(a_changed_entry_is_found),
          CASE(a_list_shows_a_page_and_refuses_the_cursor_of_another))
