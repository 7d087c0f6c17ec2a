// SPDX-License-Identifier: Apache-2.0
/// Messages of settled devices: what they read and write, and what unsettles a device.
#include "control/device/device_push.h"
#include "control/device/presences.h"
#include "control/device/seen.h"
#include "control/line_fixture.h"
#include "control/tidy.h"
#include "db/meanwhile_fixture.h"
#include "db/tx.h"
#include "test.h"

#include <string.h>

#define IMAGE "r/x@sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define RELEASE                                                                              \
    "{\"application\":\"shop\",\"version\":\"1.0.0\",\"manifest\":{\"services\":[{\"name\":" \
    "\"web\",\"image\":\"" IMAGE "\"}]}}"
#define MEASURED ",\"telemetry\":{\"uptime_s\":77,\"load1\":0.5}"

/// A device that has said hello and then nothing new: it is settled.
typedef struct Scene {
    Fixture f;
    Str fleet;
    FixtureDevice device;
    Line line;
    Meanwhile store; ///< counts what is asked of it
} Scene;

static bool is_settled(const Scene *scene) {
    const Id *device = &scene->device.hello.device_id;
    return presences_here(scene->f.app.presences, device).settled.moment != 0;
}

static void scene_open(Scene *scene) {
    *scene = (Scene){};
    Fixture *f = &scene->f;
    fixture_open(f);
    fixture_quiet(f);
    line_gateway_open(f);
    scene->fleet = fixture_fleet(f, "one");
    scene->device = fixture_device(f, fixture_enrolment_token(f, scene->fleet, 9), "cam");
    line_open_known(&scene->line, f, &scene->device);
    CHECK(!is_settled(scene));
    line_exchange(&scene->line, "");
    CHECK(is_settled(scene));
    meanwhile_open(&scene->store, f->app.db);
}

static void scene_close(Scene *scene) {
    line_close(&scene->line);
    line_gateway_close(&scene->f);
    fixture_close(&scene->f);
}

/// What an exchange asks of the store.
typedef struct Asked {
    unsigned selects, applies;
    SyncDown down;
} Asked;

static Asked says(Scene *scene, const char *members) {
    const unsigned selects = scene->store.selects, applies = scene->store.applies;
    SyncDown down = line_exchange(&scene->line, members);
    return (Asked){scene->store.selects - selects, scene->store.applies - applies, down};
}

static Str measured(Scene *scene) {
    Fixture *f = &scene->f;
    const char *path = fixture_print(f, "%s/telemetry", scene->device.path);
    HttpReply shown = fixture_call(f, "GET", path, f->token, NULL);
    return shown.status == 200 ? fixture_field(&shown, "uptime_s") : (Str){};
}

TEST(who_says_nothing_new_is_answered_without_the_store) {
    Scene scene;
    scene_open(&scene);
    scene.f.now_ms += 30'000;
    Asked asked = says(&scene, "");
    CHECK(asked.selects == 0 && asked.applies == 0);
    CHECK(asked.down.now.ms == scene.f.now_ms);
    CHECK(asked.down.heartbeat.ms == scene.f.app.config.heartbeat.ms);
    CHECK(asked.down.desired.generation == 0 && !asked.down.rotate_key);
    PresenceHere here = presences_here(scene.f.app.presences, &scene.device.hello.device_id);
    CHECK(here.heard_ms == scene.f.now_ms);
    scene_close(&scene);
}

TEST(measurements_are_kept_without_reading) {
    Scene scene;
    scene_open(&scene);
    Asked asked = says(&scene, MEASURED);
    CHECK(asked.selects == 0 && asked.applies == 1);
    CHECK_STR(measured(&scene), S("77"));
    CHECK(is_settled(&scene));
    scene_close(&scene);
}

TEST(what_it_says_of_itself_is_looked_at) {
    static const char *const said[] = {
        ",\"facts\":{\"hostname\":\"other\"}",
        ",\"reported\":{\"state\":\"running\"}",
        ",\"generation\":5", // of another desired state than it had
    };
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        Scene scene;
        scene_open(&scene);
        CHECK(says(&scene, said[i]).selects > 0);
        scene_close(&scene);
    }
}

TEST(a_long_message_is_not_for_the_loop) {
    Scene scene;
    scene_open(&scene);
    static char members[8 * 1024];
    int len = snprintf(members, sizeof(members), "%s,\"unknown\":\"", MEASURED);
    memset(members + len, 'x', sizeof(members) - (size_t)len - 2);
    members[sizeof(members) - 2] = '"';
    CHECK(says(&scene, members).selects > 0);
    CHECK_STR(measured(&scene), S("77"));
    scene_close(&scene);
}

TEST(a_message_without_sense_ends_the_channel_of_a_settled_device_too) {
    Scene scene;
    scene_open(&scene);
    line_say(&scene.line, "{\"seq\":\"two\"}");
    CHECK(line_end(&scene.line) == 1008);
    scene_close(&scene);
}

/// What happens now is pushed to nobody, until the gateway is given back.
static Gateway *unheard(Scene *scene) {
    Gateway *gateway = scene->f.app.gateway;
    scene->f.app.gateway = NULL;
    return gateway;
}

static void deploy(Scene *scene) {
    Fixture *f = &scene->f;
    HttpReply release = fixture_call(f, "POST", "/v1/releases", f->token, RELEASE);
    Str id = fixture_field(&release, "id");
    const char *path = fixture_print(f, "/v1/fleets/%.*s/deploy", STR_FMT(scene->fleet));
    const char *body = fixture_print(f, "{\"release_id\":\"%.*s\"}", STR_FMT(id));
    CHECK(fixture_call(f, "POST", path, f->token, body).status == 200);
}

static void call(Scene *scene, const char *method, const char *tail, const char *body) {
    Fixture *f = &scene->f;
    const char *path = fixture_print(f, "%s%s", scene->device.path, tail);
    CHECK(fixture_call(f, method, path, f->token, body).status / 100 == 2);
}

static void ask_for_a_key(Scene *scene) {
    call(scene, "POST", "/rotate-key", NULL);
}

static void rename_it(Scene *scene) {
    call(scene, "PATCH", "", "{\"name\":\"till\"}");
}

/// It happens and is not pushed: what it was is told at its next message.
static SyncDown next_after(void (*act)(Scene *scene), bool still_settles) {
    Scene scene;
    scene_open(&scene);
    Gateway *gateway = unheard(&scene);
    act(&scene);
    scene.f.app.gateway = gateway;
    CHECK(!is_settled(&scene));
    Asked asked = says(&scene, "");
    CHECK(asked.selects > 0);
    CHECK(is_settled(&scene) == still_settles);
    scene_close(&scene);
    return asked.down;
}

TEST(news_that_were_not_pushed_come_with_the_next_answer) {
    CHECK(next_after(deploy, false).desired.generation > 0);
    CHECK(next_after(ask_for_a_key, false).rotate_key);
    CHECK(next_after(rename_it, true).desired.generation == 0);
}

/// What an endpoint of tomorrow leaves behind.
static void clear_fleet(Scene *scene) {
    Fixture *f = &scene->f;
    const Note note = {.class = ENTRY_AUDIT,
                       .actor = S("operator/ada"),
                       .action = S("fleet.clear"),
                       .subject = scene->fleet};
    device_noted(&f->app, &note, true);
}

TEST(what_is_done_to_a_fleet_by_an_endpoint_that_nobody_listed_is_news) {
    CHECK(next_after(clear_fleet, true).desired.generation == 0);
}

TEST(what_the_device_holds_is_not_pushed_again) {
    Scene scene;
    scene_open(&scene);
    size_t before = scene.line.messages;
    rename_it(&scene);
    Asked asked = says(&scene, "");
    CHECK(asked.down.ack > 0 && scene.line.messages == before + 1);
    scene_close(&scene);
}

static void rename_meanwhile(void *ctx) {
    Scene *scene = ctx;
    Gateway *gateway = unheard(scene);
    rename_it(scene);
    scene->f.app.gateway = gateway;
}

static void delete_meanwhile(void *ctx) {
    Scene *scene = ctx;
    Gateway *gateway = unheard(scene);
    call(scene, "DELETE", "", NULL);
    scene->f.app.gateway = gateway;
}

static void happens(Scene *scene, void (*act)(void *ctx)) {
    scene->store.act = act;
    scene->store.ctx = scene;
    scene->store.left = 1;
}

TEST(measurements_of_a_device_that_changes_meanwhile_are_judged_in_whole) {
    Scene scene;
    scene_open(&scene);
    happens(&scene, rename_meanwhile);
    Asked asked = says(&scene, MEASURED);
    CHECK(scene.store.left == 0 && asked.selects > 0);
    CHECK_STR(measured(&scene), S("77"));
    scene_close(&scene);
}

TEST(measurements_of_a_device_that_is_retired_meanwhile_are_not_kept) {
    Scene scene;
    scene_open(&scene);
    happens(&scene, delete_meanwhile);
    line_say(&scene.line, "{\"seq\":9" MEASURED "}");
    CHECK(line_end(&scene.line) == CHANNEL_REFUSED);
    Tx *tx = NULL;
    Telemetry kept;
    CHECK_OK(tx_open_all(scene.f.app.db, &scene.f.arena, &tx));
    Str key = id_str(&scene.device.hello.device_id);
    CHECK_ERR(tx_get(tx, &Telemetry_schema, key, &kept), ERR_NOT_FOUND);
    tx_close(tx);
    scene_close(&scene);
}

TEST(a_process_that_slept_looks_at_its_devices_again) {
    Scene scene;
    scene_open(&scene);
    scene.f.now_ms += 60'000;
    tidy_round(&scene.f.app);
    CHECK(is_settled(&scene));
    scene.f.now_ms += NODE_SILENT_MS;
    tidy_round(&scene.f.app);
    CHECK(!is_settled(&scene));
    scene_close(&scene);
}

TEST_MAIN(CASE(who_says_nothing_new_is_answered_without_the_store),
          CASE(measurements_are_kept_without_reading),
          CASE(what_it_says_of_itself_is_looked_at),
          CASE(a_long_message_is_not_for_the_loop),
          CASE(a_message_without_sense_ends_the_channel_of_a_settled_device_too),
          CASE(news_that_were_not_pushed_come_with_the_next_answer),
          CASE(what_is_done_to_a_fleet_by_an_endpoint_that_nobody_listed_is_news),
          CASE(what_the_device_holds_is_not_pushed_again),
          CASE(measurements_of_a_device_that_changes_meanwhile_are_judged_in_whole),
          CASE(measurements_of_a_device_that_is_retired_meanwhile_are_not_kept),
          CASE(a_process_that_slept_looks_at_its_devices_again))
