// SPDX-License-Identifier: Apache-2.0
#include "agent/workload/workloads.h"

#include "agent/workload/workload_fixture.h"
#include "test.h"

#include <stdlib.h>

/// Several applications on the engine of the fixture's world.
typedef struct Site {
    World world;
    Workloads workloads;
} Site;

static void aim_at(Site *site, uint64_t generation, Application *items, size_t count) {
    Desired desired = {
        .generation = generation, .applications = {items, count}
    };
    Aim aim;
    Reported none = {};
    CHECK_OK(aim_make(&desired, NULL, &arena, &aim));
    CHECK_OK(workloads_aim(&aim, &none, 1, &arena, &site->workloads));
    site->world.seen.items = site->world.items;
    if (site->world.now_ms == 0) site->world.now_ms = NOW;
}

static int by_application(const void *a, const void *b) {
    const Seen *one = a;
    const Seen *other = b;
    return str_cmp(one->application, other->application);
}

static Action step(Site *site) {
    qsort(site->world.items, site->world.seen.count, sizeof(Seen), by_application);
    return workloads_step(&site->workloads, &site->world.seen, site->world.now_ms);
}

static void perform_on(Site *site, const Action *action) {
    const Workload *workload = action->application < site->workloads.count
                                   ? &site->workloads.items[action->application]
                                   : NULL;
    perform(&site->world, workload, action);
    workloads_did(&site->workloads, action, SUCCESS, (Str){}, site->world.now_ms);
}

static Action expect_of(Site *site, ActionKind kind, size_t application) {
    Action action = step(site);
    CHECK(action.kind == kind && action.application == application);
    perform_on(site, &action);
    return action;
}

static void settle_all(Site *site) {
    for (int i = 0; i < 300; i++) {
        Action action = step(site);
        if (action.kind == ACTION_WAIT) {
            if (action.until_ms == UINT64_MAX) return;
            site->world.now_ms = action.until_ms;
        } else {
            perform_on(site, &action);
        }
    }
    fail_msg("it does not settle");
}

static Reported report_of(Site *site) {
    Reported reported;
    qsort(site->world.items, site->world.seen.count, sizeof(Seen), by_application);
    CHECK_OK(workloads_report(&site->workloads, &site->world.seen, &arena, &reported));
    return reported;
}

TEST(without_a_desired_state_nothing_is_touched) {
    Site site = {};
    site.world.seen.items = site.world.items;
    site.world.seen.count = 1;
    site.world.items[0] = (Seen){
        .id = S("x"), .application = S("shop"), .service = S("web"), .state = CONTAINER_RUNNING};
    CHECK(step(&site).kind == ACTION_WAIT);
    CHECK(report_of(&site).state == WORKLOAD_NONE);
}

TEST(one_application_switches_at_a_time) {
    Site site = {};
    Service bar[] = {service_of("web", "1")};
    Service shop[] = {service_of("web", "1")};
    Application items[] = {application_of("bar", 1, bar, 1), application_of("shop", 1, shop, 1)};
    aim_at(&site, 1, items, 2);
    expect_of(&site, ACTION_PULL, 0);
    expect_of(&site, ACTION_CREATE, 0);
    expect_of(&site, ACTION_START, 0);
    CHECK(step(&site).kind == ACTION_WAIT); // bar is not up yet
    site.world.now_ms += WORKLOAD_STABLE_MS;
    expect_of(&site, ACTION_PULL, 1);
    settle_all(&site);
    CHECK(site.world.seen.count == 2 && report_of(&site).state == WORKLOAD_RUNNING);
    CHECK(report_of(&site).applications.count == 2);
}

TEST(services_of_one_name_do_not_meet) {
    Site site = {};
    Service same[] = {service_of("web", "1")};
    Application items[] = {application_of("bar", 1, same, 1), application_of("shop", 1, same, 1)};
    aim_at(&site, 1, items, 2);
    settle_all(&site);
    CHECK(site.world.seen.count == 2);
    Str bar = site.world.items[0].id;
    Service changed[] = {service_of("web", "2")};
    items[1] = application_of("shop", 2, changed, 1);
    aim_at(&site, 2, items, 2);
    settle_all(&site);
    CHECK(site.world.seen.count == 2);
    SeenList own = workloads_seen(&site.world.seen, S("bar"));
    CHECK(own.count == 1);
    CHECK_STR(own.items[0].id, bar);
}

TEST(an_application_that_fails_does_not_hold_up_the_others) {
    Site site = {};
    Service bar[] = {service_of("web", "1")};
    Service shop[] = {service_of("web", "1")};
    Application items[] = {application_of("bar", 1, bar, 1), application_of("shop", 1, shop, 1)};
    aim_at(&site, 1, items, 2);
    Action pull = step(&site);
    CHECK(pull.kind == ACTION_PULL && pull.application == 0);
    workloads_did(&site.workloads, &pull, FAIL(ERR_STATE, "x"), S("no registry"), NOW);
    expect_of(&site, ACTION_PULL, 1);
    expect_of(&site, ACTION_CREATE, 1);
    Reported told = report_of(&site);
    CHECK(told.state == WORKLOAD_FAILED);
    CHECK_STR(told.detail, S("bar: no registry"));
    CHECK(told.applications.items[1].state == WORKLOAD_STARTING);
    settle_all(&site);
    CHECK(report_of(&site).state == WORKLOAD_RUNNING);
}

TEST(while_one_switches_another_one_still_mends_what_it_runs) {
    Site site = {};
    Service same[] = {service_of("web", "1")};
    Application items[] = {application_of("bar", 1, same, 1), application_of("shop", 1, same, 1)};
    aim_at(&site, 1, items, 2);
    settle_all(&site);
    Service changed[] = {service_of("web", "2")};
    Application next[] = {application_of("bar", 2, changed, 1), items[1]};
    Workload shop = site.workloads.items[1];
    aim_at(&site, 2, next, 2);
    site.workloads.items[1].is_settled = shop.is_settled;
    expect_of(&site, ACTION_PULL, 0);
    expect_of(&site, ACTION_CREATE, 0);
    expect_of(&site, ACTION_START, 0);
    SeenList own = workloads_seen(&site.world.seen, S("shop"));
    own.items[0].state = CONTAINER_EXITED;
    expect_of(&site, ACTION_START, 1);
}

TEST(an_application_that_is_not_wanted_any_more_goes_before_anything_is_made) {
    Site site = {};
    Service old[] = {with_port(service_of("web", "1"), 80)};
    Application first[] = {application_of("bar", 1, old, 1)};
    aim_at(&site, 1, first, 1);
    settle_all(&site);
    Application second[] = {application_of("shop", 1, old, 1)};
    aim_at(&site, 2, second, 1);
    CHECK(workloads_rest(&site.workloads, &site.world.seen) != NULL);
    CHECK(report_of(&site).state == WORKLOAD_PULLING);
    expect_of(&site, ACTION_PULL, 0); // what runs, runs until the images are there
    expect_of(&site, ACTION_STOP, 1);
    expect_of(&site, ACTION_REMOVE, 1);
    expect_of(&site, ACTION_CREATE, 0);
    settle_all(&site);
    CHECK(site.world.seen.count == 1);
    CHECK_STR(site.world.items[0].application, S("shop"));
}

TEST(an_empty_desired_state_removes_everything) {
    Site site = {};
    Service services[] = {service_of("web", "1")};
    Application items[] = {application_of("shop", 1, services, 1)};
    aim_at(&site, 1, items, 1);
    settle_all(&site);
    aim_at(&site, 2, NULL, 0);
    CHECK(report_of(&site).state == WORKLOAD_STARTING);
    settle_all(&site);
    CHECK(site.world.seen.count == 0);
    CHECK(report_of(&site).state == WORKLOAD_RUNNING && report_of(&site).generation == 2);
}

TEST(what_cannot_be_removed_is_tried_again_with_back_off_and_told) {
    Site site = {};
    Service services[] = {service_of("web", "1")};
    Application items[] = {application_of("shop", 1, services, 1)};
    aim_at(&site, 1, items, 1);
    settle_all(&site);
    aim_at(&site, 2, NULL, 0);
    Action stop = step(&site);
    workloads_did(
        &site.workloads, &stop, FAIL(ERR_STATE, "x"), S("it is stuck"), site.world.now_ms);
    Action wait = step(&site);
    CHECK(wait.kind == ACTION_WAIT && wait.until_ms > site.world.now_ms);
    CHECK(wait.until_ms < UINT64_MAX && report_of(&site).notes.count == 1);
    CHECK_STR(report_of(&site).notes.items[0], S("it is stuck"));
    settle_all(&site);
    CHECK(site.world.seen.count == 0 && report_of(&site).notes.count == 0);
}

TEST(containers_of_a_refused_application_are_not_touched_and_not_removed) {
    Site site = {};
    Service services[] = {service_of("web", "1")};
    Application items[] = {application_of("shop", 1, services, 1)};
    aim_at(&site, 1, items, 1);
    settle_all(&site);
    // The agent starts anew, and its file of what it is to run is damaged.
    items[0].manifest.digest =
        S("sha256:0000000000000000000000000000000000000000000000000000000000000000");
    aim_at(&site, 1, items, 1);
    CHECK(step(&site).kind == ACTION_WAIT);
    CHECK(site.world.seen.count == 1 && site.world.items[0].state == CONTAINER_RUNNING);
    CHECK(report_of(&site).state == WORKLOAD_FAILED);
}

TEST(what_was_all_up_before_the_agent_was_restarted_is_known_as_that) {
    Site site = {};
    Service services[] = {service_of("web", "1")};
    Application items[] = {application_of("shop", 1, services, 1)};
    aim_at(&site, 1, items, 1);
    settle_all(&site);
    Reported last = report_of(&site);
    Desired desired = {
        .generation = 2, .applications = {items, 1}
    };
    Aim aim;
    CHECK_OK(aim_make(&desired, NULL, &arena, &aim));
    CHECK_OK(workloads_aim(&aim, &last, 1, &arena, &site.workloads));
    CHECK(site.workloads.items[0].is_settled);
    items[0].serial = 2; // deployed anew since
    CHECK_OK(aim_make(&desired, NULL, &arena, &aim));
    CHECK_OK(workloads_aim(&aim, &last, 1, &arena, &site.workloads));
    CHECK(!site.workloads.items[0].is_settled);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(without_a_desired_state_nothing_is_touched),
        CASE(one_application_switches_at_a_time),
        CASE(services_of_one_name_do_not_meet),
        CASE(an_application_that_fails_does_not_hold_up_the_others),
        CASE(while_one_switches_another_one_still_mends_what_it_runs),
        CASE(an_application_that_is_not_wanted_any_more_goes_before_anything_is_made),
        CASE(an_empty_desired_state_removes_everything),
        CASE(what_cannot_be_removed_is_tried_again_with_back_off_and_told),
        CASE(containers_of_a_refused_application_are_not_touched_and_not_removed),
        CASE(what_was_all_up_before_the_agent_was_restarted_is_known_as_that),
    };
    arena_init(&arena, 64 * 1024 * 1024);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_done(&arena);
    return failed == 0 ? 0 : 1;
}
