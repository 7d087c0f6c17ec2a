// SPDX-License-Identifier: Apache-2.0
#include "agent/link/sync.h"

#include "test.h"

static Arena arena;

static SyncUp up_of(Sync *sync, const Telemetry *telemetry) {
    Text text;
    text_init(&text, SYNC_MESSAGE_MAX);
    sync_up(sync, telemetry, &text);
    SyncUp up;
    // As strictly as the server does.
    CHECK_OK(schema_read(&SyncUp_schema, text_str(&text), DECODE_INPUT, &arena, &up, NULL));
    text_done(&text);
    return up;
}

static Str down_of(const SyncDown *down) {
    Text text;
    text_init(&text, SYNC_MESSAGE_MAX);
    schema_encode(&SyncDown_schema, down, ENCODE_REPLY, &text);
    Str copy = str_dup(&arena, text_str(&text));
    text_done(&text);
    return copy;
}

static SyncNews answer(Sync *sync, SyncDown down) {
    down.now.ms = 1'790'000'000'000;
    SyncNews news;
    CHECK_OK(sync_down(sync, down_of(&down), &arena, &news));
    return news;
}

static Desired desired_of(uint64_t version) {
    Service services[] = {
        {
         .name = S("web"),
         .image =
                S("r/web@sha256:0000000000000000000000000000000000000000000000000000000000000001"),
         }
    };
    Manifest manifest = {
        .services = {services, 1}
    };
    Desired desired = {.version = version, .release_id = id_new(S("release"), version)};
    CHECK_OK(manifest_seal(&manifest, &arena, &desired.manifest.text, &desired.digest));
    return desired;
}

static const Facts facts = {.hostname = S("cam-1"), .cpus = 4};
static const Reported running = {.version = 3, .state = WORKLOAD_RUNNING};

TEST(the_first_message_has_everything_and_the_next_only_what_changed) {
    Sync sync;
    sync_init(&sync, 3);
    CHECK_OK(sync_facts(&sync, &facts));
    CHECK_OK(sync_reported(&sync, &running));
    CHECK(sync_is_due(&sync));
    SyncUp up = up_of(&sync, NULL);
    CHECK(up.seq == 1 && up.desired_version == 3);
    CHECK_STR(up.facts.hostname, S("cam-1"));
    CHECK(up.reported.state == WORKLOAD_RUNNING && up.reported.version == 3);
    CHECK(!sync_is_due(&sync));
    answer(&sync, (SyncDown){.ack = 1});
    CHECK(!sync_is_due(&sync));
    Telemetry telemetry = {.cpu_percent = 12.5, .uptime_s = 7};
    up = up_of(&sync, &telemetry);
    CHECK(up.seq == 2 && up.facts.cpus == 0 && up.reported.version == 0);
    CHECK(up.telemetry.uptime_s == 7);
    sync_done(&sync);
}

TEST(the_same_again_is_no_change) {
    Sync sync;
    sync_init(&sync, 0);
    CHECK_OK(sync_facts(&sync, &facts));
    up_of(&sync, NULL);
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
    sync_init(&sync, 0);
    CHECK_OK(sync_facts(&sync, &facts));
    CHECK_OK(sync_reported(&sync, &running));
    up_of(&sync, NULL);
    sync_lost(&sync);
    CHECK(sync_is_due(&sync));
    SyncUp up = up_of(&sync, NULL);
    CHECK(up.seq == 2 && up.facts.cpus == 4 && up.reported.version == 3);
    answer(&sync, (SyncDown){.ack = 2});
    sync_lost(&sync);
    CHECK(!sync_is_due(&sync));
    sync_done(&sync);
}

TEST(a_change_while_a_message_is_under_way_goes_with_the_next) {
    Sync sync;
    sync_init(&sync, 0);
    CHECK_OK(sync_reported(&sync, &running));
    up_of(&sync, NULL);
    Reported later = running;
    later.state = WORKLOAD_DEGRADED;
    CHECK_OK(sync_reported(&sync, &later));
    CHECK(!sync_is_due(&sync)); // one at a time
    answer(&sync, (SyncDown){.ack = 1});
    CHECK(sync_is_due(&sync)); // the ack was of what came before
    CHECK(up_of(&sync, NULL).reported.state == WORKLOAD_DEGRADED);
    sync_done(&sync);
}

TEST(a_push_acknowledges_nothing) {
    Sync sync;
    sync_init(&sync, 0);
    CHECK_OK(sync_reported(&sync, &running));
    up_of(&sync, NULL);
    SyncNews news = answer(&sync, (SyncDown){.ack = 0, .desired = desired_of(9)});
    CHECK(news.is_newer && news.desired.version == 9 && news.manifest.services.count == 1);
    CHECK(sync.is_waiting);
    sync_lost(&sync);
    CHECK(sync_is_due(&sync));
    sync_done(&sync);
}

TEST(an_ack_of_what_was_not_sent_is_refused) {
    Sync sync;
    sync_init(&sync, 0);
    SyncNews news;
    SyncDown down = {.ack = 1, .now = {1}};
    CHECK_ERR(sync_down(&sync, down_of(&down), &arena, &news), ERR_INVALID);
    CHECK_ERR(sync_down(&sync, S("[]"), &arena, &news), ERR_INVALID);
    CHECK_ERR(sync_down(&sync, S(""), &arena, &news), ERR_INVALID);
    sync_done(&sync);
}

TEST(desired_never_goes_back) {
    Sync sync;
    sync_init(&sync, 5);
    CHECK(!answer(&sync, (SyncDown){.desired = desired_of(4)}).is_newer);
    CHECK(!answer(&sync, (SyncDown){.desired = desired_of(5)}).is_newer);
    CHECK(answer(&sync, (SyncDown){.desired = desired_of(6)}).is_newer);
    sync_held(&sync, 6);
    CHECK(!answer(&sync, (SyncDown){.desired = desired_of(6)}).is_newer);
    CHECK(up_of(&sync, NULL).desired_version == 6);
    sync_done(&sync);
}

TEST(a_desired_state_that_is_not_fit_is_refused_and_reported_once) {
    Sync sync;
    sync_init(&sync, 5);
    CHECK_OK(sync_reported(&sync, &running));
    up_of(&sync, NULL);
    answer(&sync, (SyncDown){.ack = 1});
    Desired bad = desired_of(6);
    bad.digest = S("sha256:0000000000000000000000000000000000000000000000000000000000000000");
    CHECK(!answer(&sync, (SyncDown){.desired = bad}).is_newer);
    CHECK(sync_is_due(&sync));
    SyncUp up = up_of(&sync, NULL);
    CHECK(up.desired_version == 5);
    CHECK(up.reported.version == 6 && up.reported.state == WORKLOAD_FAILED);
    CHECK(up.reported.detail.len > 0);
    answer(&sync, (SyncDown){.ack = 2, .desired = bad});
    CHECK(!sync_is_due(&sync));
    // A good one puts an end to it.
    CHECK(answer(&sync, (SyncDown){.desired = desired_of(7)}).is_newer);
    sync_held(&sync, 7);
    Reported next = {.version = 7, .state = WORKLOAD_PULLING};
    CHECK_OK(sync_reported(&sync, &next));
    CHECK(up_of(&sync, NULL).reported.version == 7);
    sync_done(&sync);
}

TEST(the_server_says_how_often) {
    Sync sync;
    sync_init(&sync, 0);
    CHECK(sync.heartbeat_ms == SYNC_HEARTBEAT_MS);
    answer(&sync, (SyncDown){.heartbeat = {5000}});
    CHECK(sync.heartbeat_ms == 5000);
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
        CASE(a_desired_state_that_is_not_fit_is_refused_and_reported_once),
        CASE(the_server_says_how_often),
    };
    arena_init(&arena, 16 * 1024 * 1024);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_done(&arena);
    return failed == 0 ? 0 : 1;
}
