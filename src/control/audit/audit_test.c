// SPDX-License-Identifier: Apache-2.0
#include "control/audit/audit.h"

#include "base/scope.h"
#include "control/fixture.h"
#include "db/tx.h"
#include "test.h"

TEST(each_change_leaves_an_entry_that_says_who_did_what_to_which) {
    Fixture f;
    fixture_open(&f);
    Str fleet = fixture_fleet(&f, "one");
    HttpReply list = fixture_call(&f, "GET", "/v1/audit?limit=1&descending=true", f.token, NULL);
    CHECK(list.status == 200);
    CHECK_STR(fixture_field(&list, "action"), S("fleet.create"));
    CHECK(fixture_has(&list, "\"actor\":\"operator/"));
    CHECK_STR(fixture_field(&list, "subject"), fleet);
    CHECK_STR(fixture_field(&list, "subject_name"), S("one"));
    HttpReply verdict = fixture_call(&f, "GET", "/v1/audit/verify", f.token, NULL);
    CHECK_STR(fixture_field(&verdict, "intact"), S("true"));
    CHECK_STR(fixture_field(&verdict, "entries"), fixture_field(&list, "seq"));
    fixture_close(&f);
}

/// The entry with this number, written again with another action.
static void falsify(Fixture *f, const char *seq) {
    SCOPED(tx_closep) Tx *tx = NULL;
    HttpReply org = fixture_call(f, "GET", "/v1/org", f->token, NULL);
    Str id = fixture_field(&org, "id");
    CHECK_OK(tx_open(f->app.db, &f->arena, id, &tx));
    AuditEntry entry;
    Str key = str_print(&f->arena, "%.*s/%s", STR_FMT(id), seq);
    CHECK_OK(tx_get(tx, &AuditEntry_schema, key, &entry));
    entry.action = S("fleet.nothing");
    CHECK_OK(tx_put(tx, &AuditEntry_schema, &entry));
    CHECK_OK(tx_commit(tx, NULL));
}

TEST(a_changed_entry_is_found_at_its_place) {
    Fixture f;
    fixture_open(&f);
    for (int i = 0; i < 5; i++)
        fixture_fleet(&f, fixture_print(&f, "fleet-%d", i));
    falsify(&f, "000000000004");
    HttpReply verdict = fixture_call(&f, "GET", "/v1/audit/verify", f.token, NULL);
    CHECK_STR(fixture_field(&verdict, "intact"), S("false"));
    CHECK_STR(fixture_field(&verdict, "broken_seq"), S("4"));
    CHECK_STR(fixture_field(&verdict, "entries"), S("3"));
    fixture_close(&f);
}

TEST(a_refused_change_leaves_no_entry) {
    Fixture f;
    fixture_open(&f);
    fixture_fleet(&f, "one");
    HttpReply before = fixture_call(&f, "GET", "/v1/audit/verify", f.token, NULL);
    HttpReply again = fixture_call(&f, "POST", "/v1/fleets", f.token, "{\"name\":\"one\"}");
    CHECK(again.status == 409);
    HttpReply after = fixture_call(&f, "GET", "/v1/audit/verify", f.token, NULL);
    CHECK_STR(fixture_field(&after, "entries"), fixture_field(&before, "entries"));
    fixture_close(&f);
}

TEST_MAIN(CASE(each_change_leaves_an_entry_that_says_who_did_what_to_which),
          CASE(a_changed_entry_is_found_at_its_place),
          CASE(a_refused_change_leaves_no_entry))
