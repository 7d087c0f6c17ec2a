// SPDX-License-Identifier: Apache-2.0
/// Who is there, and every way in which a hello can be wrong.
#include "control/device/hello.h"

#include "base/scope.h"
#include "control/fixture.h"
#include "db/tx.h"
#include "test.h"

/// A fixture with one device in it.
typedef struct Scene {
    Fixture f;
    FixtureDevice device;
    Str token;
} Scene;

static void scene_open(Scene *scene) {
    fixture_open(&scene->f);
    scene->token = fixture_enrolment_token(&scene->f, fixture_fleet(&scene->f, "one"), 9);
    scene->device = fixture_device(&scene->f, scene->token, "cam");
}

static void scene_close(Scene *scene) {
    fixture_close(&scene->f);
}

/// The sync was refused with this code and class, and nothing else was said.
static void check_refused(Scene *scene, const FixtureDevice *device, Refusal refusal) {
    HttpReply reply = fixture_sync(&scene->f, device, "\"seq\":5");
    CHECK(reply.status == 200);
    CHECK(fixture_has(&reply, "{\"refused\":{"));
    CHECK_STR(fixture_field(&reply, "code"), refusal.code);
    CHECK_STR(fixture_field(&reply, "class"), str_from(RefusalClass_names.items[refusal.class]));
    CHECK_STR(fixture_field(&reply, "ack"), S("0"));
    CHECK(!fixture_has(&reply, "desired") && !fixture_has(&reply, "servers"));
}

#define REFUSED(scene, device, code) check_refused(scene, device, refusal_make(code, (Str){}))

static void check_accepted(Scene *scene, const FixtureDevice *device) {
    HttpReply reply = fixture_sync(&scene->f, device, "\"seq\":5");
    CHECK(reply.status == 200);
    CHECK(!fixture_has(&reply, "refused"));
    CHECK_STR(fixture_field(&reply, "ack"), S("5"));
}

TEST(a_good_hello_is_answered_and_may_come_again) {
    Scene scene;
    scene_open(&scene);
    check_accepted(&scene, &scene.device);
    scene.device.proof.nonce = fixture_nonce(&scene.f);
    check_accepted(&scene, &scene.device);
    check_accepted(&scene, &scene.device); // the same proof: sync is idempotent
    scene_close(&scene);
}

TEST(a_challenge_that_is_old_or_not_ours_is_refused) {
    Scene scene;
    scene_open(&scene);
    FixtureDevice device = scene.device;
    device.proof.nonce = fixture_nonce(&scene.f);
    scene.f.now_ms += NONCE_LIFE_MS;
    check_accepted(&scene, &device);
    scene.f.now_ms += 1;
    REFUSED(&scene, &device, REFUSED_NONCE_OLD);
    device.proof.nonce = S("made-up");
    REFUSED(&scene, &device, REFUSED_NONCE_OLD);
    JwsKey other;
    jws_key_make(&other);
    CHECK_OK(challenge_make(
        &other, (ChallengeFor){}, scene.f.now_ms, &scene.f.arena, &device.proof.nonce));
    REFUSED(&scene, &device, REFUSED_NONCE_OLD);
    CHECK_OK(challenge_make(
        &scene.f.app.key, S("a channel"), scene.f.now_ms, &scene.f.arena, &device.proof.nonce));
    REFUSED(&scene, &device, REFUSED_NONCE_OLD); // given to a channel, used by a poll
    scene_close(&scene);
}

TEST(a_device_that_is_not_here_is_unknown) {
    Scene scene;
    scene_open(&scene);
    FixtureDevice device = scene.device;
    device.hello.device_id = device.proof.sub = id_new(S("device"), scene.f.now_ms);
    REFUSED(&scene, &device, REFUSED_DEVICE_UNKNOWN);
    scene_close(&scene);
}

TEST(a_proof_by_another_key_or_about_something_else_is_invalid) {
    Scene scene;
    scene_open(&scene);
    FixtureDevice wrong[8];
    for (size_t i = 0; i < 8; i++)
        wrong[i] = scene.device;
    jws_key_make(&wrong[0].key);
    wrong[1].proof.aud = id_new(S("installation"), scene.f.now_ms);
    wrong[2].proof.use = PROOF_ENROL;
    wrong[3].proof.use = PROOF_ROTATE;
    wrong[4].proof.sub = fixture_device(&scene.f, scene.token, "other").hello.device_id;
    wrong[5].proof.sub = (Id){};
    wrong[6].proof.about = S("a key");
    const uint8_t binding[BINDING_LEN] = {1};
    wrong[7].proof.binding = (Bytes){binding, sizeof(binding)}; // nobody asked for it
    for (size_t i = 0; i < 8; i++)
        REFUSED(&scene, &wrong[i], REFUSED_PROOF_INVALID);
    scene_close(&scene);
}

TEST(a_proof_that_is_none_is_invalid_and_one_with_another_claim_too) {
    Scene scene;
    scene_open(&scene);
    Fixture *f = &scene.f;
    const char *claims = fixture_print(
        f,
        "{\"aud\":\"%s\",\"use\":\"hello\",\"nonce\":\"%.*s\",\"sub\":\"%s\",\"colour\":\"red\"}",
        f->app.installation.text,
        STR_FMT(fixture_nonce(f)),
        scene.device.hello.device_id.text);
    SCOPED(text_done) Text token;
    text_init(&token, JWS_TOKEN_MAX);
    jws_sign(&scene.device.key, str_from(claims), &token);
    const char *proofs[] = {"x", "x.y.z", str_dup(&f->arena, text_str(&token)).ptr};
    for (size_t i = 0; i < sizeof(proofs) / sizeof(proofs[0]); i++) {
        const char *body = fixture_print(f,
                                         "{\"hello\":{\"device_id\":\"%s\",\"epoch\":1,\"proof\":"
                                         "\"%s\",\"agent_version\":\"0.1.0\"},\"seq\":1}",
                                         scene.device.hello.device_id.text,
                                         proofs[i]);
        HttpReply reply = fixture_call(f, "POST", AGENT_SYNC_PATH, (Str){}, body);
        CHECK(reply.status == 200);
        CHECK_STR(fixture_field(&reply, "code"), S("proof_invalid"));
    }
    scene_close(&scene);
}

TEST(a_retired_device_is_told_so_and_a_stranger_is_told_nothing) {
    Scene scene;
    scene_open(&scene);
    const char *path = scene.device.path;
    CHECK(fixture_call(&scene.f, "DELETE", path, scene.f.token, NULL).status == 204);
    REFUSED(&scene, &scene.device, REFUSED_DEVICE_RETIRED);
    FixtureDevice stranger = scene.device;
    jws_key_make(&stranger.key);
    REFUSED(&scene, &stranger, REFUSED_PROOF_INVALID);
    scene_close(&scene);
}

TEST(an_earlier_enrolment_of_a_device_is_over_and_only_its_key_learns_that) {
    Scene scene;
    scene_open(&scene);
    Str token = fixture_enrolment_token(&scene.f, fixture_fleet(&scene.f, "two"), 1);
    HttpReply anew = fixture_enrol(&scene.f, token, &scene.device.key, "cam");
    CHECK_STR(fixture_field(&anew, "epoch"), S("2"));
    REFUSED(&scene, &scene.device, REFUSED_EPOCH_OLD);
    FixtureDevice stranger = scene.device;
    jws_key_make(&stranger.key);
    REFUSED(&scene, &stranger, REFUSED_PROOF_INVALID);
    scene.device.hello.epoch = 3;
    REFUSED(&scene, &scene.device, REFUSED_EPOCH_OLD);
    scene.device.hello.epoch = 2;
    check_accepted(&scene, &scene.device);
    scene_close(&scene);
}

/// Judge the device's hello as if it came over the connection.
static Refusal judged(Scene *scene, const FixtureDevice *device, const ProofWanted *wanted) {
    Fixture *f = &scene->f;
    Hello hello = device->hello;
    hello.proof = fixture_proof(f, &device->key, &device->proof);
    SCOPED(tx_closep) Tx *tx = NULL;
    CHECK_OK(tx_open_all(f->app.db, &f->arena, &tx));
    Device found;
    Refusal refusal;
    CHECK_OK(hello_judge(&f->app, tx, &f->arena, &hello, wanted, f->now_ms, &found, &refusal));
    return refusal;
}

TEST(a_channel_takes_its_own_challenge_and_its_own_binding_only) {
    Scene scene;
    scene_open(&scene);
    const uint8_t ours[BINDING_LEN] = {1, 2}, others[BINDING_LEN] = {1, 3};
    ProofWanted here = {
        S("here"), {ours, BINDING_LEN}
    };
    ProofWanted there = {
        S("there"), {others, BINDING_LEN}
    };
    FixtureDevice device = scene.device;
    CHECK_OK(challenge_make(
        &scene.f.app.key, here.connection, scene.f.now_ms, &scene.f.arena, &device.proof.nonce));
    Refusal refusal = judged(&scene, &device, &here);
    CHECK(refusal_is(&refusal, REFUSED_BINDING_MISSING));
    device.proof.binding = there.binding;
    refusal = judged(&scene, &device, &here);
    CHECK(refusal_is(&refusal, REFUSED_PROOF_INVALID));
    device.proof.binding = here.binding;
    refusal = judged(&scene, &device, &there);
    CHECK(refusal_is(&refusal, REFUSED_NONCE_OLD)); // whoever took it away
    refusal = judged(&scene, &device, &here);
    CHECK(!refusal.code.ptr);
    ProofWanted plain = {.connection = here.connection};
    refusal = judged(&scene, &device, &plain);
    CHECK(refusal_is(&refusal, REFUSED_PROOF_INVALID)); // it was not asked for
    scene_close(&scene);
}

TEST(a_sync_needs_a_hello_and_may_have_fields_that_we_do_not_know) {
    Scene scene;
    scene_open(&scene);
    Fixture *f = &scene.f;
    HttpReply reply = fixture_call(f, "POST", AGENT_SYNC_PATH, (Str){}, "{\"seq\":1}");
    CHECK(reply.status == 422);
    CHECK(fixture_has(&reply, "/hello"));
    reply =
        fixture_sync(f, &scene.device, "\"seq\":5,\"colour\":{\"red\":[1]},\"stamp\":{\"x\":1}");
    CHECK(reply.status == 200);
    CHECK_STR(fixture_field(&reply, "ack"), S("5"));
    scene_close(&scene);
}

TEST(versions_are_kept_and_servers_are_told_to_who_has_others) {
    Scene scene;
    scene_open(&scene);
    Fixture *f = &scene.f;
    scene.device.hello.agent_version = S("9.8.7");
    Str words[] = {S("services"), S("levitation")};
    scene.device.hello.abilities = (StrList){words, 2};
    scene.device.hello.servers = S("an older list");
    scene.device.hello.servers_failed = S("a newer list");
    HttpReply reply = fixture_sync(f, &scene.device, "\"seq\":1");
    CHECK(fixture_has(&reply, "\"servers\":{\"digest\":\"a list\""));
    CHECK(fixture_has(&reply, "https://muster.example.org:7443"));
    HttpReply seen = fixture_call(f, "GET", scene.device.path, f->token, NULL);
    CHECK_STR(fixture_field(&seen, "agent_version"), S("9.8.7"));
    CHECK(fixture_has(&seen, "\"abilities\":[\"services\",\"levitation\"]"));
    CHECK(fixture_has(&seen, "the servers of the list a newer list"));
    scene.device.hello.servers = f->app.servers.digest;
    scene.device.hello.servers_failed = (Str){};
    reply = fixture_sync(f, &scene.device, "\"seq\":2");
    CHECK(!fixture_has(&reply, "digest"));
    seen = fixture_call(f, "GET", scene.device.path, f->token, NULL);
    CHECK(!fixture_has(&seen, "a newer list"));
    scene_close(&scene);
}

TEST_MAIN(CASE(a_good_hello_is_answered_and_may_come_again),
          CASE(a_challenge_that_is_old_or_not_ours_is_refused),
          CASE(a_device_that_is_not_here_is_unknown),
          CASE(a_proof_by_another_key_or_about_something_else_is_invalid),
          CASE(a_proof_that_is_none_is_invalid_and_one_with_another_claim_too),
          CASE(a_retired_device_is_told_so_and_a_stranger_is_told_nothing),
          CASE(an_earlier_enrolment_of_a_device_is_over_and_only_its_key_learns_that),
          CASE(a_channel_takes_its_own_challenge_and_its_own_binding_only),
          CASE(a_sync_needs_a_hello_and_may_have_fields_that_we_do_not_know),
          CASE(versions_are_kept_and_servers_are_told_to_who_has_others))
