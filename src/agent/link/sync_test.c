// SPDX-License-Identifier: Apache-2.0
#include "agent/link/sync.h"

#include "base/arena.h"
#include "test.h"

#include <string.h>

static Arena arena;

static SyncUp up_with(Sync *sync, const SyncSaid *said) {
    Text text;
    text_init(&text, SYNC_UP_MAX);
    sync_up(sync, said, &text);
    CHECK_OK(text_check(&text));
    SyncUp up;
    // As the server does.
    CHECK_OK(schema_read(&SyncUp_schema, text_str(&text), DECODE_PEER, &arena, &up, NULL));
    text_done(&text);
    return up;
}

static SyncUp up_of(Sync *sync) {
    return up_with(sync, &(SyncSaid){});
}

/// Take the server's message; true: its desired state is to be held.
static bool answer(Sync *sync, SyncDown down) {
    bool is_newer;
    CHECK_OK(sync_down(sync, &down, &is_newer));
    return is_newer;
}

static Desired desired_of(uint64_t generation) {
    return (Desired){.generation = generation};
}

static const Facts facts = {.hostname = S("cam-1"), .cpus = 4};
static const Reported running = {.generation = 3, .state = WORKLOAD_RUNNING};

static Hello hello_of(void) {
    return (Hello){
        .device_id = id_new(S("device"), 1),
        .epoch = 1,
        .proof = S("a.b.c"),
        .agent_version = S("0.1.0"),
    };
}

TEST(the_first_message_has_everything_and_the_next_only_what_changed) {
    Sync sync;
    sync_init(&sync, 3, NULL);
    CHECK_OK(sync_facts(&sync, &facts));
    CHECK_OK(sync_reported(&sync, &running));
    CHECK(sync_is_due(&sync));
    SyncUp up = up_of(&sync);
    CHECK(up.seq == 1 && up.generation == 3);
    CHECK_STR(up.facts.hostname, S("cam-1"));
    CHECK(up.reported.state == WORKLOAD_RUNNING && up.reported.generation == 3);
    CHECK(!sync_is_due(&sync));
    answer(&sync, (SyncDown){.ack = 1});
    CHECK(!sync_is_due(&sync));
    Telemetry telemetry = {.cpu_percent = 12.5, .uptime_s = 7};
    up = up_with(&sync, &(SyncSaid){.telemetry = &telemetry});
    CHECK(up.seq == 2 && up.facts.cpus == 0 && up.reported.generation == 0);
    CHECK(up.telemetry.uptime_s == 7);
    sync_done(&sync);
}

TEST(the_same_again_is_no_change) {
    Sync sync;
    sync_init(&sync, 0, NULL);
    CHECK_OK(sync_facts(&sync, &facts));
    up_of(&sync);
    answer(&sync, (SyncDown){.ack = 1});
    CHECK_OK(sync_facts(&sync, &facts));
    CHECK(!sync_is_due(&sync));
    Facts other = facts;
    other.engine_version = S("28.0");
    CHECK_OK(sync_facts(&sync, &other));
    CHECK(sync_is_due(&sync));
    sync_done(&sync);
}

TEST(what_was_not_acknowledged_is_sent_again) {
    Sync sync;
    sync_init(&sync, 0, NULL);
    CHECK_OK(sync_facts(&sync, &facts));
    CHECK_OK(sync_reported(&sync, &running));
    up_of(&sync);
    sync_lost(&sync);
    CHECK(sync_is_due(&sync));
    SyncUp up = up_of(&sync);
    CHECK(up.seq == 1 && up.facts.cpus == 4 && up.reported.generation == 3);
    answer(&sync, (SyncDown){.ack = 1});
    sync_lost(&sync);
    CHECK(!sync_is_due(&sync));
    sync_done(&sync);
}

TEST(a_change_while_a_message_is_under_way_goes_with_the_next) {
    Sync sync;
    sync_init(&sync, 0, NULL);
    CHECK_OK(sync_reported(&sync, &running));
    up_of(&sync);
    Reported later = running;
    later.state = WORKLOAD_DEGRADED;
    CHECK_OK(sync_reported(&sync, &later));
    CHECK(!sync_is_due(&sync)); // one at a time
    answer(&sync, (SyncDown){.ack = 1});
    CHECK(sync_is_due(&sync)); // the ack was of what came before
    CHECK(up_of(&sync).reported.state == WORKLOAD_DEGRADED);
    sync_done(&sync);
}

TEST(a_push_acknowledges_nothing) {
    Sync sync;
    sync_init(&sync, 0, NULL);
    CHECK_OK(sync_reported(&sync, &running));
    up_of(&sync);
    CHECK(answer(&sync, (SyncDown){.ack = 0, .desired = desired_of(9)}));
    CHECK(sync.is_waiting);
    sync_lost(&sync);
    CHECK(sync_is_due(&sync));
    sync_done(&sync);
}

TEST(an_ack_of_what_was_not_sent_is_refused) {
    Sync sync;
    sync_init(&sync, 0, NULL);
    bool is_newer;
    CHECK_ERR(sync_down(&sync, &(SyncDown){.ack = 1}, &is_newer), ERR_INVALID);
    sync_done(&sync);
}

TEST(desired_never_goes_back) {
    Sync sync;
    sync_init(&sync, 5, NULL);
    CHECK(!answer(&sync, (SyncDown){.desired = desired_of(4)}));
    CHECK(!answer(&sync, (SyncDown){.desired = desired_of(5)}));
    CHECK(answer(&sync, (SyncDown){.desired = desired_of(6)}));
    sync_held(&sync, 6);
    CHECK(!answer(&sync, (SyncDown){.desired = desired_of(6)}));
    CHECK(up_of(&sync).generation == 6);
    sync_done(&sync);
}

TEST(what_is_asked_for_again_is_taken_again_but_nothing_older) {
    Sync sync;
    sync_init(&sync, 5, NULL);
    sync_ask_again(&sync);
    CHECK(up_of(&sync).generation == 0);
    CHECK(!answer(&sync, (SyncDown){.desired = desired_of(4)}));
    CHECK(answer(&sync, (SyncDown){.desired = desired_of(5)}));
    sync_held(&sync, 5);
    CHECK(!answer(&sync, (SyncDown){.desired = desired_of(5)}));
    sync_done(&sync);
}

TEST(a_desired_state_that_is_out_of_order_is_not_held_and_noted_once) {
    Notes notes = {};
    Sync sync;
    sync_init(&sync, 5, &notes);
    CHECK_OK(sync_reported(&sync, &running));
    up_of(&sync);
    answer(&sync, (SyncDown){.ack = 1});
    Application twice[] = {{.name = S("shop")}, {.name = S("shop")}};
    Desired bad = {
        .generation = 6, .applications = {twice, 2}
    };
    CHECK(!answer(&sync, (SyncDown){.desired = bad}));
    CHECK(sync_is_due(&sync));
    SyncUp up = up_of(&sync);
    CHECK(up.generation == 5 && up.reported.generation == 3 && up.reported.notes.count == 1);
    answer(&sync, (SyncDown){.ack = 2, .desired = bad});
    CHECK(!sync_is_due(&sync));
    CHECK(answer(&sync, (SyncDown){.desired = desired_of(7)}));
    sync_done(&sync);
}

TEST(notes_of_the_device_stand_behind_those_of_the_workload) {
    Notes notes = {};
    Sync sync;
    sync_init(&sync, 0, &notes);
    CHECK(!sync_is_due(&sync));
    notes_add(&notes, "desired.json was %s", "damaged");
    CHECK(sync_is_due(&sync)); // also when nothing else is known yet
    Str line = S("a network is in use");
    Reported reported = running;
    reported.notes = (StrList){&line, 1};
    CHECK_OK(sync_reported(&sync, &reported));
    SyncUp up = up_of(&sync);
    CHECK(up.reported.notes.count == 2);
    CHECK_STR(up.reported.notes.items[0], line);
    CHECK_STR(up.reported.notes.items[1], S("desired.json was damaged"));
    sync_done(&sync);
}

TEST(everything_is_told_again_to_whoever_may_not_know_it) {
    Sync sync;
    sync_init(&sync, 0, NULL);
    CHECK_OK(sync_facts(&sync, &facts));
    CHECK_OK(sync_reported(&sync, &running));
    up_of(&sync);
    answer(&sync, (SyncDown){.ack = 1});
    sync_lost(&sync);
    sync_tell_all(&sync);
    SyncUp up = up_of(&sync);
    CHECK(up.facts.cpus == 4 && up.reported.generation == 3);
    sync_done(&sync);
}

TEST(numbers_begin_anew_on_each_connection) {
    Sync sync;
    sync_init(&sync, 0, NULL);
    CHECK_OK(sync_facts(&sync, &facts));
    CHECK(up_of(&sync).seq == 1);
    answer(&sync, (SyncDown){.ack = 1});
    CHECK(up_of(&sync).seq == 2);
    sync_lost(&sync);
    SyncUp up = up_of(&sync);
    CHECK(up.seq == 1 && up.facts.cpus == 0); // it was acknowledged before
    sync_done(&sync);
}

/// An account with so many services in each of so many applications.
static Reported large_report(size_t applications, size_t services) {
    Reported reported = {.generation = 3, .state = WORKLOAD_RUNNING};
    ApplicationReport *reports = ARENA_ARRAY(&arena, ApplicationReport, applications);
    ServiceStatus *statuses = ARENA_ARRAY(&arena, ServiceStatus, services);
    char image[400];
    memset(image, 'i', sizeof(image));
    for (size_t i = 0; i < services; i++)
        statuses[i] = (ServiceStatus){.name = str_print(&arena, "s%zu", i),
                                      .image = str_dup(&arena, (Str){image, sizeof(image)})};
    for (size_t i = 0; i < applications; i++)
        reports[i] = (ApplicationReport){
            .name = str_print(&arena, "a%zu", i), .services = {statuses, services}
        };
    reported.applications = (ApplicationReportList){reports, applications};
    return reported;
}

TEST(what_does_not_fit_beside_hello_goes_with_the_next_message) {
    Sync sync;
    sync_init(&sync, 3, NULL);
    Reported large = large_report(4, 90);
    CHECK_OK(sync_facts(&sync, &facts));
    CHECK_OK(sync_reported(&sync, &large));
    Hello hello = hello_of();
    Text text;
    text_init(&text, SYNC_UP_MAX);
    sync_up(&sync, &(SyncSaid){.hello = &hello}, &text);
    CHECK(text.len < 1024);
    text_done(&text);
    CHECK(sync.is_waiting && !sync_is_due(&sync));
    answer(&sync, (SyncDown){.ack = 1});
    CHECK(sync_is_due(&sync));
    SyncUp up = up_of(&sync);
    CHECK(up.seq == 2 && up.facts.cpus == 4 && up.reported.applications.count == 4);
    CHECK(up.reported.applications.items[3].services.count == 90);
    sync_done(&sync);
}

TEST(the_first_message_has_hello_and_all_that_is_due) {
    Sync sync;
    sync_init(&sync, 3, NULL);
    CHECK_OK(sync_facts(&sync, &facts));
    Hello hello = hello_of();
    Stamp stamp = {.uptime_ms = 7, .boot_id = S("b")};
    SyncUp up = up_with(&sync, &(SyncSaid){.hello = &hello, .stamp = &stamp});
    CHECK_STR(up.hello.proof, S("a.b.c"));
    CHECK(up.facts.cpus == 4 && up.stamp.uptime_ms == 7 && up.generation == 3);
    sync_done(&sync);
}

TEST(an_account_that_fits_into_no_message_loses_services_and_not_applications) {
    Sync sync;
    sync_init(&sync, 3, NULL);
    Reported large = large_report(16, 100);
    CHECK_OK(sync_reported(&sync, &large));
    SyncUp up = up_of(&sync);
    CHECK(up.reported.applications.count == 16);
    CHECK(up.reported.applications.items[0].services.count == 100);
    CHECK(up.reported.applications.items[15].services.count == 0);
    sync_done(&sync);
}

TEST(the_server_says_how_often) {
    Sync sync;
    sync_init(&sync, 0, NULL);
    CHECK(sync.heartbeat_ms == SYNC_HEARTBEAT_MS);
    answer(&sync, (SyncDown){.heartbeat = {5000}});
    CHECK(sync.heartbeat_ms == 5000);
    answer(&sync, (SyncDown){.heartbeat = {1}});
    CHECK(sync.heartbeat_ms == SYNC_HEARTBEAT_MIN_MS);
    sync_done(&sync);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(the_first_message_has_everything_and_the_next_only_what_changed),
        CASE(the_same_again_is_no_change),
        CASE(what_was_not_acknowledged_is_sent_again),
        CASE(a_change_while_a_message_is_under_way_goes_with_the_next),
        CASE(a_push_acknowledges_nothing),
        CASE(an_ack_of_what_was_not_sent_is_refused),
        CASE(desired_never_goes_back),
        CASE(what_is_asked_for_again_is_taken_again_but_nothing_older),
        CASE(a_desired_state_that_is_out_of_order_is_not_held_and_noted_once),
        CASE(notes_of_the_device_stand_behind_those_of_the_workload),
        CASE(everything_is_told_again_to_whoever_may_not_know_it),
        CASE(numbers_begin_anew_on_each_connection),
        CASE(what_does_not_fit_beside_hello_goes_with_the_next_message),
        CASE(the_first_message_has_hello_and_all_that_is_due),
        CASE(an_account_that_fits_into_no_message_loses_services_and_not_applications),
        CASE(the_server_says_how_often),
    };
    arena_init(&arena, 16 * 1024 * 1024);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_done(&arena);
    return failed == 0 ? 0 : 1;
}
