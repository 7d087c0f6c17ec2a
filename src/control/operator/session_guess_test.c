// SPDX-License-Identifier: Apache-2.0
/// Who guesses passwords is slowed down, and keeps nobody else out.
#include "control/fixture.h"
#include "test.h"

#define PASSWORD "a long enough password"

typedef struct Scene {
    Fixture f;
    Str refresh; ///< token of ada's session, which she began at home
} Scene;

static HttpReply login_with(Scene *scene, const char *from, const char *name, const char *rest) {
    Fixture *f = &scene->f;
    f->remote = str_from(from);
    const char *body = fixture_print(f, "{\"name\":\"%s\",%s}", name, rest);
    return fixture_call(f, "POST", "/v1/login", (Str){}, body);
}

static uint32_t guess(Scene *scene, const char *from, const char *name) {
    return login_with(scene, from, name, "\"password\":\"guess\"").status;
}

static uint32_t login(Scene *scene, const char *from, const char *name) {
    return login_with(scene, from, name, "\"password\":\"" PASSWORD "\"").status;
}

static void scene_open(Scene *scene) {
    Fixture *f = &scene->f;
    *scene = (Scene){};
    fixture_open(f);
    for (size_t i = 0; i < 2; i++) {
        const char *body =
            fixture_print(f, "{\"name\":\"%s\",\"password\":\"" PASSWORD "\"}", i ? "bob" : "eva");
        CHECK(fixture_call(f, "POST", "/v1/operators", f->token, body).status == 201);
    }
    HttpReply reply = login_with(scene, "192.0.2.1", "eva", "\"password\":\"" PASSWORD "\"");
    CHECK(reply.status == 200);
    scene->refresh = fixture_field(&reply, "refresh_token");
}

TEST(who_shares_an_address_with_one_that_guesses_gets_in_from_where_it_is_known) {
    Scene scene;
    scene_open(&scene);
    for (int i = 0; i < 10; i++)
        CHECK(guess(&scene, "192.0.2.1", "nobody") == 401);
    HttpReply blocked = login_with(&scene, "192.0.2.1", "bob", "\"password\":\"" PASSWORD "\"");
    CHECK(blocked.status == 429);
    CHECK(blocked.retry_after_s > 0 && blocked.retry_after_s <= 300);
    CHECK(login(&scene, "192.0.2.1", "eva") == 200);
    CHECK(guess(&scene, "192.0.2.1", "eva") == 401);
    CHECK(login(&scene, "192.0.2.2", "bob") == 200); // from elsewhere
    CHECK(login(&scene, "192.0.2.1", "bob") == 429);
    scene.f.now_ms -= 3'600'000; // a clock that goes back forgets nothing
    CHECK(login(&scene, "192.0.2.1", "bob") == 429);
    fixture_close(&scene.f);
}

TEST(guesses_from_many_addresses_lock_nobody_out_who_is_known) {
    Scene scene;
    scene_open(&scene);
    for (int i = 0; i < 30; i++)
        CHECK(guess(&scene, fixture_print(&scene.f, "198.51.100.%d", i), "eva") == 401);
    CHECK(login(&scene, "203.0.113.1", "eva") == 429);
    CHECK(login(&scene, "192.0.2.1", "eva") == 200);
    const char *shown = fixture_print(&scene.f,
                                      "\"password\":\"" PASSWORD "\",\"refresh_token\":\"%.*s\"",
                                      STR_FMT(scene.refresh));
    CHECK(login_with(&scene, "203.0.113.1", "eva", shown).status == 200);
    const char *wrong = fixture_print(
        &scene.f, "\"password\":\"guess\",\"refresh_token\":\"%.*s\"", STR_FMT(scene.refresh));
    CHECK(login_with(&scene, "203.0.113.2", "eva", wrong).status == 401);
    const char *renew =
        fixture_print(&scene.f, "{\"refresh_token\":\"%.*s\"}", STR_FMT(scene.refresh));
    CHECK(fixture_call(&scene.f, "POST", "/v1/refresh", (Str){}, renew).status == 200);
    CHECK(login(&scene, "203.0.113.3", "bob") == 200); // is another account
    fixture_close(&scene.f);
}

TEST(a_network_of_ipv6_is_one_address) {
    Scene scene;
    scene_open(&scene);
    for (int i = 0; i < 10; i++)
        CHECK(guess(&scene, fixture_print(&scene.f, "2001:db8:1:2::%d", i), "nobody") == 401);
    CHECK(login(&scene, "2001:db8:1:2:ffff::1", "bob") == 429);
    CHECK(login(&scene, "2001:db8:1:3::1", "bob") == 200);
    fixture_close(&scene.f);
}

TEST(a_failure_is_in_the_journal_of_whom_it_was_about) {
    Scene scene;
    scene_open(&scene);
    Fixture *f = &scene.f;
    CHECK(guess(&scene, "203.0.113.9", "eva") == 401);
    CHECK(guess(&scene, "203.0.113.9", "nobody") == 401);
    HttpReply journal = fixture_call(f, "GET", "/v1/audit/export?limit=1000", f->token, NULL);
    CHECK(fixture_has(&journal, "session.failed") && fixture_has(&journal, "203.0.113.9"));
    CHECK(!fixture_has(&journal, "nobody"));
    fixture_close(f);
}

TEST_MAIN(CASE(who_shares_an_address_with_one_that_guesses_gets_in_from_where_it_is_known),
          CASE(guesses_from_many_addresses_lock_nobody_out_who_is_known),
          CASE(a_network_of_ipv6_is_one_address),
          CASE(a_failure_is_in_the_journal_of_whom_it_was_about))
