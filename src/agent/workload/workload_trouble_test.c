// SPDX-License-Identifier: Apache-2.0
#include "agent/workload/workload_fixture.h"

#include "test.h"

TEST(a_pull_that_fails_keeps_the_old_running_and_is_tried_for_ever) {
    World world = {};
    Service first[] = {with_port(service_of("web", "1"), 80)};
    aim(&world, 1, first, 1);
    settle(&world);
    Service second[] = {with_port(service_of("web", "2"), 80)};
    aim(&world, 2, second, 1);
    uint64_t longest = 0;
    for (int i = 0; i < 50; i++) {
        Action action = next(&world);
        CHECK(action.kind == ACTION_PULL);
        refused(&world, &action, S("no route to registry"));
        action = next(&world);
        CHECK(action.kind == ACTION_WAIT && action.until_ms > world.now_ms);
        if (action.until_ms - world.now_ms > longest) longest = action.until_ms - world.now_ms;
        world.now_ms = action.until_ms;
    }
    CHECK(longest > 60'000 && longest <= 300'000);
    CHECK(world.items[0].state == CONTAINER_RUNNING && world.seen.count == 1);
    CHECK(report(&world).state == WORKLOAD_FAILED);
    CHECK_STR(report(&world).detail, S("no route to registry"));
    CHECK(refusal_is(&(Refusal){.code = report(&world).refusal.code}, REFUSED_UNREACHABLE));
    settle(&world);
    CHECK(report(&world).state == WORKLOAD_RUNNING);
    CHECK(report(&world).detail.len == 0);
}

TEST(a_newer_desired_state_supersedes_a_failing_one_at_once) {
    World world = {};
    Service bad[] = {service_of("web", "bad")};
    aim(&world, 1, bad, 1);
    Action action = next(&world);
    refused(&world, &action, S("manifest unknown"));
    Service good[] = {service_of("web", "good")};
    aim(&world, 2, good, 1);
    CHECK(next(&world).kind == ACTION_PULL);
}

TEST(an_unhealthy_new_version_is_a_failure_and_its_predecessor_stays) {
    World world = {};
    Service first[] = {service_of("web", "1")};
    aim(&world, 1, first, 1);
    settle(&world);
    Str old = world.items[0].id;
    Service second[] = {service_of("web", "2")};
    aim(&world, 2, second, 1);
    for (int i = 0; i < 3; i++) {
        Action action = next(&world);
        did(&world, &action);
    }
    container_of(&world, "web")->health = HEALTH_UNHEALTHY;
    Action action = next(&world);
    CHECK(action.kind == ACTION_WAIT && action.until_ms < UINT64_MAX);
    CHECK(report(&world).state == WORKLOAD_FAILED);
    CHECK_STR(report(&world).detail, S("web is unhealthy"));
    CHECK(seen_at(&world, old)->state == CONTAINER_RUNNING);
    world.now_ms = action.until_ms;
    CHECK(next(&world).kind == ACTION_RESTART);
}

TEST(a_check_that_never_ends_has_a_deadline) {
    World world = {};
    Service services[] = {service_of("web", "1")};
    aim(&world, 1, services, 1);
    for (int i = 0; i < 3; i++) {
        Action action = next(&world);
        did(&world, &action);
    }
    container_of(&world, "web")->health = HEALTH_STARTING;
    Action action = next(&world);
    CHECK(action.kind == ACTION_WAIT && action.until_ms < UINT64_MAX);
    CHECK(report(&world).state == WORKLOAD_STARTING);
    world.now_ms = action.until_ms;
    CHECK(next(&world).kind == ACTION_WAIT);
    CHECK(report(&world).state == WORKLOAD_FAILED);
}

TEST(a_container_that_ends_again_and_again_is_a_failure) {
    World world = {};
    Service services[] = {service_of("web", "1")};
    aim(&world, 1, services, 1);
    for (int i = 0; i < 3; i++) {
        Action action = next(&world);
        did(&world, &action);
    }
    world.items[0].state = CONTAINER_RESTARTING;
    world.items[0].exit_code = 3;
    CHECK(next(&world).kind == ACTION_WAIT);
    CHECK(report(&world).state == WORKLOAD_FAILED);
    CHECK_STR(report(&world).detail, S("web ends with exit code 3 again and again"));
    // It runs for a moment between two ends: that is not up.
    started(&world, &world.items[0]);
    CHECK(next(&world).kind == ACTION_WAIT);
    CHECK(report(&world).state == WORKLOAD_FAILED);
    settle(&world); // and now it stays
    CHECK(report(&world).state == WORKLOAD_RUNNING);
}

TEST(a_settled_workload_degrades_and_recovers) {
    World world = {};
    Service services[] = {service_of("web", "1")};
    aim(&world, 1, services, 1);
    settle(&world);
    world.items[0].health = HEALTH_UNHEALTHY;
    CHECK(next(&world).kind == ACTION_WAIT);
    CHECK(report(&world).state == WORKLOAD_DEGRADED);
    CHECK_STR(report(&world).detail, S("web is unhealthy"));
    world.items[0].health = HEALTH_NONE;
    world.items[0].state = CONTAINER_EXITED;
    CHECK(report(&world).state == WORKLOAD_DEGRADED);
    expect(&world, ACTION_START);
    CHECK(report(&world).state == WORKLOAD_RUNNING);
}

TEST(a_removed_container_comes_back) {
    World world = {};
    Service services[] = {service_of("web", "1")};
    aim(&world, 1, services, 1);
    settle(&world);
    world.seen.count = 0;
    settle(&world);
    CHECK(world.seen.count == 1);
    CHECK(report(&world).state == WORKLOAD_RUNNING);
}

TEST(a_job_that_is_done_is_not_started_again) {
    World world = {};
    Service services[] = {service_of("job", "1")};
    services[0].restart = RESTART_NO;
    aim(&world, 1, services, 1);
    for (int i = 0; i < 3; i++) {
        Action action = next(&world);
        did(&world, &action);
    }
    world.items[0].state = CONTAINER_EXITED;
    world.items[0].exit_code = 1;
    settle(&world);
    CHECK(world.items[0].state == CONTAINER_EXITED);
    CHECK(report(&world).state == WORKLOAD_RUNNING);
}

TEST(a_container_that_cannot_start_is_tried_with_back_off) {
    World world = {};
    Service services[] = {service_of("web", "1")};
    aim(&world, 1, services, 1);
    expect(&world, ACTION_PULL);
    expect(&world, ACTION_CREATE);
    Action action = next(&world);
    CHECK(action.kind == ACTION_START);
    refused(&world, &action, S("port is already allocated"));
    CHECK(next(&world).kind == ACTION_WAIT);
    CHECK(report(&world).state == WORKLOAD_FAILED);
    CHECK_STR(report(&world).detail, S("port is already allocated"));
    world.now_ms = next(&world).until_ms;
    CHECK(next(&world).kind == ACTION_START);
}

TEST(an_image_that_somebody_removed_is_fetched_again) {
    World world = {};
    Service services[] = {service_of("web", "1")};
    aim(&world, 1, services, 1);
    expect(&world, ACTION_PULL);
    Action action = next(&world);
    CHECK(action.kind == ACTION_CREATE);
    workload_did(&world.workload, &action, FAIL(ERR_NOT_FOUND, "no"), S("No such image"), NOW);
    world.now_ms += 600'000;
    CHECK(next(&world).kind == ACTION_PULL);
}

TEST(half_removed_containers_are_removed) {
    World world = {};
    Service services[] = {service_of("web", "1")};
    aim(&world, 1, services, 1);
    settle(&world);
    world.items[0].is_dead = true;
    expect(&world, ACTION_REMOVE);
    settle(&world);
    CHECK(world.seen.count == 1 && !world.items[0].is_dead);
}

TEST(cut_off_after_any_action_it_ends_the_same) {
    for (int cut = 0; cut < 20; cut++) {
        World world = {};
        Service first[] = {
            with_port(service_of("web", "1"), 80), service_of("db", "1"), service_of("old", "1")};
        aim(&world, 1, first, 3);
        settle(&world);
        Service second[] = {with_port(service_of("web", "2"), 80), service_of("db", "1")};
        aim(&world, 2, second, 2);
        for (int i = 0; i < cut; i++) {
            Action action = next(&world);
            if (action.kind == ACTION_WAIT) world.now_ms += WORKLOAD_STABLE_MS;
            did(&world, &action);
        }
        world.workload = (Workload){}; // the agent is killed and starts anew
        aim(&world, 2, second, 2);
        settle(&world);
        CHECK(world.seen.count == 2);
        CHECK(report(&world).state == WORKLOAD_RUNNING);
        CHECK(container_of(&world, "web")->state == CONTAINER_RUNNING);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_pull_that_fails_keeps_the_old_running_and_is_tried_for_ever),
        CASE(a_newer_desired_state_supersedes_a_failing_one_at_once),
        CASE(an_unhealthy_new_version_is_a_failure_and_its_predecessor_stays),
        CASE(a_check_that_never_ends_has_a_deadline),
        CASE(a_container_that_ends_again_and_again_is_a_failure),
        CASE(a_settled_workload_degrades_and_recovers),
        CASE(a_removed_container_comes_back),
        CASE(a_job_that_is_done_is_not_started_again),
        CASE(a_container_that_cannot_start_is_tried_with_back_off),
        CASE(an_image_that_somebody_removed_is_fetched_again),
        CASE(half_removed_containers_are_removed),
        CASE(cut_off_after_any_action_it_ends_the_same),
    };
    arena_init(&arena, 64 * 1024 * 1024);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_done(&arena);
    return failed == 0 ? 0 : 1;
}
