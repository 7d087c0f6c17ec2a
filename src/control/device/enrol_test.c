// SPDX-License-Identifier: Apache-2.0
/// A key is one device, once: whose it is, and what it is worth when its device was retired.
#include "control/fixture.h"

#include "db/meanwhile_fixture.h"
#include "test.h"
#include "wire/token_text.h"

#include <string.h>

static const char *device_path(Fixture *f, const HttpReply *enrolled) {
    return fixture_print(f, "/v1/devices/%.*s", STR_FMT(fixture_field(enrolled, "device_id")));
}

/// Enrolled with `token` and `key`, then retired; gives its id.
static Str retired(Fixture *f, Str token, const JwsKey *key) {
    HttpReply enrolled = fixture_enrol(f, token, key, "cam");
    CHECK(enrolled.status == 200);
    CHECK(fixture_call(f, "DELETE", device_path(f, &enrolled), f->token, NULL).status == 204);
    return fixture_field(&enrolled, "device_id");
}

TEST(the_key_of_a_retired_device_does_not_join_again_but_a_new_one_does) {
    Fixture f;
    fixture_open(&f);
    Str token = fixture_enrolment_token(&f, fixture_fleet(&f, "one"), 9);
    JwsKey key, fresh;
    jws_key_make(&key);
    jws_key_make(&fresh);
    retired(&f, token, &key);
    HttpReply again = fixture_enrol(&f, token, &key, "cam");
    CHECK(again.status == 403);
    CHECK_STR(fixture_field(&again, "code"), S("forbidden"));
    CHECK_STR(fixture_field(&again, "detail"),
              S("this device was retired: enrol it again with a new key (muster-agent enrol "
                "--force)"));
    HttpReply anew = fixture_enrol(&f, token, &fresh, "cam");
    CHECK(anew.status == 200);
    CHECK_STR(fixture_field(&anew, "name"), S("cam")); // the name went with the device
    fixture_close(&f);
}

TEST(the_key_of_a_retired_device_joins_no_other_organisation) {
    Fixture f;
    fixture_open(&f);
    JwsKey key;
    jws_key_make(&key);
    retired(&f, fixture_enrolment_token(&f, fixture_fleet(&f, "one"), 1), &key);
    f.token = fixture_org(&f, "other");
    Str token = fixture_enrolment_token(&f, fixture_fleet(&f, "one"), 1);
    CHECK(fixture_enrol(&f, token, &key, "cam").status == 403);
    fixture_close(&f);
}

TEST(a_key_belongs_to_one_device_in_all_organisations) {
    Fixture f;
    fixture_open(&f);
    JwsKey key, fresh;
    jws_key_make(&key);
    jws_key_make(&fresh);
    HttpReply first =
        fixture_enrol(&f, fixture_enrolment_token(&f, fixture_fleet(&f, "one"), 1), &key, "cam");
    CHECK(first.status == 200);
    Str ada = f.token;
    f.token = fixture_org(&f, "other");
    Str token = fixture_enrolment_token(&f, fixture_fleet(&f, "one"), 1);
    HttpReply second = fixture_enrol(&f, token, &key, "cam");
    CHECK(second.status == 409);
    CHECK_STR(fixture_field(&second, "code"), S("exists"));
    CHECK_STR(fixture_field(&second, "detail"),
              S("this key is another organisation's device: enrol with a new key (muster-agent "
                "enrol --force)"));
    CHECK(fixture_call(&f, "GET", device_path(&f, &first), ada, NULL).status == 200);
    CHECK(fixture_enrol(&f, token, &fresh, "cam").status == 200); // nothing was spent
    fixture_close(&f);
}

/// Another enrolment token of the caller, for a fleet of its own.
static Str token_for(Fixture *f, const char *fleet) {
    return fixture_enrolment_token(f, fixture_fleet(f, fleet), 1);
}

TEST(joining_again_with_the_same_token_gives_the_same_answer_and_costs_nothing) {
    Fixture f;
    fixture_open(&f);
    Str token = token_for(&f, "one");
    JwsKey key;
    jws_key_make(&key);
    HttpReply first = fixture_enrol(&f, token, &key, "cam");
    CHECK_STR(fixture_field(&first, "epoch"), S("1"));
    CHECK_STR(fixture_field(&first, "installation"), id_str(&f.app.installation));
    CHECK_STR(fixture_field(&first, "heartbeat"), S("30s"));
    CHECK(fixture_has(&first, "\"servers\":{\"digest\":\"a list\",\"servers\":[{\"url\":"));
    HttpReply tokens = fixture_call(&f, "GET", "/v1/tokens", f.token, NULL);
    CHECK_STR(fixture_field(&tokens, "uses"), S("1"));
    f.now_ms += 3'600'000; // the token has ended meanwhile
    HttpReply again = fixture_enrol(&f, token, &key, "cam");
    CHECK(again.status == 200);
    CHECK_STR(again.body, first.body);
    fixture_close(&f);
}

TEST(joining_with_another_token_is_another_enrolment_of_the_same_device) {
    Fixture f;
    fixture_open(&f);
    FixtureDevice device = fixture_device(&f, token_for(&f, "one"), "cam");
    HttpReply told = fixture_sync(&f, &device, "\"seq\":1,\"reported\":{\"generation\":7}");
    CHECK(told.status == 200);
    Str token = token_for(&f, "two");
    HttpReply anew = fixture_enrol(&f, token, &device.key, "cam");
    CHECK(anew.status == 200);
    CHECK_STR(fixture_field(&anew, "device_id"), id_str(&device.hello.device_id));
    CHECK_STR(fixture_field(&anew, "name"), S("cam"));
    CHECK_STR(fixture_field(&anew, "epoch"), S("2"));
    HttpReply seen = fixture_call(&f, "GET", device.path, f.token, NULL);
    CHECK_STR(fixture_field(&seen, "fleet_id"), fixture_field(&anew, "fleet_id"));
    CHECK_STR(fixture_field(&seen, "presence"), S("never")); // what it said is forgotten
    CHECK_STR(fixture_field(&seen, "reported_generation"), S("0"));
    CHECK(!str_eq(fixture_field(&seen, "generation"), S("0"))); // newer than whatever it holds
    JwsKey other;
    jws_key_make(&other);
    CHECK(fixture_enrol(&f, token, &other, "cam").status == 401); // the use is spent
    HttpReply again = fixture_enrol(&f, token, &device.key, "cam");
    CHECK_STR(again.body, anew.body);
    fixture_close(&f);
}

/// Enrol by a proof with these claims; gives the status.
static uint32_t enrol_by(Fixture *f, Str token, const Proof *proof) {
    TokenText parts;
    CHECK_OK(token_text_parse(token, &f->arena, &parts, NULL));
    JwsKey key;
    jws_key_make(&key);
    Proof claims = *proof;
    if (!claims.about.ptr) claims.about = sha256_hex(&f->arena, parts.secret);
    if (!claims.nonce.ptr) claims.nonce = fixture_nonce(f);
    Str public_key = base64_encode(&f->arena, (Bytes){key.public, JWS_PUBLIC_KEY_LEN}, BASE64);
    const char *body =
        fixture_print(f,
                      "{\"secret\":\"%.*s\",\"public_key\":\"%.*s\",\"proof\":\"%.*s\","
                      "\"something_new\":{\"a\":[1]}}",
                      STR_FMT(parts.secret),
                      STR_FMT(public_key),
                      STR_FMT(fixture_proof(f, &key, &claims)));
    return fixture_call(f, "POST", AGENT_ENROL_PATH, (Str){}, body).status;
}

TEST(a_proof_about_something_else_enrols_nobody) {
    Fixture f;
    fixture_open(&f);
    Str token = token_for(&f, "one");
    const uint8_t binding[BINDING_LEN] = {1};
    const Proof good = {.aud = f.app.installation, .use = PROOF_ENROL};
    Proof wrong[] = {good, good, good, good, good, good};
    wrong[0].aud = id_new(S("installation"), f.now_ms);
    wrong[1].use = PROOF_HELLO;
    wrong[2].sub = id_new(S("device"), f.now_ms);
    wrong[3].binding = (Bytes){binding, sizeof(binding)};
    wrong[4].about = sha256_hex(&f.arena, S("another secret"));
    wrong[5].nonce = S("made-up");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        CHECK(enrol_by(&f, token, &wrong[i]) == 401);
    Proof old = good;
    old.nonce = fixture_nonce(&f);
    f.now_ms += NONCE_LIFE_MS + 1;
    CHECK(enrol_by(&f, token, &old) == 401);
    CHECK(enrol_by(&f, token, &good) == 200);
    fixture_close(&f);
}

TEST(a_token_has_all_that_a_machine_needs) {
    Fixture f;
    fixture_open(&f);
    TokenText parts;
    CHECK_OK(token_text_parse(token_for(&f, "one"), &f.arena, &parts, NULL));
    CHECK(parts.servers.count == 1);
    CHECK_STR(parts.servers.items[0], f.server.url);
    CHECK_STR(parts.authority, f.app.authority);
    CHECK_STR(parts.fleet, S("one"));
    CHECK(parts.secret.len >= 32);
    fixture_close(&f);
}

/// A store in which something happens just before each of the next commits.
static struct Race {
    Fixture f;
    Meanwhile meanwhile;
    Str fleet, token;
} race;

/// The answer to "cam" that joins, while this happens before each of `count` commits.
static HttpReply race_run(void (*act)(void *ctx), unsigned count) {
    fixture_open(&race.f);
    race.fleet = fixture_fleet(&race.f, "one");
    race.token = fixture_enrolment_token(&race.f, race.fleet, 99);
    fixture_quiet(&race.f);
    meanwhile_open(&race.meanwhile, race.f.app.db);
    race.meanwhile.act = act;
    race.meanwhile.ctx = &race.f;
    race.meanwhile.left = count;
    JwsKey key;
    jws_key_make(&key);
    return fixture_enrol(&race.f, race.token, &key, "cam");
}

static void join_by_another_token(void *ctx) {
    Fixture *f = ctx;
    JwsKey key;
    jws_key_make(&key);
    CHECK(fixture_enrol(f, fixture_enrolment_token(f, race.fleet, 1), &key, "cam").status == 200);
}

static void join_by_the_same_token(void *ctx) {
    Fixture *f = ctx;
    JwsKey key;
    jws_key_make(&key);
    CHECK(fixture_enrol(f, race.token, &key, "bus").status == 200);
}

TEST(a_device_whose_name_is_taken_in_between_gets_another) {
    HttpReply reply = race_run(join_by_another_token, 1);
    CHECK(reply.status == 200);
    CHECK(str_starts(fixture_field(&reply, "name"), S("cam-")));
    fixture_close(&race.f);
}

TEST(a_device_joins_though_many_others_do_by_the_same_token) {
    CHECK(race_run(join_by_the_same_token, 20).status == 200);
    fixture_close(&race.f);
}

TEST_MAIN(CASE(joining_again_with_the_same_token_gives_the_same_answer_and_costs_nothing),
          CASE(joining_with_another_token_is_another_enrolment_of_the_same_device),
          CASE(a_proof_about_something_else_enrols_nobody),
          CASE(a_token_has_all_that_a_machine_needs),
          CASE(a_device_whose_name_is_taken_in_between_gets_another),
          CASE(a_device_joins_though_many_others_do_by_the_same_token),
          CASE(the_key_of_a_retired_device_does_not_join_again_but_a_new_one_does),
          CASE(the_key_of_a_retired_device_joins_no_other_organisation),
          CASE(a_key_belongs_to_one_device_in_all_organisations))
