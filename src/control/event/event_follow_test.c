// SPDX-License-Identifier: Apache-2.0
/// Events over real sockets: each entry once, in its order, to whom it is for, for as long as that
/// is so.
#include "base/scope.h"
#include "channel/gateway.h"
#include "control/stream_fixture.h"
#include "db/journal.h"
#include "http/server.h"
#include "test.h"

#include <string.h>
#include <unistd.h>

enum {
    FLEETS = 20,
    LARGE = 8 * 1024,
    LARGE_COUNT = 300,
    FLOOD_COUNT = 1200,
    ROUND = 50,
    SHORT_MS = 1'000,
    DRAIN_MS = 10'000
};

typedef struct Scene {
    Fixture f;
    Hall hall;
} Scene;

static void scene_open(Scene *scene) {
    fixture_open(&scene->f);
    hall_open(&scene->hall, &scene->f, 1);
}

static void scene_close(Scene *scene) {
    hall_close(&scene->hall);
    fixture_close(&scene->f);
}

static uint32_t ask(Scene *scene, Listener *listener, const char *query) {
    return listener_open(listener, &scene->hall, query, scene->f.token, NULL);
}

static void make_fleets(Scene *scene, int count) {
    for (int i = 0; i < count; i++)
        fixture_fleet(&scene->f, fixture_print(&scene->f, "fleet-%d", i));
}

TEST(who_follows_has_each_entry_once_and_in_order) {
    Scene scene;
    Listener listener;
    scene_open(&scene);
    CHECK(ask(&scene, &listener, "") == 200);
    CHECK(memmem(listener.head.ptr, listener.head.len, "text/event-stream", 17));
    make_fleets(&scene, FLEETS);
    uint64_t number = listener_expect(&listener, "fleet.create");
    for (int i = 1; i < FLEETS; i++)
        CHECK(listener_expect(&listener, "fleet.create") == ++number);
    CHECK(listener.reader.retry_ms > 0);
    listener_close(&listener);
    scene_close(&scene);
}

TEST(who_comes_back_goes_on_behind_any_entry) {
    Scene scene;
    scene_open(&scene);
    make_fleets(&scene, FLEETS);
    uint64_t end = hall_seal(&scene.hall);
    CHECK(end > FLEETS);
    for (uint64_t after = 0; after <= end; after++) {
        char id[24], query[64];
        snprintf(id, sizeof(id), "%llu", (unsigned long long)after);
        snprintf(query, sizeof(query), "?follow=false&after=%s", after % 2 ? id : "1");
        Listener listener;
        const char *last = after % 2 ? NULL : id; // which counts more than the parameter
        CHECK(listener_open(&listener, &scene.hall, query, scene.f.token, last) == 200);
        for (uint64_t number = after + 1; number <= end; number++) {
            CHECK(listener_hear(&listener));
            snprintf(id, sizeof(id), "%llu", (unsigned long long)number);
            CHECK_STR(listener.reader.event.id, str_from(id));
        }
        listener_expect_whole(&listener, end);
        listener_close(&listener);
    }
    Listener listener;
    CHECK(ask(&scene, &listener, "?follow=false") == 200); // from the start
    CHECK(listener_drain(&listener) == end + 1);           // and that these are all
    listener_close(&listener);
    scene_close(&scene);
}

TEST(who_is_cut_off_before_the_first_event_knows_where_it_was) {
    Scene scene;
    Listener listener;
    scene_open(&scene);
    uint64_t end = hall_seal(&scene.hall);
    CHECK(ask(&scene, &listener, "") == 200);
    listener_wait_place(&listener, end);
    listener_close(&listener);
    scene_close(&scene);
}

TEST(only_what_is_asked_for_comes) {
    Scene scene;
    Listener by_action, by_noun, by_subject, by_class;
    scene_open(&scene);
    CHECK(ask(&scene, &by_action, "?action=fleet.delete") == 200);
    CHECK(ask(&scene, &by_noun, "?action=token,fleet") == 200);
    CHECK(ask(&scene, &by_class, "?class=event") == 200);
    CHECK(ask(&scene, &by_subject, "?subject=two") == 200);
    Str one = fixture_fleet(&scene.f, "one");
    fixture_fleet(&scene.f, "two");
    hall_note(&scene.hall, ENTRY_EVENT, "device.online", "device_1", 0);
    const char *path = fixture_print(&scene.f, "/v1/fleets/%.*s", STR_FMT(one));
    CHECK(fixture_call(&scene.f, "DELETE", path, scene.f.token, NULL).status == 204);
    uint64_t first = listener_expect(&by_noun, "fleet.create");
    CHECK(listener_expect(&by_noun, "fleet.create") == first + 1);
    CHECK(listener_expect(&by_noun, "fleet.delete") == first + 3);
    CHECK(listener_expect(&by_action, "fleet.delete") == first + 3);
    CHECK(listener_expect(&by_subject, "fleet.create") == first + 1);
    CHECK(listener_expect(&by_class, "device.online") == first + 2);
    listener_close(&by_action);
    listener_close(&by_noun);
    listener_close(&by_class);
    Listener past;
    const char *query = fixture_print(&scene.f, "?follow=false&subject=%.*s", STR_FMT(one));
    CHECK(ask(&scene, &past, query) == 200);
    CHECK(listener_expect(&past, "fleet.create") == first);
    CHECK(listener_expect(&past, "fleet.delete") == first + 3);
    listener_expect_whole(&past, first + 3);
    listener_close(&past);
    listener_close(&by_subject);
    scene_close(&scene);
}

TEST(what_retention_has_removed_is_said) {
    Scene scene;
    Listener listener;
    scene_open(&scene);
    App *app = &scene.f.app;
    uint64_t end = hall_seal(&scene.hall), removed = 0;
    for (int i = 0; i < 3; i++)
        hall_note(&scene.hall, ENTRY_EVENT, "device.online", "device_1", 0);
    fixture_fleet(&scene.f, "one");
    for (int i = 0; i < 2; i++)
        hall_note(&scene.hall, ENTRY_EVENT, "device.offline", "device_1", 0);
    CHECK(hall_seal(&scene.hall) == end + 6);
    const JournalKeep no_events = {.events_ms = 1};
    CHECK_OK(journal_trim(app->db, &app->key, &no_events, scene.f.now_ms + 60'000, &removed));
    CHECK(removed == 5);
    const char *query = fixture_print(&scene.f, "?follow=false&after=%u", (unsigned)end);
    CHECK(ask(&scene, &listener, query) == 200);
    listener_expect_removed(&listener, end + 1, end + 3);
    listener_expect(&listener, "fleet.create");
    listener_expect_removed(&listener, end + 5, end + 6);
    listener_expect_whole(&listener, end + 6);
    listener_close(&listener);
    query = fixture_print(&scene.f, "?follow=false&class=audit&after=%u", (unsigned)end);
    CHECK(ask(&scene, &listener, query) == 200); // who wants audit entries has lost none
    listener_expect(&listener, "fleet.create");
    listener_expect_whole(&listener, end + 6);
    listener_close(&listener);
    const JournalKeep nothing = {.audit_ms = 1, .events_ms = 1};
    CHECK_OK(journal_trim(app->db, &app->key, &nothing, scene.f.now_ms + 60'000, &removed));
    CHECK(ask(&scene, &listener, "?class=audit&after=0") == 200);
    listener_expect_removed(&listener, 1, end + 6);
    fixture_fleet(&scene.f, "two");
    CHECK(listener_expect(&listener, "fleet.create") == end + 7);
    listener_close(&listener);
    scene_close(&scene);
}

TEST(another_organisation_hears_nothing_of_it) {
    Scene scene;
    Listener ours, theirs;
    scene_open(&scene);
    Str eve = fixture_org(&scene.f, "other");
    hall_seal(&scene.hall);
    CHECK(listener_open(&theirs, &scene.hall, "", eve, NULL) == 200);
    CHECK(ask(&scene, &ours, "") == 200);
    fixture_fleet(&scene.f, "one");
    listener_expect(&ours, "fleet.create");
    CHECK(fixture_call(&scene.f, "POST", "/v1/fleets", eve, "{\"name\":\"theirs\"}").status == 201);
    CHECK(listener_hear(&theirs));
    Str data = theirs.reader.event.data;
    CHECK(memmem(data.ptr, data.len, "\"theirs\"", 8));
    listener_close(&ours);
    listener_close(&theirs);
    scene_close(&scene);
}

TEST(what_is_wrong_is_told_before_a_stream_begins) {
    static const struct {
        const char *query, *id;
        uint32_t status;
    } rows[] = {
        {"?after=x",                NULL,     422},
        {"?after=1234567890123456", NULL,     422},
        {"?class=both",             NULL,     422},
        {"?action=Fleet",           NULL,     422},
        {"?follow=maybe",           NULL,     422},
        {"?colour=red",             NULL,     422},
        {"",                        "x",      422},
        {"",                        "999999", 409},
        {"?after=999999",           NULL,     409},
    };
    Scene scene;
    Listener listener;
    scene_open(&scene);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CHECK(listener_open(&listener, &scene.hall, rows[i].query, scene.f.token, rows[i].id)
              == rows[i].status);
        CHECK(memmem(listener.head.ptr, listener.head.len, "application/problem+json", 24));
        listener_close(&listener);
    }
    CHECK(listener_open(&listener, &scene.hall, "", S("x.y.z"), NULL) == 401);
    listener_close(&listener);
    CHECK(listener_open_as(&listener, &scene.hall, "HEAD", "", scene.f.token, NULL, 0) == 200);
    char left;
    CHECK(read(listener.fd, &left, 1) == 0);
    listener_close(&listener);
    scene_close(&scene);
}

/// There is room again, soon.
static void wait_for_room(Scene *scene, Listener *listener, Str token) {
    uint32_t status = 0;
    while ((status = listener_open(listener, &scene->hall, "", token, NULL)) == 429) {
        listener_close(listener);
        usleep(10'000);
    }
    CHECK(status == 200);
}

TEST(there_are_so_many_streams_of_an_organisation_and_in_all) {
    Scene scene;
    Listener first, second, third, refused;
    fixture_open(&scene.f);
    scene.f.app.config.streams_max = 3;
    scene.f.app.config.streams_per_org_max = 2;
    hall_open(&scene.hall, &scene.f, 1);
    Str eve = fixture_org(&scene.f, "other");
    CHECK(ask(&scene, &first, "") == 200 && ask(&scene, &second, "") == 200);
    CHECK(ask(&scene, &refused, "") == 429); // of one
    CHECK(memmem(refused.head.ptr, refused.head.len, "Retry-After: ", 13));
    listener_close(&refused);
    CHECK(listener_open(&third, &scene.hall, "", eve, NULL) == 200);
    CHECK(listener_open(&refused, &scene.hall, "", eve, NULL) == 429); // in all
    listener_close(&refused);
    listener_close(&first);
    wait_for_room(&scene, &first, eve);
    listener_close(&first);
    listener_close(&second);
    listener_close(&third);
    scene_close(&scene);
}

static Str session_of(Scene *scene, const char *name) {
    HttpReply made = fixture_call(
        &scene->f,
        "POST",
        "/v1/operators",
        scene->f.token,
        fixture_print(&scene->f,
                      "{\"name\":\"%s\",\"role\":\"viewer\",\"password\":\"a long password\"}",
                      name));
    CHECK(made.status == 201);
    Id id;
    CHECK_OK(id_parse(fixture_field(&made, "id"), S("operator"), &id));
    return fixture_session(&scene->f, &scene->hall.org, &id);
}

TEST(a_stream_ends_with_the_session_and_hears_nothing_of_what_follows) {
    Scene scene;
    Listener mine, bobs, other;
    scene_open(&scene);
    Str bob = session_of(&scene, "bob"), ann = session_of(&scene, "ann");
    hall_seal(&scene.hall);
    for (int round = 0; round < 10; round++) {
        if (round > 0) bob = session_of(&scene, fixture_print(&scene.f, "bob-%d", round));
        hall_seal(&scene.hall);
        CHECK(listener_open(&bobs, &scene.hall, "?action=fleet", bob, NULL) == 200);
        CHECK(listener_open(&other, &scene.hall, "?action=fleet", ann, NULL) == 200);
        CHECK(ask(&scene, &mine, "?action=fleet") == 200);
        CHECK(fixture_call(&scene.f, "POST", "/v1/logout", bob, NULL).status == 204);
        fixture_fleet(&scene.f, fixture_print(&scene.f, "fleet-%d", round));
        listener_expect_end(&bobs);
        listener_expect(&other, "fleet.create");
        listener_expect(&mine, "fleet.create");
        listener_close(&bobs);
        listener_close(&other);
        listener_close(&mine);
    }
    scene_close(&scene);
}

TEST(a_stream_ends_with_its_operator) {
    Scene scene;
    Listener bobs;
    scene_open(&scene);
    Str bob = session_of(&scene, "bob");
    HttpReply list = fixture_call(&scene.f, "GET", "/v1/operators?name=bob", scene.f.token, NULL);
    const char *path =
        fixture_print(&scene.f, "/v1/operators/%.*s", STR_FMT(fixture_field(&list, "id")));
    CHECK(listener_open(&bobs, &scene.hall, "?action=none", bob, NULL) == 200);
    CHECK(fixture_call(&scene.f, "DELETE", path, scene.f.token, NULL).status == 204);
    listener_expect_end(&bobs);
    listener_close(&bobs);
    scene_close(&scene);
}

TEST(a_stream_ends_with_its_token_and_says_meanwhile_that_it_is_there) {
    Scene scene;
    Listener listener;
    fixture_open(&scene.f);
    scene.f.app.config.streams_heartbeat.ms = 100;
    hall_open(&scene.hall, &scene.f, 1);
    CHECK(ask(&scene, &listener, "?action=none") == 200);
    fixture_fleet(&scene.f, "one");
    uint64_t end = hall_seal(&scene.hall);
    listener_wait_place(&listener, end); // by a heartbeat, for nothing of it is wanted
    scene.f.now_ms += 3'600'000;
    listener_expect_end(&listener);
    listener_close(&listener);
    scene_close(&scene);
}

TEST(who_reads_slowly_has_everything_in_order) {
    Scene scene;
    Listener slow, swift;
    scene_open(&scene);
    uint64_t end = hall_seal(&scene.hall);
    CHECK(listener_open_as(&slow, &scene.hall, "GET", "", scene.f.token, NULL, 4096) == 200);
    CHECK(ask(&scene, &swift, "") == 200);
    for (int i = 0; i < LARGE_COUNT; i++)
        hall_note(&scene.hall, ENTRY_EVENT, "device.said", "device_1", LARGE);
    for (int i = 1; i <= LARGE_COUNT; i++)
        CHECK(listener_expect(&swift, "device.said") == end + (uint64_t)i);
    for (int i = 1; i <= LARGE_COUNT; i++)
        CHECK(listener_expect(&slow, "device.said") == end + (uint64_t)i);
    listener_close(&slow);
    listener_close(&swift);
    scene_close(&scene);
}

TEST(who_does_not_read_is_cut_off) {
    Scene scene;
    Listener stuck, swift;
    fixture_open(&scene.f);
    scene.f.app.config.streams_max = 2;
    hall_open_with(&scene.hall, &scene.f, 1, SHORT_MS);
    uint64_t end = hall_seal(&scene.hall);
    CHECK(listener_open_as(&stuck, &scene.hall, "GET", "", scene.f.token, NULL, 4096) == 200);
    CHECK(ask(&scene, &swift, "") == 200);
    for (int i = 1; i <= FLOOD_COUNT; i++) {
        hall_note(&scene.hall, ENTRY_EVENT, "device.said", "device_1", LARGE);
        if (i % ROUND == 0) hall_seal(&scene.hall);
        for (int k = ROUND - 1; k >= 0 && i % ROUND == 0; k--)
            CHECK(listener_expect(&swift, "device.said") == end + (uint64_t)(i - k));
    }
    Listener next;
    wait_for_room(&scene, &next, scene.f.token); // its place is free
    listener_close(&next);
    listener_close(&stuck);
    listener_close(&swift);
    scene_close(&scene);
}

TEST(a_server_that_drains_ends_streams_in_order_and_waits_for_none) {
    Scene scene;
    Listener listener, stuck;
    scene_open(&scene);
    CHECK(ask(&scene, &listener, "") == 200);
    CHECK(listener_open_as(&stuck, &scene.hall, "GET", "", scene.f.token, NULL, 4096) == 200);
    for (int i = 0; i < FLOOD_COUNT; i++)
        hall_note(&scene.hall, ENTRY_EVENT, "device.said", "device_1", LARGE);
    uint64_t end = hall_seal(&scene.hall), start_ms = clock_monotonic_ms();
    server_drain(scene.hall.server, scene.hall.gateway, DRAIN_MS);
    CHECK(clock_monotonic_ms() - start_ms < DRAIN_MS / 4);
    while (listener_hear(&listener)) { // and not cut off
        uint64_t number;
        CHECK_OK(str_u64(listener.reader.event.id, &number));
        CHECK(number <= end);
    }
    listener_close(&listener);
    listener_close(&stuck);
    scene_close(&scene);
}

TEST_MAIN(CASE(who_follows_has_each_entry_once_and_in_order),
          CASE(who_comes_back_goes_on_behind_any_entry),
          CASE(who_is_cut_off_before_the_first_event_knows_where_it_was),
          CASE(only_what_is_asked_for_comes),
          CASE(what_retention_has_removed_is_said),
          CASE(another_organisation_hears_nothing_of_it),
          CASE(what_is_wrong_is_told_before_a_stream_begins),
          CASE(there_are_so_many_streams_of_an_organisation_and_in_all),
          CASE(a_stream_ends_with_the_session_and_hears_nothing_of_what_follows),
          CASE(a_stream_ends_with_its_operator),
          CASE(a_stream_ends_with_its_token_and_says_meanwhile_that_it_is_there),
          CASE(who_reads_slowly_has_everything_in_order),
          CASE(who_does_not_read_is_cut_off),
          CASE(a_server_that_drains_ends_streams_in_order_and_waits_for_none))
