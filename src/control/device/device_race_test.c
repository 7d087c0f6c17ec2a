// SPDX-License-Identifier: Apache-2.0
/// What a device says and joins with counts only for the life it is about, however the calls
/// interleave; and what it is told next is always newer.
#include "base/scope.h"
#include "channel/gateway.h"
#include "control/device/device.h"
#include "control/device/device_channel.h"
#include "control/fixture.h"
#include "db/meanwhile_fixture.h"
#include "db/tx.h"
#include "io/worker.h"
#include "test.h"

typedef struct Race {
    Fixture f;
    Meanwhile meanwhile;
    FixtureDevice device;
    JwsKey other; ///< of whoever joins meanwhile
    Str one, two; ///< fleets
    Str token;    ///< for "two"
    Str release;
} Race;

static Str race_release(Fixture *f, const char *version) {
    const char *body = fixture_print(f,
                                     "{\"application\":\"shop\",\"version\":\"%s\",\"manifest\":"
                                     "{\"services\":[{\"name\":\"web\",\"image\":\"r.example/w@"
                                     "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                                     "aaaaaaaaaaaa\"}]}}",
                                     version);
    HttpReply made = fixture_call(f, "POST", "/v1/releases", f->token, body);
    CHECK(made.status == 201);
    return fixture_field(&made, "id");
}

/// This happens once, in the middle of the next call.
static void race_while(Race *race, void (*act)(void *ctx)) {
    race->meanwhile.act = act;
    race->meanwhile.left = 1;
}

static void race_open(Race *race) {
    *race = (Race){};
    Fixture *f = &race->f;
    fixture_open(f);
    race->one = fixture_fleet(f, "one");
    race->two = fixture_fleet(f, "two");
    race->token = fixture_enrolment_token(f, race->two, 9);
    race->release = race_release(f, "1.0.0");
    race->device = fixture_device(f, fixture_enrolment_token(f, race->one, 9), "cam");
    CHECK(fixture_sync(f, &race->device, "\"seq\":1").status == 200); // its versions are known
    fixture_quiet(f);
    meanwhile_open(&race->meanwhile, race->f.app.db);
    race->meanwhile.ctx = race;
}

static void race_close(Race *race) {
    fixture_close(&race->f);
}

static void race_retire(void *ctx) {
    Race *race = ctx;
    Fixture *f = &race->f;
    CHECK(fixture_call(f, "DELETE", race->device.path, f->token, NULL).status == 204);
}

static void race_enrol(void *ctx) {
    Race *race = ctx;
    CHECK(fixture_enrol(&race->f, race->token, &race->device.key, "cam").status == 200);
}

static void race_deploy(Race *race, Str fleet) {
    Fixture *f = &race->f;
    const char *path = fixture_print(f, "/v1/fleets/%.*s/deploy", STR_FMT(fleet));
    const char *body = fixture_print(f, "{\"release_id\":\"%.*s\"}", STR_FMT(race->release));
    CHECK(fixture_call(f, "POST", path, f->token, body).status == 200);
}

static void race_move(Race *race, Str fleet) {
    Fixture *f = &race->f;
    const char *body = fixture_print(f, "{\"fleet_id\":\"%.*s\"}", STR_FMT(fleet));
    CHECK(fixture_call(f, "PATCH", race->device.path, f->token, body).status == 200);
}

/// The generation of a sync's answer, or `held` if it tells no newer one.
static uint64_t race_told(Race *race, uint64_t held) {
    const char *rest =
        fixture_print(&race->f, "\"seq\":1,\"generation\":%llu", (unsigned long long)held);
    HttpReply reply = fixture_sync(&race->f, &race->device, rest);
    CHECK(reply.status == 200 && !fixture_has(&reply, "refused"));
    uint64_t told = held;
    if (fixture_has(&reply, "desired"))
        CHECK_OK(str_u64(fixture_field(&reply, "generation"), &told));
    return told;
}

/// What is stored of the device's own words.
static bool race_has_status(Race *race) {
    SCOPED(tx_closep) Tx *tx = NULL;
    CHECK_OK(tx_open_all(race->f.app.db, &race->f.arena, &tx));
    DeviceStatus status;
    Str id = id_str(&race->device.hello.device_id);
    return tx_get(tx, &DeviceStatus_schema, id, &status).code == OK;
}

static const char *const REPORT = "\"seq\":1,\"reported\":{\"generation\":7}";

TEST(what_a_device_says_while_it_is_retired_leaves_nothing) {
    Race race;
    race_open(&race);
    race_while(&race, race_retire);
    HttpReply reply = fixture_sync(&race.f, &race.device, REPORT);
    CHECK_STR(fixture_field(&reply, "code"), S("device_retired"));
    CHECK(!race_has_status(&race));
    race_close(&race);
}

TEST(what_a_device_says_while_it_is_enrolled_anew_is_of_its_former_life) {
    Race race;
    race_open(&race);
    race_while(&race, race_enrol);
    HttpReply reply = fixture_sync(&race.f, &race.device, REPORT);
    CHECK_STR(fixture_field(&reply, "code"), S("epoch_old"));
    CHECK(!race_has_status(&race));
    race_close(&race);
}

TEST(the_key_of_a_device_that_is_retired_in_between_does_not_join) {
    static const char *const tables[] = {"device", "tombstone"};
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        Race race;
        race_open(&race);
        race.meanwhile.after = tables[i];
        race_while(&race, race_retire);
        HttpReply reply = fixture_enrol(&race.f, race.token, &race.device.key, "cam");
        CHECK(reply.status == 403);
        race_close(&race);
    }
}

/// A race between two enrolments, of which the second has a token of its own.
static void meanwhile_join(void *ctx) {
    Race *race = ctx;
    Str token = fixture_enrolment_token(&race->f, race->one, 1);
    CHECK(fixture_enrol(&race->f, token, &race->other, "bus").status == 200);
}

TEST(two_that_join_at_once_with_one_name_both_join) {
    Race race;
    race_open(&race);
    JwsKey key;
    jws_key_make(&key);
    jws_key_make(&race.other);
    race_while(&race, meanwhile_join);
    HttpReply reply = fixture_enrol(&race.f, race.token, &key, "bus");
    CHECK(reply.status == 200);
    CHECK(str_starts(fixture_field(&reply, "name"), S("bus-")));
    HttpReply again = fixture_enrol(&race.f, race.token, &key, "bus");
    CHECK_STR(again.body, reply.body);
    race_close(&race);
}

TEST(one_key_that_joins_at_once_with_two_tokens_is_one_device_with_two_enrolments) {
    Race race;
    race_open(&race);
    jws_key_make(&race.other);
    race_while(&race, meanwhile_join);
    HttpReply reply = fixture_enrol(&race.f, race.token, &race.other, "bus");
    CHECK(reply.status == 200);
    CHECK_STR(fixture_field(&reply, "epoch"), S("2"));
    CHECK_STR(fixture_field(&reply, "name"), S("bus"));
    race_close(&race);
}

static void meanwhile_deploy(void *ctx) {
    Race *race = ctx;
    race->f.now_ms += 10;
    race_deploy(race, race->one);
    CHECK(race_told(race, 0) > 0);
}

TEST(what_is_deployed_while_a_device_leaves_is_older_than_what_it_is_told_elsewhere) {
    Race race;
    race_open(&race);
    race_deploy(&race, race.two);
    race_while(&race, meanwhile_deploy);
    race_move(&race, race.two);
    HttpReply fleet = fixture_call(&race.f,
                                   "GET",
                                   fixture_print(&race.f, "/v1/fleets/%.*s", STR_FMT(race.one)),
                                   race.f.token,
                                   NULL);
    uint64_t held = 0;
    CHECK_OK(str_u64(fixture_field(&fleet, "generation"), &held)); // it was told of this
    CHECK(race_told(&race, held) > held);
    race_close(&race);
}

TEST(a_device_that_came_is_told_what_is_deployed_next_whatever_the_clock_says) {
    Race race;
    race_open(&race);
    race_move(&race, race.two);
    uint64_t held = race_told(&race, 0);
    race.f.now_ms -= 500; // the deploy began earlier, or the clock went back
    race_deploy(&race, race.two);
    uint64_t told = race_told(&race, held);
    CHECK(told > held);
    race_deploy(&race, race.two);
    CHECK(race_told(&race, told) > told);
    race_close(&race);
}

TEST(a_device_that_joined_anew_is_told_what_is_deployed_next_whatever_the_clock_says) {
    Race race;
    race_open(&race);
    race_enrol(&race);
    race.device.hello.epoch = 2;
    uint64_t held = race_told(&race, 0);
    race.f.now_ms -= 500;
    race_deploy(&race, race.two);
    CHECK(race_told(&race, held) > held);
    race_close(&race);
}

static void race_heard(void *ctx, Err result) {
    *(Err *)ctx = result;
}

/// The store in memory ends a commit at once.
static void race_hear(App *app, ChannelPeer *peer, Str message, Text *reply) {
    Err heard = FAIL(ERR_STATE, "not answered");
    device_channel_handlers.message(app, peer, message, reply, race_heard, &heard);
    CHECK_OK(heard);
}

TEST(a_channel_of_a_former_life_is_not_heard) {
    Race race;
    race_open(&race);
    App *app = &race.f.app;
    WorkerPool *workers = NULL;
    CHECK_OK(worker_pool_open(&(WorkerOptions){1, 8}, &workers));
    const GatewayOptions options = {.address = "127.0.0.1",
                                    .path = AGENT_CHANNEL_PATH,
                                    .protocol = AGENT_SUBPROTOCOL,
                                    .threads = 1,
                                    .connections_max = 1,
                                    .first_max_bytes = SYNC_FIRST_MAX,
                                    .message_max_bytes = SYNC_UP_MAX,
                                    .messages_per_minute_max = 60,
                                    .handshake_ms = 1000,
                                    .silence_ms = 1000,
                                    .handlers = device_channel_handlers,
                                    .app = app};
    CHECK_OK(gateway_open(&options, workers, &app->gateway, NULL));
    ChannelPeer peer = {.channel = 1, .subject = race.device.hello.device_id, .epoch = 1};
    HttpReply seen = fixture_call(&race.f, "GET", race.device.path, race.f.token, NULL);
    CHECK_OK(id_parse(fixture_field(&seen, "org_id"), S("org"), &peer.scope));
    SCOPED(text_done) Text reply;
    text_init(&reply, SYNC_DOWN_MAX);
    race_enrol(&race);
    race_hear(app, &peer, S("{\"seq\":2,\"reported\":{\"generation\":7}}"), &reply);
    CHECK(reply.len == 0 && !race_has_status(&race));
    peer.epoch = 2;
    race_hear(app, &peer, S("{\"seq\":2}"), &reply);
    CHECK(reply.len > 0 && race_has_status(&race));
    app->gateway = gateway_close(app->gateway);
    worker_pool_close(workers);
    race_close(&race);
}

TEST_MAIN(CASE(what_a_device_says_while_it_is_retired_leaves_nothing),
          CASE(what_a_device_says_while_it_is_enrolled_anew_is_of_its_former_life),
          CASE(the_key_of_a_device_that_is_retired_in_between_does_not_join),
          CASE(two_that_join_at_once_with_one_name_both_join),
          CASE(one_key_that_joins_at_once_with_two_tokens_is_one_device_with_two_enrolments),
          CASE(what_is_deployed_while_a_device_leaves_is_older_than_what_it_is_told_elsewhere),
          CASE(a_device_that_came_is_told_what_is_deployed_next_whatever_the_clock_says),
          CASE(a_device_that_joined_anew_is_told_what_is_deployed_next_whatever_the_clock_says),
          CASE(a_channel_of_a_former_life_is_not_heard))
