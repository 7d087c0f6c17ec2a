// SPDX-License-Identifier: Apache-2.0
/// What another call does between the reading of an enrolment and its commit.
#include "control/fixture.h"

#include "db/meanwhile_fixture.h"
#include "test.h"

/// A fixture, and what happens just before the next commit, once.
typedef struct Race {
    Fixture f;
    Meanwhile meanwhile;
    Str first, second; ///< two tokens for one fleet
    JwsKey key;        ///< of the device that joins
} Race;

/// This happens once, before the next commit.
static void race_while(Race *race, void (*act)(void *ctx)) {
    race->meanwhile.act = act;
    race->meanwhile.left = 1;
}

static void race_open(Race *race) {
    *race = (Race){};
    fixture_open(&race->f);
    Str fleet = fixture_fleet(&race->f, "one");
    race->first = fixture_enrolment_token(&race->f, fleet, 1);
    race->second = fixture_enrolment_token(&race->f, fleet, 1);
    jws_key_make(&race->key);
    fixture_quiet(&race->f);
    meanwhile_open(&race->meanwhile, race->f.app.db);
    race->meanwhile.ctx = race;
}

/// The same device joins with the other token, and is retired.
static void meanwhile_join_and_retire(void *ctx) {
    Race *race = ctx;
    HttpReply joined = fixture_enrol(&race->f, race->second, &race->key, "cam");
    CHECK(joined.status == 200);
    const char *path =
        fixture_print(&race->f, "/v1/devices/%.*s", STR_FMT(fixture_field(&joined, "device_id")));
    CHECK(fixture_call(&race->f, "DELETE", path, race->f.token, NULL).status == 204);
}

static void meanwhile_join(void *ctx) {
    Race *race = ctx;
    CHECK(fixture_enrol(&race->f, race->second, &race->key, "cam").status == 200);
}

static void meanwhile_another_takes_the_name(void *ctx) {
    Race *race = ctx;
    JwsKey key;
    jws_key_make(&key);
    CHECK(fixture_enrol(&race->f, race->second, &key, "cam").status == 200);
}

static HttpReply join(Race *race) {
    return fixture_enrol(&race->f, race->first, &race->key, "cam");
}

TEST(a_key_that_is_retired_in_between_does_not_join) {
    Race race;
    race_open(&race);
    race_while(&race, meanwhile_join_and_retire);
    CHECK(join(&race).status == 403);
    HttpReply devices = fixture_call(&race.f, "GET", "/v1/devices", race.f.token, NULL);
    CHECK_STR(devices.body, S("{\"items\":[]}"));
    fixture_close(&race.f);
}

TEST(a_device_that_joins_in_between_with_another_token_is_the_same_device) {
    Race race;
    race_open(&race);
    race_while(&race, meanwhile_join);
    HttpReply joined = join(&race);
    CHECK(joined.status == 200);
    CHECK_STR(fixture_field(&joined, "epoch"), S("2"));
    HttpReply fleet = fixture_call(&race.f, "GET", "/v1/fleets", race.f.token, NULL);
    CHECK_STR(fixture_field(&fleet, "device_count"), S("1"));
    fixture_close(&race.f);
}

TEST(a_name_that_is_taken_in_between_gets_a_tail) {
    Race race;
    race_open(&race);
    race_while(&race, meanwhile_another_takes_the_name);
    HttpReply joined = join(&race);
    CHECK(joined.status == 200);
    CHECK(str_starts(fixture_field(&joined, "name"), S("cam-")));
    fixture_close(&race.f);
}

TEST_MAIN(CASE(a_key_that_is_retired_in_between_does_not_join),
          CASE(a_device_that_joins_in_between_with_another_token_is_the_same_device),
          CASE(a_name_that_is_taken_in_between_gets_a_tail))
