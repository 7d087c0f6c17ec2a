// SPDX-License-Identifier: Apache-2.0
/// An access token is good as long as its session, and as what its operator is now: from the very
/// next call on.
#include "control/access.h"

#include "base/scope.h"
#include "control/fixture.h"
#include "control/operator/operator.h"
#include "db/meanwhile_fixture.h"
#include "test.h"

/// Bob, an operator, signed in twice.
typedef struct Scene {
    Fixture f;
    Meanwhile meanwhile;
    const char *path; ///< to bob
    HttpReply in;     ///< the first session's last answer
    Str token;        ///< its access token
    Str other;        ///< that of the second
} Scene;

static HttpReply login(Scene *scene, const char *password) {
    return fixture_call(
        &scene->f,
        "POST",
        "/v1/login",
        (Str){},
        fixture_print(&scene->f, "{\"name\":\"bob\",\"password\":\"%s\"}", password));
}

static void scene_open(Scene *scene) {
    *scene = (Scene){};
    Fixture *f = &scene->f;
    fixture_open(f);
    HttpReply made =
        fixture_call(f,
                     "POST",
                     "/v1/operators",
                     f->token,
                     "{\"name\":\"bob\",\"role\":\"operator\",\"password\":\"a long password\"}");
    CHECK(made.status == 201);
    scene->path = fixture_print(f, "/v1/operators/%.*s", STR_FMT(fixture_field(&made, "id")));
    scene->in = login(scene, "a long password");
    HttpReply second = login(scene, "a long password");
    scene->token = fixture_field(&scene->in, "access_token");
    scene->other = fixture_field(&second, "access_token");
    fixture_quiet(f); // the sealer commits too
    meanwhile_open(&scene->meanwhile, f->app.db);
    scene->meanwhile.ctx = scene;
}

static uint32_t see(Scene *scene, Str token) {
    return fixture_call(&scene->f, "GET", "/v1/org", token, NULL).status;
}

/// Both sessions are at work, and known.
static void scene_use(Scene *scene) {
    for (int i = 0; i < 2; i++)
        CHECK(see(scene, scene->token) == 200 && see(scene, scene->other) == 200);
}

static uint32_t by_owner(Scene *scene, const char *method, const char *body) {
    return fixture_call(&scene->f, method, scene->path, scene->f.token, body).status;
}

static HttpReply refresh(Scene *scene, const HttpReply *in) {
    const char *body = fixture_print(
        &scene->f, "{\"refresh_token\":\"%.*s\"}", STR_FMT(fixture_field(in, "refresh_token")));
    return fixture_call(&scene->f, "POST", "/v1/refresh", (Str){}, body);
}

TEST(a_logout_ends_its_own_access_token_at_once_and_no_other) {
    Scene scene;
    scene_open(&scene);
    scene_use(&scene);
    CHECK(fixture_call(&scene.f, "POST", "/v1/logout", scene.token, NULL).status == 204);
    CHECK(see(&scene, scene.token) == 401 && see(&scene, scene.other) == 200);
    CHECK(refresh(&scene, &scene.in).status == 401);
    CHECK(fixture_call(&scene.f, "POST", "/v1/logout", scene.token, NULL).status == 401);
    fixture_close(&scene.f);
}

TEST(a_logout_of_all_ends_every_access_token_of_the_operator_at_once) {
    Scene scene;
    scene_open(&scene);
    scene_use(&scene);
    CHECK(fixture_call(&scene.f, "POST", "/v1/logout?all=true", scene.token, NULL).status == 204);
    CHECK(see(&scene, scene.token) == 401 && see(&scene, scene.other) == 401);
    CHECK(see(&scene, scene.f.token) == 200);
    fixture_close(&scene.f);
}

TEST(a_new_password_ends_every_access_token_of_the_operator_at_once) {
    Scene scene;
    scene_open(&scene);
    scene_use(&scene);
    CHECK(by_owner(&scene, "PATCH", "{\"password\":\"another password\"}") == 200);
    CHECK(see(&scene, scene.token) == 401 && see(&scene, scene.other) == 401);
    HttpReply in = login(&scene, "another password");
    CHECK(see(&scene, fixture_field(&in, "access_token")) == 200);
    fixture_close(&scene.f);
}

TEST(another_role_is_that_of_the_next_call) {
    Scene scene;
    scene_open(&scene);
    Fixture *f = &scene.f;
    CHECK(fixture_call(f, "POST", "/v1/fleets", scene.token, "{\"name\":\"a\"}").status == 201);
    CHECK(by_owner(&scene, "PATCH", "{\"role\":\"viewer\"}") == 200);
    CHECK(fixture_call(f, "POST", "/v1/fleets", scene.token, "{\"name\":\"b\"}").status == 403);
    CHECK(see(&scene, scene.token) == 200);
    CHECK(by_owner(&scene, "PATCH", "{\"role\":\"operator\"}") == 200);
    CHECK(fixture_call(f, "POST", "/v1/fleets", scene.token, "{\"name\":\"b\"}").status == 201);
    fixture_close(f);
}

TEST(an_operator_that_is_removed_is_out_at_once) {
    Scene scene;
    scene_open(&scene);
    scene_use(&scene);
    CHECK(by_owner(&scene, "DELETE", NULL) == 204);
    CHECK(see(&scene, scene.token) == 401 && see(&scene, scene.other) == 401);
    fixture_close(&scene.f);
}

TEST(a_used_refresh_token_that_comes_back_ends_the_access_tokens_of_its_session_at_once) {
    Scene scene;
    scene_open(&scene);
    scene_use(&scene);
    HttpReply next = refresh(&scene, &scene.in);
    Str renewed = fixture_field(&next, "access_token");
    CHECK(see(&scene, scene.token) == 200 && see(&scene, renewed) == 200);
    CHECK(refresh(&scene, &scene.in).status == 401);
    CHECK(see(&scene, scene.token) == 401 && see(&scene, renewed) == 401);
    CHECK(see(&scene, scene.other) == 200);
    CHECK(refresh(&scene, &next).status == 401);
    fixture_close(&scene.f);
}

TEST(a_token_ends_with_its_time_though_it_is_known) {
    Scene scene;
    scene_open(&scene);
    scene.f.now_ms += 1000ULL * OPERATOR_TOKEN_LIFE_S - 1;
    scene_use(&scene);
    scene.f.now_ms++;
    CHECK(see(&scene, scene.token) == 401);
    fixture_close(&scene.f);
}

static void count_reads(void *ctx) {
    ++*(unsigned *)ctx;
}

TEST(a_token_that_is_known_costs_no_read_of_its_session_or_operator) {
    static const char *const rows[] = {"session", "operator"};
    for (size_t i = 0; i < 2; i++) {
        Scene scene;
        unsigned reads = 0;
        scene_open(&scene);
        scene.meanwhile.after = rows[i];
        scene.meanwhile.act = count_reads;
        scene.meanwhile.ctx = &reads;
        scene.meanwhile.left = 99;
        for (int n = 0; n < 3; n++)
            CHECK(see(&scene, scene.token) == 200 && reads == 1);
        fixture_close(&scene.f);
    }
}

TEST(a_logout_that_seems_to_have_failed_ends_the_token_if_it_was_done) {
    Scene scene;
    scene_open(&scene);
    scene_use(&scene);
    scene.meanwhile.unanswered = true;
    scene.meanwhile.left = 1;
    CHECK(fixture_call(&scene.f, "POST", "/v1/logout", scene.token, NULL).status == 500);
    CHECK(see(&scene, scene.token) == 401 && see(&scene, scene.other) == 200);
    fixture_close(&scene.f);
}

static void meanwhile_log_out(void *ctx) {
    Scene *scene = ctx;
    CHECK(fixture_call(&scene->f, "POST", "/v1/logout?all=true", scene->other, NULL).status == 204);
}

static void meanwhile_demote(void *ctx) {
    CHECK(by_owner(ctx, "PATCH", "{\"role\":\"viewer\"}") == 200);
}

/// A call that has looked up this row of who calls, when this happens.
static uint32_t call_overtaken(Scene *scene, const char *after, void (*act)(void *ctx)) {
    scene->meanwhile.after = after;
    scene->meanwhile.act = act;
    scene->meanwhile.left = 1;
    uint32_t status = see(scene, scene->token);
    CHECK(scene->meanwhile.left == 0);
    return status;
}

TEST(a_call_that_looked_before_a_logout_does_not_keep_the_token_alive) {
    static const char *const rows[] = {"session", "operator"};
    for (size_t i = 0; i < 2; i++) {
        Scene scene;
        scene_open(&scene);
        CHECK(see(&scene, scene.other) == 200);
        CHECK(call_overtaken(&scene, rows[i], meanwhile_log_out) == 200); // it was there before
        CHECK(see(&scene, scene.token) == 401);
        fixture_close(&scene.f);
    }
}

TEST(a_call_that_looked_before_a_new_role_does_not_keep_the_old_one) {
    Scene scene;
    scene_open(&scene);
    Fixture *f = &scene.f;
    CHECK(see(&scene, f->token) == 200);
    CHECK(call_overtaken(&scene, "operator", meanwhile_demote) == 200);
    CHECK(fixture_call(f, "POST", "/v1/fleets", scene.token, "{\"name\":\"a\"}").status == 403);
    fixture_close(f);
}

/// Bob's first session, with other claims.
static Str token_of(Scene *scene, AccessClaims claims) {
    Str token;
    CHECK_OK(access_token_make(&scene->f.app, &claims, &scene->f.arena, &token));
    return token;
}

TEST(a_token_needs_every_claim) {
    Scene scene;
    scene_open(&scene);
    Id id, org, session;
    Principal principal;
    CHECK_OK(
        access_principal(&scene.f.app, scene.token, scene.f.now_ms, &scene.f.arena, &principal));
    id = principal.subject, org = principal.scope, session = principal.session;
    AccessClaims good = {.sub = id,
                         .sid = session,
                         .org = org,
                         .aud = S(AUDIENCE_OPERATOR),
                         .iat = scene.f.now_ms / 1000,
                         .exp = scene.f.now_ms / 1000 + 1};
    CHECK(see(&scene, token_of(&scene, good)) == 200);
    AccessClaims bad = good;
    bad.sid = (Id){};
    CHECK(see(&scene, token_of(&scene, bad)) == 401);
    bad.sid = id_new(S("session"), scene.f.now_ms);
    CHECK(see(&scene, token_of(&scene, bad)) == 401);
    bad = good;
    bad.sub = id_new(S("operator"), scene.f.now_ms);
    CHECK(see(&scene, token_of(&scene, bad)) == 401);
    bad = good;
    bad.org = id_new(S("org"), scene.f.now_ms);
    CHECK(see(&scene, token_of(&scene, bad)) == 401);
    bad = good;
    bad.aud = S("something else");
    CHECK(see(&scene, token_of(&scene, bad)) == 401);
    bad = good;
    bad.exp = scene.f.now_ms / 1000;
    CHECK(see(&scene, token_of(&scene, bad)) == 401);
    fixture_close(&scene.f);
}

TEST_MAIN(CASE(a_logout_ends_its_own_access_token_at_once_and_no_other),
          CASE(a_logout_of_all_ends_every_access_token_of_the_operator_at_once),
          CASE(a_new_password_ends_every_access_token_of_the_operator_at_once),
          CASE(another_role_is_that_of_the_next_call),
          CASE(an_operator_that_is_removed_is_out_at_once),
          CASE(a_used_refresh_token_that_comes_back_ends_the_access_tokens_of_its_session_at_once),
          CASE(a_token_ends_with_its_time_though_it_is_known),
          CASE(a_token_that_is_known_costs_no_read_of_its_session_or_operator),
          CASE(a_logout_that_seems_to_have_failed_ends_the_token_if_it_was_done),
          CASE(a_call_that_looked_before_a_logout_does_not_keep_the_token_alive),
          CASE(a_call_that_looked_before_a_new_role_does_not_keep_the_old_one),
          CASE(a_token_needs_every_claim))
