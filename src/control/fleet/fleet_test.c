// SPDX-License-Identifier: Apache-2.0
/// A fleet that is deleted has nobody in it and lets nobody in, however the calls interleave.
#include "control/fixture.h"

#include "api/fleet.h"
#include "db/meanwhile_fixture.h"
#include "test.h"

#include <string.h>

/// One fixture with two fleets, and what shall happen just before the next commit: after
/// everything that the call under test has read, so that it decides on what is no longer so.
typedef struct Race {
    Fixture f;
    Meanwhile meanwhile;
    Str fleet, other; ///< ids
    Str token;        ///< lets devices into `fleet`
    JwsKey key;       ///< of a device that wants to join
    uint32_t status;  ///< of the call that came between
} Race;

/// This happens once, before the next commit.
static void race_while(Race *race, void (*act)(void *ctx)) {
    race->meanwhile.act = act;
    race->meanwhile.left = 1;
}

static void race_open(Race *race) {
    *race = (Race){};
    fixture_open(&race->f);
    race->fleet = fixture_fleet(&race->f, "one");
    race->other = fixture_fleet(&race->f, "other");
    race->token = fixture_enrolment_token(&race->f, race->fleet, 9);
    jws_key_make(&race->key);
    fixture_quiet(&race->f);
    meanwhile_open(&race->meanwhile, race->f.app.db);
    race->meanwhile.ctx = race;
}

static void race_close(Race *race) {
    fixture_close(&race->f);
}

static uint32_t fleet_delete(Race *race) {
    const char *path = fixture_print(&race->f, "/v1/fleets/%.*s", STR_FMT(race->fleet));
    return fixture_call(&race->f, "DELETE", path, race->f.token, NULL).status;
}

static uint32_t device_join(Race *race) {
    return fixture_enrol(&race->f, race->token, &race->key, "cam").status;
}

/// Another device, in the other fleet; gives the path to it.
static const char *device_elsewhere(Race *race) {
    Str token = fixture_enrolment_token(&race->f, race->other, 1);
    JwsKey key;
    jws_key_make(&key);
    HttpReply enrolled = fixture_enrol(&race->f, token, &key, "bus");
    return fixture_print(
        &race->f, "/v1/devices/%.*s", STR_FMT(fixture_field(&enrolled, "device_id")));
}

static HttpReply device_move(Race *race, const char *path) {
    const char *body = fixture_print(&race->f, "{\"fleet_id\":\"%.*s\"}", STR_FMT(race->fleet));
    return fixture_call(&race->f, "PATCH", path, race->f.token, body);
}

static const char *the_device; // that a call in between moves

static void meanwhile_delete(void *ctx) {
    Race *race = ctx;
    race->status = fleet_delete(race);
}

static void meanwhile_join(void *ctx) {
    Race *race = ctx;
    race->status = device_join(race);
}

static void meanwhile_move(void *ctx) {
    Race *race = ctx;
    race->status = device_move(race, the_device).status;
}

static void meanwhile_join_with_a_new_token(void *ctx) {
    Race *race = ctx;
    race->token = fixture_enrolment_token(&race->f, race->fleet, 1);
    race->status = device_join(race);
}

static size_t device_count(Race *race, Str fleet) {
    const char *path = fixture_print(&race->f, "/v1/devices?fleet_id=%.*s", STR_FMT(fleet));
    HttpReply reply = fixture_call(&race->f, "GET", path, race->f.token, NULL);
    size_t count = 0;
    for (size_t at = 0; (at = str_index(reply.body, '{', at)) < reply.body.len; at++)
        count += str_starts(str_slice(reply.body, at, reply.body.len), S("{\"id\":\"device_"));
    return count;
}

/// The fleet and its token are there no longer, and nobody was left in it.
static void check_gone(Race *race) {
    CHECK(fleet_delete(race) == 404);
    CHECK(device_join(race) == 401);
    CHECK(device_count(race, race->fleet) == 0);
}

TEST(a_deleted_fleet_takes_its_enrolment_tokens_with_it) {
    Race race;
    race_open(&race);
    CHECK(fleet_delete(&race) == 204);
    check_gone(&race);
    const char *path = fixture_print(&race.f, "/v1/tokens?fleet_id=%.*s", STR_FMT(race.fleet));
    CHECK_STR(fixture_call(&race.f, "GET", path, race.f.token, NULL).body, S("{\"items\":[]}"));
    HttpReply audit = fixture_call(&race.f, "GET", "/v1/audit?limit=100", race.f.token, NULL);
    CHECK(memmem(audit.body.ptr, audit.body.len, "token.delete", 12));
    race_close(&race);
}

TEST(a_token_whose_fleet_is_not_there_lets_nobody_in) {
    Race race;
    race_open(&race);
    Tx *tx;
    CHECK_OK(tx_open_all(race.f.app.db, &race.f.arena, &tx));
    Fleet fleet;
    CHECK_OK(tx_get(tx, &Fleet_schema, race.fleet, &fleet));
    CHECK_OK(tx_delete(tx, &Fleet_schema, &fleet)); // and not its token
    CHECK_OK(tx_commit(tx, NULL));
    HttpReply refused = fixture_enrol(&race.f, race.token, &race.key, "cam");
    CHECK(refused.status == 401);
    CHECK_STR(fixture_field(&refused, "detail"), S("the enrolment token's fleet was deleted"));
    race_close(&race);
}

TEST(a_fleet_is_deleted_however_many_tokens_it_has) {
    Race race;
    race_open(&race);
    for (int i = 0; i < 2 * TX_OPS_MAX; i++)
        fixture_enrolment_token(&race.f, race.fleet, 1);
    Str other = fixture_enrolment_token(&race.f, race.other, 1);
    CHECK(fleet_delete(&race) == 204);
    check_gone(&race);
    CHECK(fixture_enrol(&race.f, other, &race.key, "cam").status == 200); // that of another is left
    race_close(&race);
}

TEST(a_fleet_is_not_deleted_when_a_device_joins_in_between) {
    Race race;
    race_open(&race);
    race_while(&race, meanwhile_join);
    CHECK(fleet_delete(&race) == 409);
    CHECK(race.status == 200);
    CHECK(device_count(&race, race.fleet) == 1);
    race_close(&race);
}

TEST(a_fleet_is_not_deleted_when_a_device_joins_with_a_token_made_in_between) {
    Race race;
    race_open(&race);
    race_while(&race, meanwhile_join_with_a_new_token);
    CHECK(fleet_delete(&race) == 409);
    CHECK(race.status == 200);
    race_close(&race);
}

TEST(a_fleet_is_not_deleted_when_a_device_moves_there_in_between) {
    Race race;
    race_open(&race);
    the_device = device_elsewhere(&race);
    race_while(&race, meanwhile_move);
    CHECK(fleet_delete(&race) == 409);
    CHECK(race.status == 200);
    CHECK(device_count(&race, race.fleet) == 1);
    race_close(&race);
}

TEST(a_device_does_not_join_a_fleet_that_is_deleted_in_between) {
    Race race;
    race_open(&race);
    race_while(&race, meanwhile_delete);
    CHECK(device_join(&race) == 401);
    CHECK(race.status == 204);
    check_gone(&race);
    race_close(&race);
}

TEST(a_device_does_not_move_to_a_fleet_that_is_deleted_in_between) {
    Race race;
    race_open(&race);
    const char *path = device_elsewhere(&race);
    race_while(&race, meanwhile_delete);
    CHECK(device_move(&race, path).status == 422);
    CHECK(race.status == 204);
    CHECK(device_count(&race, race.other) == 1);
    check_gone(&race);
    race_close(&race);
}

TEST(a_token_is_not_made_for_a_fleet_that_is_deleted_in_between) {
    Race race;
    race_open(&race);
    race_while(&race, meanwhile_delete);
    const char *body = fixture_print(&race.f, "{\"fleet_id\":\"%.*s\"}", STR_FMT(race.fleet));
    CHECK(fixture_call(&race.f, "POST", "/v1/tokens", race.f.token, body).status == 422);
    CHECK(race.status == 204);
    race_close(&race);
}

TEST_MAIN(CASE(a_deleted_fleet_takes_its_enrolment_tokens_with_it),
          CASE(a_token_whose_fleet_is_not_there_lets_nobody_in),
          CASE(a_fleet_is_deleted_however_many_tokens_it_has),
          CASE(a_fleet_is_not_deleted_when_a_device_joins_in_between),
          CASE(a_fleet_is_not_deleted_when_a_device_joins_with_a_token_made_in_between),
          CASE(a_fleet_is_not_deleted_when_a_device_moves_there_in_between),
          CASE(a_device_does_not_join_a_fleet_that_is_deleted_in_between),
          CASE(a_device_does_not_move_to_a_fleet_that_is_deleted_in_between),
          CASE(a_token_is_not_made_for_a_fleet_that_is_deleted_in_between))
