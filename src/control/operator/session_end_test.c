// SPDX-License-Identifier: Apache-2.0
/// Sessions end: all of an operator's at once, and each by itself when its time is over.
#include "control/fixture.h"
#include "control/tidy.h"

#include "base/scope.h"
#include "control/operator/operator.h"
#include "test.h"

enum { SESSIONS = 40, DAY_MS = 86'400'000 };

/// Sign in as bob; gives the refresh token.
static Str bob_login(Fixture *f, const char *password) {
    const char *body =
        fixture_print(f, "{\"org\":\"acme\",\"name\":\"bob\",\"password\":\"%s\"}", password);
    HttpReply reply = fixture_call(f, "POST", "/v1/login", (Str){}, body);
    CHECK(reply.status == 200);
    return fixture_field(&reply, "refresh_token");
}

/// Bob, an operator; gives the path to it.
static const char *bob_make(Fixture *f) {
    HttpReply made = fixture_call(f,
                                  "POST",
                                  "/v1/operators",
                                  f->token,
                                  "{\"name\":\"bob\",\"password\":\"a long password\"}");
    CHECK(made.status == 201);
    return fixture_print(f, "/v1/operators/%.*s", STR_FMT(fixture_field(&made, "id")));
}

static uint32_t refresh(Fixture *f, Str token) {
    const char *body = fixture_print(f, "{\"refresh_token\":\"%.*s\"}", STR_FMT(token));
    return fixture_call(f, "POST", "/v1/refresh", (Str){}, body).status;
}

static uint64_t session_count(Fixture *f) {
    SCOPED(tx_closep) Tx *tx = NULL;
    uint64_t count = 0;
    CHECK_OK(tx_open_all(f->app.db, &f->arena, &tx));
    CHECK_OK(tx_count(tx, &Session_schema, &(Query){}, &count));
    return count;
}

TEST(a_new_password_ends_every_session_of_the_operator_and_of_nobody_else) {
    Fixture f;
    fixture_open(&f);
    const char *bob = bob_make(&f);
    Str tokens[SESSIONS];
    for (size_t i = 0; i < SESSIONS; i++)
        tokens[i] = bob_login(&f, "a long password");
    const char *body = "{\"password\":\"another long password\"}";
    CHECK(fixture_call(&f, "PATCH", bob, f.token, body).status == 200);
    for (size_t i = 0; i < SESSIONS; i++)
        CHECK(refresh(&f, tokens[i]) == 401);
    CHECK(session_count(&f) == 1); // ada's
    CHECK(refresh(&f, bob_login(&f, "another long password")) == 200);
    fixture_close(&f);
}

TEST(sessions_that_have_ended_are_removed) {
    Fixture f;
    fixture_open(&f);
    bob_make(&f);
    for (int i = 0; i < 3; i++)
        bob_login(&f, "a long password");
    f.now_ms += DAY_MS;
    Str late = bob_login(&f, "a long password");
    CHECK(session_count(&f) == 5);
    f.now_ms += (uint64_t)(SESSION_LIFE_DAYS - 1) * DAY_MS + 1;
    tidy_round(&f.app);
    CHECK(session_count(&f) == 1); // the late one
    CHECK(refresh(&f, late) == 200);
    fixture_close(&f);
}

TEST(the_last_owner_stays_one) {
    Fixture f;
    fixture_open(&f);
    const char *bob = bob_make(&f);
    HttpReply list = fixture_call(&f, "GET", "/v1/operators?name=ada", f.token, NULL);
    const char *ada = fixture_print(&f, "/v1/operators/%.*s", STR_FMT(fixture_field(&list, "id")));
    CHECK(fixture_call(&f, "PATCH", bob, f.token, "{\"role\":\"owner\"}").status == 200);
    CHECK(fixture_call(&f, "PATCH", bob, f.token, "{\"role\":\"viewer\"}").status == 200);
    CHECK(fixture_call(&f, "PATCH", bob, f.token, "{\"role\":\"owner\"}").status == 200);
    const char *login = "{\"org\":\"acme\",\"name\":\"bob\",\"password\":\"a long password\"}";
    HttpReply signed_in = fixture_call(&f, "POST", "/v1/login", (Str){}, login);
    Str bobs = fixture_field(&signed_in, "access_token");
    CHECK(fixture_call(&f, "DELETE", ada, bobs, NULL).status == 204);
    CHECK(fixture_call(&f, "DELETE", bob, bobs, NULL).status == 409); // not by itself
    fixture_close(&f);
}

TEST_MAIN(CASE(a_new_password_ends_every_session_of_the_operator_and_of_nobody_else),
          CASE(sessions_that_have_ended_are_removed),
          CASE(the_last_owner_stays_one))
