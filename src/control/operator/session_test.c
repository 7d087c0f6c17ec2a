// SPDX-License-Identifier: Apache-2.0
/// When a session ends, and what an owner cannot do to itself.
#include "control/fixture.h"

#include "control/operator/operator.h"
#include "test.h"

#define DAYS_MS 86'400'000ULL

/// A new operator called "bob"; gives the path of it.
static const char *bob_made(Fixture *f) {
    HttpReply made =
        fixture_call(f,
                     "POST",
                     "/v1/operators",
                     f->token,
                     "{\"name\":\"bob\",\"role\":\"owner\",\"password\":\"a long password\"}");
    CHECK(made.status == 201);
    return fixture_print(f, "/v1/operators/%.*s", STR_FMT(fixture_field(&made, "id")));
}

static HttpReply bob_login(Fixture *f, const char *password) {
    return fixture_call(f,
                        "POST",
                        "/v1/login",
                        (Str){},
                        fixture_print(f, "{\"name\":\"bob\",\"password\":\"%s\"}", password));
}

/// Use the refresh token that an answer has.
static HttpReply refresh(Fixture *f, const HttpReply *login) {
    return fixture_call(f,
                        "POST",
                        "/v1/refresh",
                        (Str){},
                        fixture_print(f,
                                      "{\"refresh_token\":\"%.*s\"}",
                                      STR_FMT(fixture_field(login, "refresh_token"))));
}

TEST(an_owner_neither_removes_itself_nor_changes_its_own_role) {
    Fixture f;
    fixture_open(&f);
    const char *bob = bob_made(&f);
    HttpReply in = bob_login(&f, "a long password");
    Str token = fixture_field(&in, "access_token");
    HttpReply role = fixture_call(&f, "PATCH", bob, token, "{\"role\":\"viewer\"}");
    CHECK(role.status == 422 && fixture_has(&role, "must be changed by another owner"));
    HttpReply gone = fixture_call(&f, "DELETE", bob, token, NULL);
    CHECK(gone.status == 409 && fixture_has(&gone, "an operator cannot remove itself"));
    CHECK(fixture_call(&f, "PATCH", bob, f.token, "{\"role\":\"viewer\"}").status == 200);
    CHECK(fixture_call(&f, "POST", "/v1/fleets", token, "{\"name\":\"x\"}").status == 403);
    fixture_close(&f);
}

TEST(a_new_password_ends_the_sessions_of_the_old_one) {
    Fixture f;
    fixture_open(&f);
    const char *bob = bob_made(&f);
    HttpReply in = bob_login(&f, "a long password");
    const char *change = "{\"password\":\"another password\"}";
    CHECK(fixture_call(&f, "PATCH", bob, f.token, change).status == 200);
    CHECK(refresh(&f, &in).status == 401);
    CHECK(bob_login(&f, "a long password").status == 401);
    CHECK(bob_login(&f, "another password").status == 200);
    fixture_close(&f);
}

TEST(signing_out_ends_one_session_or_all_of_them_and_is_audited) {
    Fixture f;
    fixture_open(&f);
    bob_made(&f);
    HttpReply first = bob_login(&f, "a long password"), second = bob_login(&f, "a long password");
    HttpReply third = bob_login(&f, "a long password");
    Str token = fixture_field(&first, "access_token");
    CHECK(fixture_call(&f, "POST", "/v1/logout", token, NULL).status == 204);
    CHECK(refresh(&f, &first).status == 401);
    second = refresh(&f, &second);
    CHECK(second.status == 200);
    token = fixture_field(&second, "access_token");
    CHECK(fixture_call(&f, "POST", "/v1/logout?all=true", token, NULL).status == 204);
    CHECK(refresh(&f, &second).status == 401);
    CHECK(refresh(&f, &third).status == 401);
    HttpReply audit = fixture_call(&f, "GET", "/v1/audit?limit=1&descending=true", f.token, NULL);
    CHECK_STR(fixture_field(&audit, "action"), S("session.logout"));
    CHECK_STR(fixture_field(&audit, "actor"), S("operator/bob"));
    fixture_close(&f);
}

TEST(a_session_that_is_not_used_ends_by_itself) {
    Fixture f;
    fixture_open(&f);
    bob_made(&f);
    HttpReply in = bob_login(&f, "a long password");
    f.now_ms += SESSION_LIFE_DAYS * DAYS_MS - 1;
    HttpReply kept = refresh(&f, &in);
    CHECK(kept.status == 200);
    CHECK_STR(fixture_field(&kept, "role"), S("owner"));
    f.now_ms += SESSION_LIFE_DAYS * DAYS_MS;
    HttpReply ended = refresh(&f, &kept);
    CHECK(ended.status == 401 && fixture_has(&ended, "the session has ended"));
    fixture_close(&f);
}

TEST(the_sessions_of_an_operator_go_with_it) {
    Fixture f;
    fixture_open(&f);
    const char *bob = bob_made(&f);
    HttpReply in = bob_login(&f, "a long password");
    CHECK(fixture_call(&f, "DELETE", bob, f.token, NULL).status == 204);
    CHECK(refresh(&f, &in).status == 401);
    CHECK(bob_login(&f, "a long password").status == 401);
    fixture_close(&f);
}

TEST(a_token_that_nobody_made_ends_nothing) {
    Fixture f;
    fixture_open(&f);
    bob_made(&f);
    HttpReply in = bob_login(&f, "a long password");
    HttpReply guessed =
        fixture_call(&f, "POST", "/v1/refresh", (Str){}, "{\"refresh_token\":\"guess\"}");
    CHECK(guessed.status == 401);
    CHECK(refresh(&f, &in).status == 200);
    fixture_close(&f);
}

TEST_MAIN(CASE(an_owner_neither_removes_itself_nor_changes_its_own_role),
          CASE(a_new_password_ends_the_sessions_of_the_old_one),
          CASE(signing_out_ends_one_session_or_all_of_them_and_is_audited),
          CASE(a_session_that_is_not_used_ends_by_itself),
          CASE(the_sessions_of_an_operator_go_with_it),
          CASE(a_token_that_nobody_made_ends_nothing))
