// SPDX-License-Identifier: Apache-2.0
#include "agent/workload/workload_fixture.h"

#include "test.h"

TEST(nothing_of_an_application_that_is_not_acted_on_is_touched) {
    World world = {};
    world.workload.refused = (Refused){
        .name = S("shop"),
        .serial = 7,
        .refusal = refusal_make(REFUSED_NEEDS_ABILITY, S("too old")),
    };
    world.seen.items = world.items;
    world.seen.count = 1;
    world.items[0] = (Seen){.id = S("x"), .service = S("web"), .state = CONTAINER_RUNNING};
    CHECK(next(&world).kind == ACTION_WAIT);
    ApplicationReport told = report(&world);
    CHECK(told.state == WORKLOAD_FAILED && told.serial == 7);
    CHECK(refusal_is(&told.refusal, REFUSED_NEEDS_ABILITY));
    CHECK_STR(told.detail, S("too old"));
}

TEST(every_image_is_there_before_anything_is_created) {
    World world = {};
    Service services[] = {service_of("web", "1"), service_of("db", "1")};
    aim(&world, 1, services, 2);
    CHECK(report(&world).state == WORKLOAD_PULLING);
    expect(&world, ACTION_PULL);
    expect(&world, ACTION_PULL);
    CHECK(report(&world).state == WORKLOAD_STARTING);
    expect(&world, ACTION_CREATE);
    expect(&world, ACTION_START);
    expect(&world, ACTION_CREATE);
    expect(&world, ACTION_START);
    CHECK(report(&world).state == WORKLOAD_STARTING);
    settle(&world);
    CHECK(report(&world).state == WORKLOAD_RUNNING);
    CHECK(report(&world).services.count == 2);
    CHECK(report(&world).serial == 1);
}

TEST(what_others_depend_on_starts_first_and_is_healthy_before_they_start) {
    World world = {};
    Service services[] = {with_need(service_of("web", "1"), "db", DEPENDS_HEALTHY),
                          service_of("db", "1")};
    aim(&world, 1, services, 2);
    expect(&world, ACTION_PULL);
    expect(&world, ACTION_PULL);
    CHECK(expect(&world, ACTION_CREATE).service == 1);
    expect(&world, ACTION_START);
    container_of(&world, "db")->health = HEALTH_STARTING;
    CHECK(next(&world).kind == ACTION_WAIT);
    container_of(&world, "db")->health = HEALTH_HEALTHY;
    CHECK(expect(&world, ACTION_CREATE).service == 0);
}

TEST(a_container_of_the_same_configuration_is_adopted) {
    World world = {};
    Service services[] = {service_of("web", "1")};
    aim(&world, 1, services, 1);
    settle(&world);
    Str id = world.items[0].id;
    // The agent starts anew, and a later release has the same service.
    world.workload = (Workload){};
    aim(&world, 2, services, 1);
    settle(&world);
    CHECK(world.seen.count == 1);
    CHECK_STR(world.items[0].id, id);
    CHECK(report(&world).state == WORKLOAD_RUNNING);
    CHECK(report(&world).serial == 2);
}

TEST(a_changed_service_is_replaced_and_the_others_are_left_alone) {
    World world = {};
    Service first[] = {service_of("web", "1"), service_of("db", "1")};
    aim(&world, 1, first, 2);
    settle(&world);
    Str db = container_of(&world, "db")->id;
    Str web = container_of(&world, "web")->id;
    Service second[] = {service_of("web", "2"), service_of("db", "1")};
    aim(&world, 2, second, 2);
    expect(&world, ACTION_PULL);
    expect(&world, ACTION_CREATE);
    expect(&world, ACTION_START);
    CHECK(seen_at(&world, web)->state == CONTAINER_RUNNING); // until the new one is up
    settle(&world);
    CHECK(world.seen.count == 2);
    CHECK_STR(container_of(&world, "db")->id, db);
    CHECK(!str_eq(container_of(&world, "web")->id, web));
}

TEST(a_port_is_freed_just_before_its_successor_starts) {
    World world = {};
    Service first[] = {with_port(service_of("web", "1"), 8080)};
    aim(&world, 1, first, 1);
    settle(&world);
    Service second[] = {with_port(service_of("web", "2"), 8080)};
    aim(&world, 2, second, 1);
    expect(&world, ACTION_PULL);
    expect(&world, ACTION_CREATE);
    expect(&world, ACTION_STOP);
    expect(&world, ACTION_START);
    CHECK(next(&world).kind == ACTION_WAIT); // the old one is kept until the new one is up
    settle(&world);
    CHECK(world.seen.count == 1);
}

TEST(ports_that_services_swap_are_freed_too) {
    World world = {};
    Service first[] = {with_port(service_of("a", "1"), 1), with_port(service_of("b", "1"), 2)};
    aim(&world, 1, first, 2);
    settle(&world);
    Service second[] = {with_port(service_of("a", "1"), 2), with_port(service_of("b", "1"), 1)};
    aim(&world, 2, second, 2);
    settle(&world);
    CHECK(world.seen.count == 2);
    CHECK(report(&world).state == WORKLOAD_RUNNING);
}

TEST(two_writers_never_meet_on_a_volume) {
    World world = {};
    Service first[] = {with_store(service_of("db", "1"), "data")};
    aim(&world, 1, first, 1);
    settle(&world);
    Service second[] = {with_store(service_of("db", "2"), "data")};
    aim(&world, 2, second, 1);
    expect(&world, ACTION_PULL);
    expect(&world, ACTION_CREATE);
    expect(&world, ACTION_STOP);
    expect(&world, ACTION_START);
}

TEST(what_no_service_wants_goes_after_the_rest_is_up) {
    World world = {};
    Service first[] = {service_of("web", "1"), service_of("db", "1")};
    aim(&world, 1, first, 2);
    settle(&world);
    Service second[] = {service_of("web", "2")};
    aim(&world, 2, second, 1);
    for (int i = 0; i < 4; i++) {
        Action action = next(&world);
        CHECK(action.kind != ACTION_REMOVE);
        did(&world, &action);
    }
    CHECK(container_of(&world, "db") != NULL);
    settle(&world);
    CHECK(container_of(&world, "db") == NULL);
    CHECK(world.seen.count == 1);
}

TEST(a_name_that_a_leftover_holds_is_freed) {
    World world = {};
    Service services[] = {service_of("web", "1")};
    aim(&world, 1, services, 1);
    // Two identities of one service that begin with the same digits.
    world.items[0] = (Seen){
        .id = S("old"),
        .application = S("shop"),
        .service = S("web"),
        .config = str_print(&arena, "%.6sffff", world.workload.tries[0].config.ptr),
        .state = CONTAINER_RUNNING,
    };
    world.seen.count = 1;
    expect(&world, ACTION_PULL);
    CHECK_STR(expect(&world, ACTION_REMOVE).container, S("old"));
    expect(&world, ACTION_CREATE);
    settle(&world);
    CHECK(world.seen.count == 1);
}

TEST(a_refused_successor_is_told_while_what_ran_before_runs_on) {
    World world = {};
    Service services[] = {service_of("web", "1")};
    aim(&world, 1, services, 1);
    settle(&world);
    world.workload.refused = (Refused){
        .name = S("shop"),
        .serial = 2,
        .refusal = refusal_make(REFUSED_DOCUMENT_INVALID, S("no good")),
    };
    ApplicationReport told = report(&world);
    CHECK(told.serial == 1 && told.services.count == 1);
    CHECK(told.state == WORKLOAD_FAILED && refusal_is(&told.refusal, REFUSED_DOCUMENT_INVALID));
    CHECK(next(&world).kind == ACTION_WAIT);
    CHECK(world.items[0].state == CONTAINER_RUNNING);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(nothing_of_an_application_that_is_not_acted_on_is_touched),
        CASE(every_image_is_there_before_anything_is_created),
        CASE(what_others_depend_on_starts_first_and_is_healthy_before_they_start),
        CASE(a_container_of_the_same_configuration_is_adopted),
        CASE(a_changed_service_is_replaced_and_the_others_are_left_alone),
        CASE(a_port_is_freed_just_before_its_successor_starts),
        CASE(ports_that_services_swap_are_freed_too),
        CASE(two_writers_never_meet_on_a_volume),
        CASE(what_no_service_wants_goes_after_the_rest_is_up),
        CASE(a_name_that_a_leftover_holds_is_freed),
        CASE(a_refused_successor_is_told_while_what_ran_before_runs_on),
    };
    arena_init(&arena, 64 * 1024 * 1024);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_done(&arena);
    return failed == 0 ? 0 : 1;
}
