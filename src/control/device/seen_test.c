// SPDX-License-Identifier: Apache-2.0
/// When a device was last heard of: what a heartbeat writes, what a channel that ends leaves, and
/// what is known after a process was killed.
#include "control/device/seen.h"

#include "control/device/presences.h"
#include "control/fleet/fleet.h"
#include "control/line_fixture.h"
#include "control/tidy.h"
#include "db/journal.h"
#include "db/tx.h"
#include "test.h"

#include <unistd.h>

enum { HEARTBEAT_MS = 30'000, PATIENCE_MS = 10'000, LOOK_US = 2000 };

TEST(silence_makes_a_device_late_and_then_offline) {
    const Time seen = {1'000'000};
    CHECK(seen_presence((Time){}, HEARTBEAT_MS, 5) == PRESENCE_NEVER);
    CHECK(seen_presence(seen, HEARTBEAT_MS, seen.ms + 45'000) == PRESENCE_ONLINE);
    CHECK(seen_presence(seen, HEARTBEAT_MS, seen.ms + 45'001) == PRESENCE_LATE);
    CHECK(seen_presence(seen, HEARTBEAT_MS, seen.ms + 90'000) == PRESENCE_LATE);
    CHECK(seen_presence(seen, HEARTBEAT_MS, seen.ms + 90'001) == PRESENCE_OFFLINE);
    CHECK(seen_presence(seen, HEARTBEAT_MS, seen.ms - 1) == PRESENCE_ONLINE);
}

TEST(a_generation_always_grows) {
    CHECK(fleet_next_generation(0, 5) == 5);
    CHECK(fleet_next_generation(5, 5) == 6);
    CHECK(fleet_next_generation(9, 5) == 10); // the clock went back
}

/// A device, and its channel when it has one. Nothing is sealed, so that events stay notes.
typedef struct Scene {
    Fixture f;
    Line line;
    FixtureDevice device;
} Scene;

static void scene_open(Scene *scene) {
    *scene = (Scene){};
    fixture_open(&scene->f);
    fixture_quiet(&scene->f);
    line_gateway_open(&scene->f);
    Str fleet = fixture_fleet(&scene->f, "one");
    scene->device = fixture_device(&scene->f, fixture_enrolment_token(&scene->f, fleet, 9), "cam");
}

static void scene_close(Scene *scene) {
    line_gateway_close(&scene->f);
    fixture_close(&scene->f);
}

static void says(Scene *scene, const char *members) {
    line_exchange(&scene->line, members);
}

static void comes(Scene *scene) {
    line_open_known(&scene->line, &scene->f, &scene->device);
}

static DeviceStatus status_of(Scene *scene) {
    Tx *tx = NULL;
    DeviceStatus status;
    CHECK_OK(tx_open_all(scene->f.app.db, &scene->f.arena, &tx));
    CHECK_OK(tx_get(tx, &DeviceStatus_schema, id_str(&scene->device.hello.device_id), &status));
    tx_close(tx);
    return status;
}

/// This process has its channel.
static bool is_here(Scene *scene) {
    const DeviceStatus status = status_of(scene);
    return id_eq(&status.node_id, &scene->f.app.node);
}

/// How many events of this kind there are.
static size_t events(Scene *scene, const char *action) {
    Tx *tx = NULL;
    Page page;
    size_t count = 0;
    CHECK_OK(tx_open_all(scene->f.app.db, &scene->f.arena, &tx));
    CHECK_OK(tx_list(tx, &Note_schema, &(Query){.limit = TX_PAGE_MAX}, &page));
    const Note *notes = page.items;
    for (size_t i = 0; i < page.count; i++)
        if (str_eq(notes[i].action, str_from(action))) {
            CHECK(notes[i].class == ENTRY_EVENT);
            CHECK_STR(notes[i].subject_name, S("cam"));
            count++;
        }
    tx_close(tx);
    return count;
}

static void goes(Scene *scene) {
    line_close(&scene->line);
    for (int us = 0; is_here(scene); us += LOOK_US) {
        CHECK(us < PATIENCE_MS * 1000);
        usleep(LOOK_US);
    }
}

static void shown(Scene *scene, const char *presence, uint64_t last_seen_ms) {
    Fixture *f = &scene->f;
    HttpReply reply = fixture_call(f, "GET", scene->device.path, f->token, NULL);
    Time time = {last_seen_ms};
    char text[TIME_TEXT_LEN + 1];
    time_format(time, text);
    CHECK_STR(fixture_field(&reply, "presence"), str_from(presence));
    CHECK_STR(fixture_field(&reply, "last_seen_at"), str_from(text));
}

TEST(a_heartbeat_that_changes_nothing_writes_nothing_and_is_seen) {
    Scene scene;
    scene_open(&scene);
    comes(&scene);
    says(&scene, ",\"reported\":{\"state\":\"running\"}");
    const DeviceStatus before = status_of(&scene);
    CHECK(id_eq(&before.node_id, &scene.f.app.node));
    scene.f.now_ms += HEARTBEAT_MS;
    says(&scene, "");
    scene.f.now_ms += HEARTBEAT_MS;
    says(&scene, ",\"reported\":{\"state\":\"running\"}"); // the same once more
    const DeviceStatus after = status_of(&scene);
    CHECK(after.serial == before.serial && after.last_seen_at.ms == before.last_seen_at.ms);
    shown(&scene, "online", scene.f.now_ms);
    says(&scene, ",\"reported\":{\"state\":\"failed\"}");
    CHECK(status_of(&scene).serial == before.serial + 1);
    CHECK(events(&scene, "device.online") == 1 && events(&scene, "device.state") == 2);
    line_close(&scene.line);
    scene_close(&scene);
}

TEST(a_device_that_goes_leaves_when_it_was_heard_of) {
    Scene scene;
    scene_open(&scene);
    comes(&scene);
    scene.f.now_ms += HEARTBEAT_MS;
    const uint64_t heard_ms = scene.f.now_ms;
    says(&scene, "");
    scene.f.now_ms += HEARTBEAT_MS;
    goes(&scene);
    CHECK(events(&scene, "device.offline") == 1);
    shown(&scene, "online", heard_ms);
    scene.f.now_ms = heard_ms + 3 * HEARTBEAT_MS + 1;
    shown(&scene, "offline", heard_ms);
    comes(&scene);
    shown(&scene, "online", scene.f.now_ms);
    CHECK(events(&scene, "device.online") == 2);
    line_close(&scene.line);
    scene_close(&scene);
}

TEST(what_ends_with_its_process_has_not_gone) {
    Scene scene;
    scene_open(&scene);
    comes(&scene);
    atomic_store(&scene.f.app.is_stopping, true);
    line_gateway_close(&scene.f);
    CHECK(is_here(&scene));
    CHECK(events(&scene, "device.offline") == 0);
    line_close(&scene.line);
    line_gateway_open(&scene.f);
    scene_close(&scene);
}

/// The channel was of a process that is no more; this one starts now.
static uint64_t is_killed(Scene *scene) {
    App *app = &scene->f.app;
    const uint64_t alive_ms = scene->f.now_ms + 40'000;
    scene->f.now_ms = alive_ms;
    tidy_round(app);
    atomic_store(&app->is_stopping, true);
    line_gateway_close(&scene->f);
    line_close(&scene->line);
    scene->f.now_ms += 1000;
    app->node = id_new(S("node"), scene->f.now_ms);
    app->started_ms = scene->f.now_ms;
    atomic_store(&app->is_stopping, false);
    line_gateway_open(&scene->f);
    return alive_ms;
}

TEST(after_a_kill_it_is_unknown_for_three_heartbeats_and_the_last_minute_is_known) {
    Scene scene;
    scene_open(&scene);
    comes(&scene);
    const uint64_t alive_ms = is_killed(&scene);
    shown(&scene, "unknown", alive_ms);
    scene.f.now_ms = scene.f.app.started_ms + 3 * HEARTBEAT_MS;
    shown(&scene, "offline", alive_ms);
    tidy_round(&scene.f.app); // not dead for sure yet
    CHECK(events(&scene, "device.offline") == 0);
    scene.f.now_ms = alive_ms + NODE_SILENT_MS + 1;
    tidy_round(&scene.f.app);
    CHECK(events(&scene, "device.offline") == 1);
    const DeviceStatus left = status_of(&scene);
    CHECK(id_is_absent(&left.node_id) && left.last_seen_at.ms == alive_ms);
    shown(&scene, "offline", alive_ms);
    tidy_round(&scene.f.app);
    CHECK(events(&scene, "device.offline") == 1);
    scene_close(&scene);
}

TEST(a_device_that_comes_back_after_a_kill_was_not_away) {
    Scene scene;
    scene_open(&scene);
    comes(&scene);
    const uint64_t alive_ms = is_killed(&scene);
    comes(&scene);
    shown(&scene, "online", scene.f.now_ms);
    scene.f.now_ms = alive_ms + NODE_SILENT_MS + 1;
    tidy_round(&scene.f.app);
    CHECK(is_here(&scene));
    CHECK(events(&scene, "device.online") == 1 && events(&scene, "device.offline") == 0);
    line_close(&scene.line);
    scene_close(&scene);
}

/// One that ends after another has come does not take the device away.
TEST(who_came_again_does_not_go_with_the_former_channel) {
    Scene scene;
    scene_open(&scene);
    comes(&scene);
    Line former = scene.line;
    comes(&scene);
    former.is_closed = false;
    line_close(&former);
    scene.f.now_ms += HEARTBEAT_MS;
    says(&scene, "");
    CHECK(is_here(&scene));
    // As if its commit came late.
    Tx *tx = NULL;
    Fixture *f = &scene.f;
    CHECK_OK(tx_open_all(f->app.db, &f->arena, &tx));
    CHECK_OK(seen_leave(&f->app, tx, &f->arena, &scene.device.hello.device_id, f->now_ms));
    CHECK_OK(tx_commit(tx, NULL));
    tx_close(tx);
    CHECK(is_here(&scene));
    CHECK(events(&scene, "device.offline") == 0);
    line_close(&scene.line);
    scene_close(&scene);
}

TEST(a_retired_device_leaves_no_last_word_when_its_channel_ends) {
    Scene scene;
    scene_open(&scene);
    comes(&scene);
    Fixture *f = &scene.f;
    CHECK(fixture_call(f, "DELETE", scene.device.path, f->token, NULL).status == 204);
    line_close(&scene.line);
    line_gateway_close(f); // every channel has ended
    line_gateway_open(f);
    Tx *tx = NULL;
    DeviceStatus status;
    CHECK_OK(tx_open_all(f->app.db, &f->arena, &tx));
    CHECK_ERR(tx_get(tx, &DeviceStatus_schema, id_str(&scene.device.hello.device_id), &status),
              ERR_NOT_FOUND);
    tx_close(tx);
    CHECK(events(&scene, "device.offline") == 0);
    scene_close(&scene);
}

TEST_MAIN(CASE(silence_makes_a_device_late_and_then_offline),
          CASE(a_generation_always_grows),
          CASE(a_heartbeat_that_changes_nothing_writes_nothing_and_is_seen),
          CASE(a_device_that_goes_leaves_when_it_was_heard_of),
          CASE(what_ends_with_its_process_has_not_gone),
          CASE(after_a_kill_it_is_unknown_for_three_heartbeats_and_the_last_minute_is_known),
          CASE(a_device_that_comes_back_after_a_kill_was_not_away),
          CASE(who_came_again_does_not_go_with_the_former_channel),
          CASE(a_retired_device_leaves_no_last_word_when_its_channel_ends))
