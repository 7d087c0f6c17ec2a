// SPDX-License-Identifier: Apache-2.0
/// A device replaces its identity key, and is never locked out by a lost answer.
#include "control/fixture.h"

#include "db/meanwhile_fixture.h"
#include "test.h"

typedef struct Scene {
    Fixture f;
    FixtureDevice device; ///< with the key it has
    FixtureDevice next;   ///< the same device, with the key it wants
    Str token;
} Scene;

static void scene_open(Scene *scene) {
    Fixture *f = &scene->f;
    fixture_open(f);
    scene->token = fixture_enrolment_token(f, fixture_fleet(f, "one"), 9);
    scene->device = fixture_device(f, scene->token, "cam");
    scene->next = scene->device;
    jws_key_make(&scene->next.key);
}

/// `speaker` says hello and offers the next key, proved by `prover`.
static HttpReply offer(Scene *scene, FixtureDevice *speaker, const JwsKey *prover, ProofUse use) {
    Fixture *f = &scene->f;
    FixtureDevice device = *speaker;
    fixture_offer(f, &device, &scene->next.key);
    Proof proof = device.proof;
    proof.use = use;
    device.hello.next_key.proof = fixture_proof(f, prover, &proof);
    return fixture_sync(f, &device, "\"seq\":1");
}

static HttpReply offer_next(Scene *scene, FixtureDevice *speaker) {
    return offer(scene, speaker, &scene->next.key, PROOF_ROTATE);
}

TEST(a_key_is_replaced_in_one_commit_and_the_old_one_is_dead) {
    Scene scene;
    scene_open(&scene);
    Fixture *f = &scene.f;
    const char *path = fixture_print(f, "%s/rotate-key", scene.device.path);
    HttpReply asked = fixture_call(f, "POST", path, f->token, NULL);
    CHECK(asked.status == 200);
    CHECK_STR(fixture_field(&asked, "rotate_key"), S("true"));
    HttpReply told = fixture_sync(f, &scene.device, "\"seq\":1");
    CHECK_STR(fixture_field(&told, "rotate_key"), S("true"));
    HttpReply replaced = offer_next(&scene, &scene.device);
    CHECK(!fixture_has(&replaced, "refused"));
    CHECK_STR(fixture_field(&replaced, "rotate_key"), S("false"));
    Str key = fixture_field(&replaced, "key");
    HttpReply seen = fixture_call(f, "GET", scene.device.path, f->token, NULL);
    CHECK_STR(fixture_field(&seen, "public_key"), key);
    CHECK_STR(fixture_field(&seen, "rotate_key"), S("false"));
    HttpReply old = fixture_sync(f, &scene.device, "\"seq\":1");
    CHECK_STR(fixture_field(&old, "code"), S("proof_invalid"));
    CHECK(!fixture_has(&old, "\"key\""));
    HttpReply now = fixture_sync(f, &scene.next, "\"seq\":1");
    CHECK_STR(fixture_field(&now, "ack"), S("1"));
    HttpReply again = fixture_enrol(f, scene.token, &scene.device.key, "cam");
    CHECK(again.status == 403);
    HttpReply audit = fixture_call(f, "GET", "/v1/audit?limit=100", f->token, NULL);
    CHECK(fixture_has(&audit, "\"actor\":\"operator/ada\",\"action\":\"device.rotate_key\""));
    CHECK(fixture_has(&audit, "\"actor\":\"device/cam\",\"action\":\"device.rotate_key\""));
    fixture_close(f);
}

TEST(a_device_that_did_not_hear_the_answer_comes_back_with_the_new_key) {
    Scene scene;
    scene_open(&scene);
    Str first = fixture_field(&(HttpReply){.body = offer_next(&scene, &scene.device).body}, "key");
    HttpReply old = offer_next(&scene, &scene.device); // it offers it again, by the old key
    CHECK_STR(fixture_field(&old, "code"), S("proof_invalid"));
    HttpReply again = offer_next(&scene, &scene.next); // and by the new one
    CHECK_STR(fixture_field(&again, "key"), first);
    HttpReply plain = fixture_sync(&scene.f, &scene.next, "\"seq\":1");
    CHECK_STR(fixture_field(&plain, "ack"), S("1"));
    fixture_close(&scene.f);
}

TEST(a_next_key_must_prove_itself) {
    Scene scene;
    scene_open(&scene);
    Fixture *f = &scene.f;
    HttpReply wrong[] = {offer(&scene, &scene.device, &scene.device.key, PROOF_ROTATE),
                         offer(&scene, &scene.device, &scene.next.key, PROOF_HELLO)};
    for (size_t i = 0; i < 2; i++)
        CHECK_STR(fixture_field(&wrong[i], "code"), S("proof_invalid"));
    HttpReply seen = fixture_sync(f, &scene.device, "\"seq\":1");
    CHECK_STR(fixture_field(&seen, "ack"), S("1")); // nothing has changed
    fixture_close(f);
}

TEST(a_key_of_another_device_or_a_dead_one_is_no_next_key) {
    Scene scene;
    scene_open(&scene);
    Fixture *f = &scene.f;
    FixtureDevice other = fixture_device(f, scene.token, "other");
    scene.next.key = other.key;
    HttpReply taken = offer_next(&scene, &scene.device);
    CHECK_STR(fixture_field(&taken, "code"), S("proof_invalid"));
    CHECK(fixture_call(f, "DELETE", other.path, f->token, NULL).status == 204);
    HttpReply dead = offer_next(&scene, &scene.device);
    CHECK_STR(fixture_field(&dead, "code"), S("proof_invalid"));
    fixture_close(f);
}

TEST(a_device_that_was_retired_after_it_had_another_key_is_told_so) {
    Scene scene;
    scene_open(&scene);
    Fixture *f = &scene.f;
    offer_next(&scene, &scene.device);
    CHECK(fixture_call(f, "DELETE", scene.device.path, f->token, NULL).status == 204);
    HttpReply told = fixture_sync(f, &scene.next, "\"seq\":1");
    CHECK_STR(fixture_field(&told, "code"), S("device_retired"));
    CHECK(fixture_enrol(f, scene.token, &scene.next.key, "cam").status == 403);
    CHECK(fixture_enrol(f, scene.token, &scene.device.key, "cam").status == 403);
    fixture_close(f);
}

/// Another device joins with the next key, and is retired.
static void meanwhile_join_and_retire(void *ctx) {
    Scene *scene = ctx;
    HttpReply joined = fixture_enrol(&scene->f, scene->token, &scene->next.key, "bus");
    CHECK(joined.status == 200);
    const char *path =
        fixture_print(&scene->f, "/v1/devices/%.*s", STR_FMT(fixture_field(&joined, "device_id")));
    CHECK(fixture_call(&scene->f, "DELETE", path, scene->f.token, NULL).status == 204);
}

TEST(a_next_key_that_is_retired_in_between_is_refused) {
    Scene scene;
    scene_open(&scene);
    fixture_quiet(&scene.f);
    Meanwhile meanwhile;
    meanwhile_open(&meanwhile, scene.f.app.db);
    meanwhile.act = meanwhile_join_and_retire;
    meanwhile.ctx = &scene;
    meanwhile.left = 1;
    HttpReply refused = offer_next(&scene, &scene.device);
    CHECK(refused.status == 200);
    CHECK_STR(fixture_field(&refused, "code"), S("proof_invalid"));
    HttpReply known = fixture_sync(&scene.f, &scene.device, "\"seq\":1");
    CHECK(!fixture_has(&known, "refused")); // it goes on with the key that it has
    fixture_close(&scene.f);
}

TEST_MAIN(CASE(a_key_is_replaced_in_one_commit_and_the_old_one_is_dead),
          CASE(a_device_that_did_not_hear_the_answer_comes_back_with_the_new_key),
          CASE(a_next_key_must_prove_itself),
          CASE(a_key_of_another_device_or_a_dead_one_is_no_next_key),
          CASE(a_device_that_was_retired_after_it_had_another_key_is_told_so),
          CASE(a_next_key_that_is_retired_in_between_is_refused))
