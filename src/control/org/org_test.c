// SPDX-License-Identifier: Apache-2.0
/// An organisation is found by its name when somebody signs in, so a name has one owner.
#include "control/fixture.h"

#include "test.h"

TEST(an_organisation_cannot_take_the_name_of_another) {
    Fixture f;
    fixture_open(&f);
    Str eve = fixture_org(&f, "other");
    HttpReply taken = fixture_call(&f, "PATCH", "/v1/org", eve, "{\"name\":\"acme\"}");
    CHECK(taken.status == 409);
    CHECK_STR(fixture_field(&taken, "code"), S("exists"));
    HttpReply kept = fixture_call(&f, "GET", "/v1/org", eve, NULL);
    CHECK_STR(fixture_field(&kept, "name"), S("other"));
    const char *login = fixture_print(
        &f, "{\"org\":\"acme\",\"name\":\"ada\",\"password\":\"%.*s\"}", STR_FMT(f.owner.password));
    CHECK(fixture_call(&f, "POST", "/v1/login", (Str){}, login).status == 200);
    fixture_close(&f);
}

TEST(an_organisation_takes_a_free_name_and_frees_its_own) {
    Fixture f;
    fixture_open(&f);
    Str eve = fixture_org(&f, "other");
    CHECK(fixture_call(&f, "PATCH", "/v1/org", eve, "{\"name\":\"new\"}").status == 200);
    CHECK(fixture_call(&f, "PATCH", "/v1/org", f.token, "{\"name\":\"other\"}").status == 200);
    fixture_close(&f);
}

TEST(an_organisation_is_not_made_under_a_taken_name) {
    Fixture f;
    fixture_open(&f);
    Credentials owner;
    Err err = org_make(f.app.db, S("acme"), S("eve"), f.now_ms, &f.arena, &owner);
    CHECK_ERR(err, ERR_EXISTS);
    CHECK_STR(str_from(err.what), S("an organisation of that name is there already"));
    fixture_close(&f);
}

TEST_MAIN(CASE(an_organisation_cannot_take_the_name_of_another),
          CASE(an_organisation_takes_a_free_name_and_frees_its_own),
          CASE(an_organisation_is_not_made_under_a_taken_name))
