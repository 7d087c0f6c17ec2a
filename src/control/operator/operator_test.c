// SPDX-License-Identifier: Apache-2.0
#include "control/operator/operator.h"

#include "control/fixture.h"
#include "db/meanwhile_fixture.h"
#include "test.h"

TEST(only_the_password_itself_matches_its_hash) {
    Arena arena;
    arena_init(&arena, 4096);
    Str hash;
    CHECK_OK(password_hash(S("correct horse"), &arena, &hash));
    CHECK(str_starts(hash, S("$argon2id$v=19$m=19456,t=2,p=1$")));
    CHECK(password_matches(hash, S("correct horse")));
    CHECK(!password_matches(hash, S("correct horsf")));
    CHECK(!password_matches(S("nonsense"), S("correct horse")));
    CHECK(!password_matches((Str){}, S("")));
    arena_done(&arena);
}

/// Two owners, and a store in which the second acts just before the next commit.
static struct Race {
    Fixture f;
    Meanwhile meanwhile;
    const char *method;   ///< what the second does to the first
    const char *paths[2]; ///< of both
    Str bearer;           ///< the second's
    uint32_t status;      ///< of what it did
} race;

static uint32_t race_act(const char *method, const char *path, Str bearer) {
    const char *body = method[0] == 'P' ? "{\"role\":\"viewer\"}" : NULL;
    return fixture_call(&race.f, method, path, bearer, body).status;
}

static void race_meanwhile(void *) {
    race.status = race_act(race.method, race.paths[0], race.bearer);
}

static void race_open(void) {
    Fixture *f = &race.f;
    fixture_open(f);
    HttpReply list = fixture_call(f, "GET", "/v1/operators", f->token, NULL);
    Str first = fixture_field(&list, "id");
    HttpReply made =
        fixture_call(f,
                     "POST",
                     "/v1/operators",
                     f->token,
                     "{\"name\":\"bob\",\"role\":\"owner\",\"password\":\"correct horse\"}");
    race.paths[0] = fixture_print(f, "/v1/operators/%.*s", STR_FMT(first));
    race.paths[1] = fixture_print(f, "/v1/operators/%.*s", STR_FMT(fixture_field(&made, "id")));
    HttpReply login =
        fixture_call(f,
                     "POST",
                     "/v1/login",
                     (Str){},
                     "{\"org\":\"acme\",\"name\":\"bob\",\"password\":\"correct horse\"}");
    race.bearer = fixture_field(&login, "access_token");
    fixture_quiet(f);
    meanwhile_open(&race.meanwhile, f->app.db);
    race.meanwhile.act = race_meanwhile;
}

TEST(of_two_owners_who_act_on_each_other_one_is_left) {
    static const char *const methods[] = {"PATCH", "DELETE"};
    for (size_t i = 0; i < 4; i++) {
        race_open();
        race.method = methods[i % 2];
        race.meanwhile.left = 1;
        CHECK(race_act(methods[i / 2], race.paths[1], race.f.token) == 403);
        CHECK(race.status == (i % 2 ? 204 : 200));
        HttpReply left = fixture_call(&race.f, "GET", race.paths[1], race.bearer, NULL);
        CHECK_STR(fixture_field(&left, "role"), S("owner"));
        fixture_close(&race.f);
    }
}

TEST_MAIN(CASE(only_the_password_itself_matches_its_hash),
          CASE(of_two_owners_who_act_on_each_other_one_is_left))
