// SPDX-License-Identifier: Apache-2.0
/// An organisation is found by its name when somebody signs in, so a name has one owner.
#include "control/fixture.h"

#include "control/org/org.h"
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

/// Sign in as acme's owner, naming no organisation or this one.
static HttpReply login_at(Fixture *f, const char *org) {
    const char *named = org ? fixture_print(f, "\"org\":\"%s\",", org) : "";
    return fixture_call(
        f,
        "POST",
        "/v1/login",
        (Str){},
        fixture_print(
            f, "{%s\"name\":\"ada\",\"password\":\"%.*s\"}", named, STR_FMT(f->owner.password)));
}

TEST(an_organisation_need_not_be_named_where_there_is_only_one) {
    Fixture f;
    fixture_open(&f);
    CHECK(login_at(&f, NULL).status == 200);
    CHECK(login_at(&f, "acme").status == 200);
    CHECK(login_at(&f, "nobody").status == 401);
    fixture_org(&f, "other");
    HttpReply unnamed = login_at(&f, NULL);
    CHECK(unnamed.status == 422 && fixture_has(&unnamed, "must be given: there are several"));
    CHECK(login_at(&f, "acme").status == 200);
    CHECK(login_at(&f, "other").status == 401);
    fixture_close(&f);
}

TEST(organisations_are_counted) {
    Fixture f;
    fixture_open(&f);
    uint64_t count = 0;
    CHECK_OK(org_count(f.app.db, &f.arena, &count));
    CHECK(count == 1);
    fixture_org(&f, "other");
    CHECK_OK(org_count(f.app.db, &f.arena, &count));
    CHECK(count == 2);
    fixture_org(&f, "third");
    CHECK_OK(org_count(f.app.db, &f.arena, &count));
    CHECK(count == 3);
    fixture_close(&f);
}

TEST(an_organisation_and_its_owner_have_names_that_are_slugs) {
    static const char *const wrong[] = {"", "Acme", "a b", "-a", "a/b"};
    char longest[65] = {};
    Fixture f;
    fixture_open(&f);
    Credentials made;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        Str name = str_from(wrong[i]);
        Err err = org_make(f.app.db, name, S("eve"), f.now_ms, &f.arena, &made);
        CHECK_ERR(err, ERR_INVALID);
        CHECK(str_starts(str_from(err.what), S("--org ")));
        err = org_make(f.app.db, S("free"), name, f.now_ms, &f.arena, &made);
        CHECK_ERR(err, ERR_INVALID);
        CHECK(str_starts(str_from(err.what), S("--owner ")));
    }
    memset(longest, 'a', 64);
    Str name = str_from(longest);
    CHECK_ERR(org_make(f.app.db, name, S("eve"), f.now_ms, &f.arena, &made), ERR_INVALID);
    name.len = 63;
    CHECK_OK(org_make(f.app.db, name, S("eve"), f.now_ms, &f.arena, &made));
    CHECK(made.password.len >= 20);
    fixture_close(&f);
}

TEST_MAIN(CASE(an_organisation_cannot_take_the_name_of_another),
          CASE(an_organisation_takes_a_free_name_and_frees_its_own),
          CASE(an_organisation_is_not_made_under_a_taken_name),
          CASE(an_organisation_need_not_be_named_where_there_is_only_one),
          CASE(organisations_are_counted),
          CASE(an_organisation_and_its_owner_have_names_that_are_slugs))
