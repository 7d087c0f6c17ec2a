// SPDX-License-Identifier: Apache-2.0
/// Devices on channels of a real gateway: who gets one, what is pushed to it, when it ends.
#include "control/line_fixture.h"

#include "db/meanwhile_fixture.h"
#include "test.h"

enum { CHANNEL_POLICY = 1008 };

#define IMAGE "r/x@sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define RELEASE                                                                              \
    "{\"application\":\"shop\",\"version\":\"1.0.0\",\"manifest\":{\"services\":[{\"name\":" \
    "\"web\",\"image\":\"" IMAGE "\"}]}}"

/// A control plane with a gateway, a fleet and a device of it.
typedef struct Scene {
    Fixture f;
    Str fleet;
    FixtureDevice device;
} Scene;

static void scene_open(Scene *scene) {
    fixture_open(&scene->f);
    line_gateway_open(&scene->f);
    scene->fleet = fixture_fleet(&scene->f, "one");
    scene->device =
        fixture_device(&scene->f, fixture_enrolment_token(&scene->f, scene->fleet, 9), "cam");
}

static void scene_close(Scene *scene) {
    line_gateway_close(&scene->f);
    fixture_close(&scene->f);
}

/// Say hello as the device, in answer to a challenge, in message 1.
static void greets(Line *line, const FixtureDevice *device, const Challenge *challenge) {
    Fixture *f = line->fixture;
    FixtureDevice one = *device;
    one.proof.nonce = challenge->nonce;
    line_say(line, fixture_print(f, "{\"hello\":%.*s,\"seq\":1}", STR_FMT(fixture_hello(f, &one))));
}

/// A line on which the device is known.
static void open_known(Line *line, Scene *scene) {
    line_open_known(line, &scene->f, &scene->device);
}

static void refused(Line *line, unsigned nth, RefusalCode code) {
    SyncDown down = line_hear(line, nth);
    CHECK(down.ack == 0);
    CHECK_STR(down.refused.code, refusal_make(code, (Str){}).code);
    CHECK(line_end(line) == CHANNEL_REFUSED);
}

static Str presence(Scene *scene) {
    HttpReply shown = fixture_call(&scene->f, "GET", scene->device.path, scene->f.token, NULL);
    CHECK(shown.status == 200);
    return fixture_field(&shown, "presence");
}

TEST(a_device_answers_the_challenge_and_is_online) {
    Scene scene;
    Line line;
    scene_open(&scene);
    Challenge challenge = line_open(&line, &scene.f);
    CHECK(id_eq(&challenge.audience, &scene.f.app.installation));
    CHECK(challenge.binding == BINDING_NONE); // plain TCP
    CHECK(challenge.nonce.len > 0);
    greets(&line, &scene.device, &challenge);
    SyncDown down = line_hear(&line, 2);
    CHECK(down.ack == 1 && down.heartbeat.ms == 30'000 && down.desired.generation == 0);
    CHECK_STR(presence(&scene), S("online"));
    line_say(&line, "{\"seq\":2,\"telemetry\":{\"uptime_s\":77}}");
    CHECK(line_hear(&line, 3).ack == 2);
    HttpReply measured = fixture_call(&scene.f,
                                      "GET",
                                      fixture_print(&scene.f, "%s/telemetry", scene.device.path),
                                      scene.f.token,
                                      NULL);
    CHECK_STR(fixture_field(&measured, "uptime_s"), S("77"));
    line_close(&line);
    scene_close(&scene);
}

/// A deploy reaches the device, though the fleet changes so often while it is pushed.
static void deploy_is_pushed(unsigned lost) {
    Scene scene;
    Line line;
    scene_open(&scene);
    fixture_quiet(&scene.f);
    Meanwhile losing;
    meanwhile_open(&losing, scene.f.app.db);
    losing.loses = true;
    open_known(&line, &scene);
    losing.left = lost;
    Fixture *f = &scene.f;
    HttpReply release = fixture_call(f, "POST", "/v1/releases", f->token, RELEASE);
    Str id = fixture_field(&release, "id");
    HttpReply deployed =
        fixture_call(f,
                     "POST",
                     fixture_print(f, "/v1/fleets/%.*s/deploy", STR_FMT(scene.fleet)),
                     f->token,
                     fixture_print(f, "{\"release_id\":\"%.*s\"}", STR_FMT(id)));
    CHECK(deployed.status == 200);
    SyncDown pushed = line_hear(&line, 3);
    CHECK(pushed.ack == 0 && pushed.desired.generation > 0);
    CHECK(pushed.desired.applications.count == 1);
    const Application *shop = &pushed.desired.applications.items[0];
    CHECK_STR(shop->name, S("shop"));
    CHECK_STR(id_str(&shop->release_id), id);
    CHECK(shop->serial == 1);
    line_say(&line,
             fixture_print(f,
                           "{\"seq\":2,\"generation\":%llu}",
                           (unsigned long long)pushed.desired.generation));
    SyncDown known = line_hear(&line, 4);
    CHECK(known.ack == 2 && known.desired.generation == 0);
    CHECK(losing.left == 0);
    line_close(&line);
    scene_close(&scene);
}

TEST(a_deploy_is_pushed_to_the_devices_of_the_fleet) {
    deploy_is_pushed(0);
}

TEST(a_deploy_is_pushed_though_the_fleet_changes_meanwhile) {
    deploy_is_pushed(3);
}

TEST(a_device_that_is_to_replace_its_key_is_told_at_once) {
    Scene scene;
    Line line;
    scene_open(&scene);
    open_known(&line, &scene);
    Fixture *f = &scene.f;
    const char *path = fixture_print(f, "%s/rotate-key", scene.device.path);
    CHECK(fixture_call(f, "POST", path, f->token, NULL).status / 100 == 2);
    SyncDown pushed = line_hear(&line, 3);
    CHECK(pushed.rotate_key && pushed.ack == 0);
    line_close(&line);
    scene_close(&scene);
}

TEST(a_proof_of_another_channel_or_by_another_key_is_refused) {
    Scene scene;
    Line line, other;
    scene_open(&scene);
    Challenge challenge = line_open(&line, &scene.f);
    line_open(&other, &scene.f);
    greets(&other, &scene.device, &challenge);
    refused(&other, 2, REFUSED_NONCE_OLD);
    FixtureDevice thief = scene.device;
    jws_key_make(&thief.key);
    greets(&line, &thief, &challenge);
    refused(&line, 2, REFUSED_PROOF_INVALID);
    CHECK(!str_eq(presence(&scene), S("online")));
    line_close(&line);
    line_close(&other);
    scene_close(&scene);
}

TEST(a_first_message_without_a_hello_and_any_without_sense_end_the_channel) {
    Scene scene;
    Line line;
    scene_open(&scene);
    line_open(&line, &scene.f);
    line_say(&line, "{\"seq\":1}");
    CHECK(line_end(&line) == CHANNEL_POLICY);
    line_close(&line);
    open_known(&line, &scene);
    line_say(&line, "{\"seq\":\"two\"}");
    CHECK(line_end(&line) == CHANNEL_POLICY);
    CHECK(line.messages == 2);
    line_close(&line);
    scene_close(&scene);
}

TEST(a_device_has_one_channel_the_newest) {
    Scene scene;
    Line first, second;
    scene_open(&scene);
    open_known(&first, &scene);
    open_known(&second, &scene);
    CHECK(line_end(&first) == CHANNEL_REPLACED);
    line_say(&second, "{\"seq\":2}");
    CHECK(line_hear(&second, 3).ack == 2);
    CHECK_STR(presence(&scene), S("online"));
    line_close(&first);
    line_close(&second);
    scene_close(&scene);
}

TEST(a_retired_device_is_told_and_its_channel_ends) {
    Scene scene;
    Line line;
    scene_open(&scene);
    open_known(&line, &scene);
    Fixture *f = &scene.f;
    CHECK(fixture_call(f, "DELETE", scene.device.path, f->token, NULL).status == 204);
    refused(&line, 3, REFUSED_DEVICE_RETIRED);
    line_close(&line);
    scene_close(&scene);
}

TEST(a_retired_device_whose_channel_was_missed_is_told_when_it_speaks) {
    Scene scene;
    Line line;
    scene_open(&scene);
    open_known(&line, &scene);
    Fixture *f = &scene.f;
    Gateway *gateway = f->app.gateway;
    f->app.gateway = NULL; // nothing is told now
    CHECK(fixture_call(f, "DELETE", scene.device.path, f->token, NULL).status == 204);
    f->app.gateway = gateway;
    line_say(&line, "{\"seq\":2}");
    refused(&line, 3, REFUSED_DEVICE_RETIRED);
    line_close(&line);
    scene_close(&scene);
}

TEST(a_device_that_joins_anew_ends_the_channel_of_its_former_life) {
    Scene scene;
    Line line;
    scene_open(&scene);
    open_known(&line, &scene);
    Fixture *f = &scene.f;
    Str token = fixture_enrolment_token(f, scene.fleet, 1);
    CHECK(fixture_enrol(f, token, &scene.device.key, "cam").status == 200);
    refused(&line, 3, REFUSED_EPOCH_OLD);
    line_close(&line);
    scene_close(&scene);
}

TEST_MAIN(CASE(a_device_answers_the_challenge_and_is_online),
          CASE(a_deploy_is_pushed_to_the_devices_of_the_fleet),
          CASE(a_deploy_is_pushed_though_the_fleet_changes_meanwhile),
          CASE(a_device_that_is_to_replace_its_key_is_told_at_once),
          CASE(a_proof_of_another_channel_or_by_another_key_is_refused),
          CASE(a_first_message_without_a_hello_and_any_without_sense_end_the_channel),
          CASE(a_device_has_one_channel_the_newest),
          CASE(a_retired_device_is_told_and_its_channel_ends),
          CASE(a_retired_device_whose_channel_was_missed_is_told_when_it_speaks),
          CASE(a_device_that_joins_anew_ends_the_channel_of_its_former_life))
