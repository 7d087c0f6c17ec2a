// SPDX-License-Identifier: Apache-2.0
#include "cli/watch.h"

#include "base/scope.h"
#include "test.h"

#include <string.h>

enum { TEST_ARENA_MAX = 4 * 1024 * 1024 };

typedef struct Fixture {
    Arena arena;
    Text text;
    Watch watch;
    WatchCounts counts;
    Device devices[2];
} Fixture;

static void fixture_init(Fixture *fixture) {
    *fixture = (Fixture){};
    arena_init(&fixture->arena, TEST_ARENA_MAX);
    text_init(&fixture->text, 64 * 1024);
    Id release = id_new(S("release"), 1000);
    CHECK_OK(watch_init(&fixture->watch, &release, &fixture->arena));
    const Str names[] = {S("cam-1"), S("cam-2")};
    for (size_t i = 0; i < 2; i++)
        fixture->devices[i] = (Device){
            .id = id_new(S("device"), 2000 + i),
            .name = names[i],
            .presence = PRESENCE_ONLINE,
        };
}

static void fixture_done(Fixture *fixture) {
    text_done(&fixture->text);
    arena_done(&fixture->arena);
}

static void report(Fixture *fixture, size_t at, WorkloadState state, Str detail) {
    Device *device = &fixture->devices[at];
    device->reported_release_id = fixture->watch.release_id;
    device->reported_generation = 7;
    device->state = state;
    device->detail = detail;
}

static Str look(Fixture *fixture) {
    text_clear(&fixture->text);
    watch_step(&fixture->watch, fixture->devices, 2, &fixture->text, &fixture->counts);
    return text_str(&fixture->text);
}

TEST(each_change_of_a_device_is_told_once) {
    SCOPED(fixture_done) Fixture fixture;
    fixture_init(&fixture);
    CHECK_STR(look(&fixture), S("cam-1: has not begun\ncam-2: has not begun\n"));
    CHECK_STR(look(&fixture), S(""));
    report(&fixture, 0, WORKLOAD_PULLING, S("web"));
    CHECK_STR(look(&fixture), S("cam-1: pulling generation 7: web\n"));
    CHECK_STR(look(&fixture), S(""));
    report(&fixture, 0, WORKLOAD_PULLING, S("db"));
    CHECK_STR(look(&fixture), S("cam-1: pulling generation 7: db\n"));
    report(&fixture, 0, WORKLOAD_RUNNING, (Str){});
    CHECK_STR(look(&fixture), S("cam-1: running generation 7\n"));
}

TEST(it_is_over_when_every_device_runs_the_release) {
    SCOPED(fixture_done) Fixture fixture;
    fixture_init(&fixture);
    report(&fixture, 0, WORKLOAD_RUNNING, (Str){});
    look(&fixture);
    CHECK(fixture.counts.done == 1 && fixture.counts.pending == 1);
    CHECK(!watch_is_over(&fixture.counts, true));
    report(&fixture, 1, WORKLOAD_RUNNING, (Str){});
    look(&fixture);
    CHECK(watch_is_over(&fixture.counts, false));
}

TEST(running_another_release_is_not_done) {
    SCOPED(fixture_done) Fixture fixture;
    fixture_init(&fixture);
    report(&fixture, 0, WORKLOAD_RUNNING, (Str){});
    report(&fixture, 1, WORKLOAD_RUNNING, (Str){});
    fixture.devices[1].reported_release_id = id_new(S("release"), 5);
    look(&fixture);
    CHECK(!watch_is_over(&fixture.counts, false));
}

TEST(a_failed_device_keeps_it_going_because_it_tries_again) {
    SCOPED(fixture_done) Fixture fixture;
    fixture_init(&fixture);
    report(&fixture, 0, WORKLOAD_RUNNING, (Str){});
    report(&fixture, 1, WORKLOAD_FAILED, S("no such image\x1b[2J"));
    CHECK(strstr(look(&fixture).ptr, "cam-2: failed generation 7: no such image?[2J\n"));
    CHECK(fixture.counts.failed == 1 && !watch_is_over(&fixture.counts, true));
    report(&fixture, 1, WORKLOAD_RUNNING, (Str){});
    look(&fixture);
    CHECK(watch_is_over(&fixture.counts, false));
}

TEST(devices_that_are_away_are_waited_for_unless_allowed_and_named_at_the_end) {
    SCOPED(fixture_done) Fixture fixture;
    fixture_init(&fixture);
    report(&fixture, 0, WORKLOAD_RUNNING, (Str){});
    fixture.devices[1].presence = PRESENCE_OFFLINE;
    look(&fixture);
    CHECK(fixture.counts.away == 1);
    CHECK(!watch_is_over(&fixture.counts, false) && watch_is_over(&fixture.counts, true));
    text_clear(&fixture.text);
    watch_end(&fixture.watch, fixture.devices, 2, &fixture.text);
    CHECK_STR(text_str(&fixture.text), S("1 of 2 devices run it\n  not: cam-2: offline\n"));
}

TEST(a_fleet_without_devices_is_done) {
    SCOPED(fixture_done) Fixture fixture;
    fixture_init(&fixture);
    watch_step(&fixture.watch, fixture.devices, 0, &fixture.text, &fixture.counts);
    CHECK(watch_is_over(&fixture.counts, false));
}

TEST_MAIN(CASE(each_change_of_a_device_is_told_once),
          CASE(it_is_over_when_every_device_runs_the_release),
          CASE(running_another_release_is_not_done),
          CASE(a_failed_device_keeps_it_going_because_it_tries_again),
          CASE(devices_that_are_away_are_waited_for_unless_allowed_and_named_at_the_end),
          CASE(a_fleet_without_devices_is_done))
