// SPDX-License-Identifier: Apache-2.0
/// Devices on channels of a real gateway: who gets one, what is pushed to it, when it ends.
#include "control/device/device_channel.h"

#include "channel/client.h"
#include "channel/gateway.h"
#include "control/fixture.h"
#include "io/worker.h"
#include "test.h"

#include <event2/event.h>

enum { PATIENCE_MS = 10'000, LOOK_MS = 5, CHANNEL_POLICY = 1008 };

#define IMAGE "r/x@sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define RELEASE                                                                             \
    "{\"application\":\"shop\",\"version\":\"1.0.0\",\"manifest\":{\"services\":[{\"name\":" \
    "\"web\",\"image\":\"" IMAGE "\"}]}}"

/// A control plane with a gateway, a fleet and a device of it.
typedef struct Scene {
    Fixture f;
    struct event_base *loop;
    Str fleet;
    FixtureDevice device;
} Scene;

/// A device's end of a channel.
typedef struct Line {
    Scene *scene;
    ChannelClient *client;
    unsigned messages;
    Str last; ///< message, in the fixture's arena
    bool is_closed;
    uint16_t status; ///< it was closed with
} Line;

static void scene_open(Scene *scene) {
    fixture_open(&scene->f);
    App *app = &scene->f.app;
    WorkerOptions options = {.threads = 2, .queue_max = 64};
    CHECK_OK(worker_pool_open(&options, &app->workers));
    CHECK_OK(worker_pool_open(&options, &app->pushers));
    CHECK_OK(gateway_open(&(GatewayOptions){.address = "127.0.0.1",
                                            .path = AGENT_CHANNEL_PATH,
                                            .protocol = AGENT_SUBPROTOCOL,
                                            .threads = 1,
                                            .connections_max = 16,
                                            .first_max_bytes = SYNC_FIRST_MAX,
                                            .message_max_bytes = SYNC_UP_MAX,
                                            .reply_max_bytes = SYNC_DOWN_MAX,
                                            .messages_per_minute_max = 1000,
                                            .handshake_ms = PATIENCE_MS,
                                            .silence_ms = 6 * PATIENCE_MS,
                                            .handlers = device_channel_handlers,
                                            .app = app},
                          app->workers,
                          &app->gateway,
                          NULL));
    app->channel_port = gateway_port(app->gateway);
    scene->loop = event_base_new();
    scene->fleet = fixture_fleet(&scene->f, "one");
    scene->device =
        fixture_device(&scene->f, fixture_enrolment_token(&scene->f, scene->fleet, 9), "cam");
}

static void scene_close(Scene *scene) {
    App *app = &scene->f.app;
    app->pushers = worker_pool_close(app->pushers);
    app->gateway = gateway_close(app->gateway);
    app->workers = worker_pool_close(app->workers);
    event_base_free(scene->loop);
    fixture_close(&scene->f);
}

static void line_opened(void *app) {
    (void)app;
}

static void line_message(void *app, Str message) {
    Line *line = app;
    line->last = str_dup(&line->scene->f.arena, message);
    line->messages++;
}

static void line_closed(void *app, Err why, uint16_t status, uint64_t retry, const Reason *said) {
    (void)why, (void)retry, (void)said;
    Line *line = app;
    line->status = status;
    line->is_closed = true;
}

/// Turn the loop for a moment.
static void turn(Scene *scene) {
    struct timeval moment = {.tv_usec = LOOK_MS * 1000};
    event_base_loopexit(scene->loop, &moment);
    event_base_dispatch(scene->loop);
}

/// What the server says as the nth message of the line.
static SyncDown hears(Line *line, unsigned nth) {
    SyncDown down = {};
    for (int waited = 0; line->messages < nth && waited < PATIENCE_MS; waited += LOOK_MS)
        turn(line->scene);
    CHECK(line->messages == nth);
    Arena *arena = &line->scene->f.arena;
    CHECK_OK(schema_read(&SyncDown_schema, line->last, DECODE_PEER, arena, &down, NULL));
    return down;
}

static void ends(Line *line, uint16_t status) {
    for (int waited = 0; !line->is_closed && waited < PATIENCE_MS; waited += LOOK_MS)
        turn(line->scene);
    CHECK(line->is_closed && line->status == status);
}

/// Connect, and hear the challenge.
static Challenge line_open(Line *line, Scene *scene) {
    *line = (Line){.scene = scene};
    CHECK_OK(channel_client_open(
        scene->loop,
        &(ChannelClientOptions){.host = "127.0.0.1",
                                .port = scene->f.app.channel_port,
                                .path = AGENT_CHANNEL_PATH,
                                .protocol = AGENT_SUBPROTOCOL,
                                .handshake_ms = PATIENCE_MS,
                                .silence_ms = 6 * PATIENCE_MS,
                                .message_max_bytes = SYNC_DOWN_MAX,
                                .handlers = {line_opened, line_message, line_closed},
                                .app = line},
        &line->client,
        NULL));
    return hears(line, 1).challenge;
}

static void says(Line *line, const char *message) {
    CHECK_OK(channel_client_send(line->client, str_from(message)));
}

/// Say hello as the device, in answer to a challenge, in message 1.
static void greets(Line *line, const FixtureDevice *device, const Challenge *challenge) {
    Fixture *f = &line->scene->f;
    FixtureDevice one = *device;
    one.proof.nonce = challenge->nonce;
    says(line, fixture_print(f, "{\"hello\":%.*s,\"seq\":1}", STR_FMT(fixture_hello(f, &one))));
}

/// A line on which the device is known.
static void line_open_known(Line *line, Scene *scene) {
    Challenge challenge = line_open(line, scene);
    greets(line, &scene->device, &challenge);
    CHECK(hears(line, 2).ack == 1);
}

static void refused(Line *line, unsigned nth, RefusalCode code) {
    SyncDown down = hears(line, nth);
    CHECK(down.ack == 0);
    CHECK_STR(down.refused.code, refusal_make(code, (Str){}).code);
    ends(line, CHANNEL_REFUSED);
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
    Challenge challenge = line_open(&line, &scene);
    CHECK(id_eq(&challenge.audience, &scene.f.app.installation));
    CHECK(challenge.binding == BINDING_NONE); // plain TCP
    CHECK(challenge.channel_port == scene.f.app.channel_port && challenge.nonce.len > 0);
    greets(&line, &scene.device, &challenge);
    SyncDown down = hears(&line, 2);
    CHECK(down.ack == 1 && down.heartbeat.ms == 30'000 && down.desired.generation == 0);
    CHECK_STR(presence(&scene), S("online"));
    says(&line, "{\"seq\":2,\"telemetry\":{\"uptime_s\":77}}");
    CHECK(hears(&line, 3).ack == 2);
    HttpReply measured = fixture_call(&scene.f,
                                      "GET",
                                      fixture_print(&scene.f, "%s/telemetry", scene.device.path),
                                      scene.f.token,
                                      NULL);
    CHECK_STR(fixture_field(&measured, "uptime_s"), S("77"));
    channel_client_close(line.client);
    scene_close(&scene);
}

TEST(a_deploy_is_pushed_to_the_devices_of_the_fleet) {
    Scene scene;
    Line line;
    scene_open(&scene);
    line_open_known(&line, &scene);
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
    SyncDown pushed = hears(&line, 3);
    CHECK(pushed.ack == 0 && pushed.desired.generation > 0);
    CHECK(pushed.desired.applications.count == 1);
    const Application *shop = &pushed.desired.applications.items[0];
    CHECK_STR(shop->name, S("shop"));
    CHECK_STR(id_str(&shop->release_id), id);
    CHECK(shop->serial == 1);
    says(&line,
         fixture_print(f,
                       "{\"seq\":2,\"generation\":%llu}",
                       (unsigned long long)pushed.desired.generation));
    SyncDown known = hears(&line, 4);
    CHECK(known.ack == 2 && known.desired.generation == 0);
    channel_client_close(line.client);
    scene_close(&scene);
}

TEST(a_device_that_is_to_replace_its_key_is_told_at_once) {
    Scene scene;
    Line line;
    scene_open(&scene);
    line_open_known(&line, &scene);
    Fixture *f = &scene.f;
    const char *path = fixture_print(f, "%s/rotate-key", scene.device.path);
    CHECK(fixture_call(f, "POST", path, f->token, NULL).status / 100 == 2);
    SyncDown pushed = hears(&line, 3);
    CHECK(pushed.rotate_key && pushed.ack == 0);
    channel_client_close(line.client);
    scene_close(&scene);
}

TEST(a_proof_of_another_channel_or_by_another_key_is_refused) {
    Scene scene;
    Line line, other;
    scene_open(&scene);
    Challenge challenge = line_open(&line, &scene);
    line_open(&other, &scene);
    greets(&other, &scene.device, &challenge);
    refused(&other, 2, REFUSED_NONCE_OLD);
    FixtureDevice thief = scene.device;
    jws_key_make(&thief.key);
    greets(&line, &thief, &challenge);
    refused(&line, 2, REFUSED_PROOF_INVALID);
    CHECK(!str_eq(presence(&scene), S("online")));
    channel_client_close(line.client);
    channel_client_close(other.client);
    scene_close(&scene);
}

TEST(a_first_message_without_a_hello_and_any_without_sense_end_the_channel) {
    Scene scene;
    Line line;
    scene_open(&scene);
    line_open(&line, &scene);
    says(&line, "{\"seq\":1}");
    ends(&line, CHANNEL_POLICY);
    channel_client_close(line.client);
    line_open_known(&line, &scene);
    says(&line, "{\"seq\":\"two\"}");
    ends(&line, CHANNEL_POLICY);
    CHECK(line.messages == 2);
    channel_client_close(line.client);
    scene_close(&scene);
}

TEST(a_device_has_one_channel_the_newest) {
    Scene scene;
    Line first, second;
    scene_open(&scene);
    line_open_known(&first, &scene);
    line_open_known(&second, &scene);
    ends(&first, CHANNEL_REPLACED);
    says(&second, "{\"seq\":2}");
    CHECK(hears(&second, 3).ack == 2);
    CHECK_STR(presence(&scene), S("online"));
    channel_client_close(first.client);
    channel_client_close(second.client);
    scene_close(&scene);
}

TEST(a_retired_device_is_told_and_its_channel_ends) {
    Scene scene;
    Line line;
    scene_open(&scene);
    line_open_known(&line, &scene);
    Fixture *f = &scene.f;
    CHECK(fixture_call(f, "DELETE", scene.device.path, f->token, NULL).status == 204);
    refused(&line, 3, REFUSED_DEVICE_RETIRED);
    channel_client_close(line.client);
    scene_close(&scene);
}

TEST(a_retired_device_whose_channel_was_missed_is_told_when_it_speaks) {
    Scene scene;
    Line line;
    scene_open(&scene);
    line_open_known(&line, &scene);
    Fixture *f = &scene.f;
    Gateway *gateway = f->app.gateway;
    f->app.gateway = NULL; // nothing is told now
    CHECK(fixture_call(f, "DELETE", scene.device.path, f->token, NULL).status == 204);
    f->app.gateway = gateway;
    says(&line, "{\"seq\":2}");
    refused(&line, 3, REFUSED_DEVICE_RETIRED);
    channel_client_close(line.client);
    scene_close(&scene);
}

TEST(a_device_that_joins_anew_ends_the_channel_of_its_former_life) {
    Scene scene;
    Line line;
    scene_open(&scene);
    line_open_known(&line, &scene);
    Fixture *f = &scene.f;
    Str token = fixture_enrolment_token(f, scene.fleet, 1);
    CHECK(fixture_enrol(f, token, &scene.device.key, "cam").status == 200);
    refused(&line, 3, REFUSED_EPOCH_OLD);
    channel_client_close(line.client);
    scene_close(&scene);
}

TEST_MAIN(CASE(a_device_answers_the_challenge_and_is_online),
          CASE(a_deploy_is_pushed_to_the_devices_of_the_fleet),
          CASE(a_device_that_is_to_replace_its_key_is_told_at_once),
          CASE(a_proof_of_another_channel_or_by_another_key_is_refused),
          CASE(a_first_message_without_a_hello_and_any_without_sense_end_the_channel),
          CASE(a_device_has_one_channel_the_newest),
          CASE(a_retired_device_is_told_and_its_channel_ends),
          CASE(a_retired_device_whose_channel_was_missed_is_told_when_it_speaks),
          CASE(a_device_that_joins_anew_ends_the_channel_of_its_former_life))
