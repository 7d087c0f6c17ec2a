// SPDX-License-Identifier: Apache-2.0
/// What ends a session ends it for all who use it at that moment.
#include "control/crowd_fixture.h"

#include "base/scope.h"
#include "control/operator/operator.h"
#include "test.h"

#include <sched.h>
#include <stdio.h>

enum { SESSIONS = 40, TOKEN_MAX = 1024 };

/// Bob, and what the callers use and get; each writes at its number.
typedef struct Scene {
    Fixture *f;
    Id org, bob;
    const char *path;               ///< to bob
    Str refresh[CROWD_THREADS];     ///< tokens to be renewed
    Str access[CROWD_THREADS];      ///< of the same sessions
    char (*got)[TOKEN_MAX];         ///< access tokens
    char (*got_refresh)[TOKEN_MAX]; ///< refresh tokens
} Scene;

static char got[CROWD_THREADS][TOKEN_MAX], got_refresh[CROWD_THREADS][TOKEN_MAX];

static const char *const LOGIN = "{\"name\":\"bob\",\"password\":\"a long password\"}";

static void scene_open(Scene *scene, Fixture *f) {
    *scene = (Scene){.f = f, .got = got, .got_refresh = got_refresh};
    for (size_t i = 0; i < CROWD_THREADS; i++)
        got[i][0] = got_refresh[i][0] = '\0';
    HttpReply made =
        fixture_call(f,
                     "POST",
                     "/v1/operators",
                     f->token,
                     "{\"name\":\"bob\",\"password\":\"a long password\",\"role\":\"owner\"}");
    CHECK_OK(id_parse(fixture_field(&made, "id"), S("operator"), &scene->bob));
    CHECK_OK(id_parse(crowd_shown(f, "/v1/org", "id"), S("org"), &scene->org));
    scene->path = fixture_print(f, "/v1/operators/%s", scene->bob.text);
}

/// Remember what a caller got.
static uint32_t scene_keep(const Scene *scene, size_t number, const HttpReply *reply) {
    if (reply->status != 200) return reply->status;
    Str access = fixture_field(reply, "access_token"), next = fixture_field(reply, "refresh_token");
    snprintf(scene->got[number], TOKEN_MAX, "%.*s", STR_FMT(access));
    snprintf(scene->got_refresh[number], TOKEN_MAX, "%.*s", STR_FMT(next));
    return reply->status;
}

static HttpReply refresh(Fixture *f, Str token) {
    const char *body = fixture_print(f, "{\"refresh_token\":\"%.*s\"}", STR_FMT(token));
    return fixture_call(f, "POST", "/v1/refresh", (Str){}, body);
}

static uint32_t see(Fixture *f, Str token) {
    return fixture_call(f, "GET", "/v1/org", token, NULL).status;
}

static uint64_t session_count(const Scene *scene) {
    SCOPED(tx_closep) Tx *tx = NULL;
    uint64_t count = 0;
    const Query query = {.where = {WHERE(Session, operator_id, IS, &scene->bob)}};
    CHECK_OK(tx_open(scene->f->app.db, &scene->f->arena, id_str(&scene->org), &tx));
    CHECK_OK(tx_count(tx, &Session_schema, &query, &count));
    return count;
}

/// Nothing that anybody got lets anybody in.
static void check_all_out(const Scene *scene) {
    CHECK(session_count(scene) == 0);
    for (size_t i = 0; i < CROWD_THREADS; i++) {
        if (scene->access[i].ptr) CHECK(see(scene->f, scene->access[i]) == 401);
        if (!scene->got[i][0]) continue;
        CHECK(see(scene->f, str_from(scene->got[i])) == 401);
        CHECK(refresh(scene->f, str_from(scene->got_refresh[i])).status == 401);
    }
}

/// A session of bob's, by his password.
static void sign_in(Scene *scene, size_t number) {
    HttpReply in = fixture_call(scene->f, "POST", "/v1/login", (Str){}, LOGIN);
    CHECK(in.status == 200);
    scene->refresh[number] = fixture_field(&in, "refresh_token");
    scene->access[number] = fixture_field(&in, "access_token");
}

static uint32_t refresh_same(Fixture *f, size_t number, const void *ctx) {
    const Scene *scene = ctx;
    HttpReply reply = refresh(f, scene->refresh[0]);
    return scene_keep(scene, number, &reply);
}

TEST_CROWD(of_many_who_use_one_refresh_token_one_gets_the_next_and_the_session_ends) {
    Scene scene;
    scene_open(&scene, &crowd->f);
    sign_in(&scene, 0);
    CHECK(see(scene.f, scene.access[0]) == 200);
    crowd_run(crowd, refresh_same, &scene);
    CHECK(crowd->statuses[200] == 1 && crowd->statuses[401] == CROWD_THREADS - 1);
    check_all_out(&scene);
    HttpReply audit =
        fixture_call(scene.f, "GET", "/v1/audit?limit=2&descending=true", scene.f->token, NULL);
    Str rest = audit.body;
    size_t ended = 0;
    for (Str part; str_cut(&rest, '{', &part);)
        ended += str_starts(part, S("\"ended\""));
    CHECK(ended == 1); // and it is told once
}

/// Most renew their own session, some sign in with the old password, one sets a new one, and the
/// last looks at something with an old access token.
static uint32_t use_or_end(Fixture *f, size_t number, const void *ctx) {
    const Scene *scene = ctx;
    if (number == 0) {
        const char *change = "{\"password\":\"another password\"}";
        return fixture_call(f, "PATCH", scene->path, f->token, change).status == 200 ? 299 : 598;
    }
    if (number == CROWD_THREADS - 1) return see(f, scene->access[1]) == 200 ? 298 : 401;
    HttpReply reply;
    if (number <= SESSIONS) {
        reply = refresh(f, scene->refresh[number]);
        return scene_keep(scene, number, &reply);
    }
    do { // only so many sign in at once
        reply = fixture_call(f, "POST", "/v1/login", (Str){}, LOGIN);
        sched_yield();
    } while (reply.status == 429 && reply.retry_after_s == 1);
    return scene_keep(scene, number, &reply);
}

TEST_CROWD(a_new_password_leaves_no_session_of_those_who_sign_in_and_renew_meanwhile) {
    Scene scene;
    scene_open(&scene, &crowd->f);
    for (size_t i = 1; i <= SESSIONS; i++)
        sign_in(&scene, i);
    CHECK(session_count(&scene) == SESSIONS);
    crowd_run(crowd, use_or_end, &scene);
    CHECK(crowd->statuses[299] == 1);
    check_all_out(&scene);
}

static uint32_t see_or_log_out(Fixture *f, size_t number, const void *ctx) {
    const Scene *scene = ctx;
    if (number != CROWD_THREADS / 2) return see(f, scene->access[0]);
    return fixture_call(f, "POST", "/v1/logout", scene->access[0], NULL).status;
}

TEST_CROWD(a_logout_amid_many_calls_is_the_end_of_the_token) {
    Scene scene;
    scene_open(&scene, &crowd->f);
    scene.access[0] = fixture_session(scene.f, &scene.org, &scene.bob);
    crowd_run(crowd, see_or_log_out, &scene);
    CHECK(crowd->statuses[204] == 1);
    CHECK(crowd->statuses[200] + crowd->statuses[401] == CROWD_THREADS - 1);
    check_all_out(&scene);
}

TEST_MAIN(CASE_CROWD(of_many_who_use_one_refresh_token_one_gets_the_next_and_the_session_ends),
          CASE_CROWD(a_new_password_leaves_no_session_of_those_who_sign_in_and_renew_meanwhile),
          CASE_CROWD(a_logout_amid_many_calls_is_the_end_of_the_token))
