// SPDX-License-Identifier: Apache-2.0
#include "agent/workload.h"

#include "base/jws.h"
#include "test.h"

#include <string.h>

static Arena arena;

#define DIGEST "@sha256:0000000000000000000000000000000000000000000000000000000000000001"
#define NOW 1'000'000

/// A world of one engine: actions are performed on it as the engine would.
typedef struct World {
    Workload workload;
    Seen items[WORKLOAD_SEEN_MAX];
    SeenList seen;
    uint64_t now_ms;
    unsigned made;
} World;

static Desired desired_of(uint64_t version, const Manifest *manifest) {
    Desired desired = {.version = version, .release_id = id_new(S("release"), version)};
    CHECK_OK(manifest_seal(manifest, &arena, &desired.manifest.text, &desired.digest));
    return desired;
}

static void aim(World *world, uint64_t version, Service *services, size_t count) {
    Manifest *manifest = ARENA_NEW(&arena, Manifest);
    Desired *desired = ARENA_NEW(&arena, Desired);
    Manifest given = {
        .services = {services, count}
    };
    if (count > 0) *desired = desired_of(version, &given);
    desired->version = version;
    CHECK_OK(desired_check(desired, &arena, manifest));
    CHECK_OK(workload_aim(desired, manifest, false, 1, &arena, &world->workload));
    world->seen.items = world->items;
    if (world->now_ms == 0) world->now_ms = NOW;
}

static Service service_of(const char *name, const char *version) {
    StrPair *pair = ARENA_NEW(&arena, StrPair);
    *pair = (StrPair){S("VERSION"), str_from(version)};
    return (Service){
        .name = str_from(name),
        .image = str_print(&arena, "r/%s" DIGEST, name),
        .environment = {pair, 1},
    };
}

static Service with_port(Service service, uint64_t host) {
    Port *port = ARENA_NEW(&arena, Port);
    *port = (Port){.host = host, .container = 80};
    service.ports = (PortList){port, 1};
    return service;
}

static Service with_store(Service service, const char *name) {
    Volume *volume = ARENA_NEW(&arena, Volume);
    *volume = (Volume){.source = str_from(name), .target = S("/data")};
    service.volumes = (VolumeList){volume, 1};
    return service;
}

static Service with_need(Service service, const char *name, DependsOn condition) {
    Dependency *need = ARENA_NEW(&arena, Dependency);
    *need = (Dependency){str_from(name), condition};
    service.depends_on = (DependencyList){need, 1};
    return service;
}

static Seen *seen_at(World *world, Str id) {
    for (size_t i = 0; i < world->seen.count; i++)
        if (str_eq(world->items[i].id, id)) return &world->items[i];
    fail_msg("no container %.*s", STR_FMT(id));
    return NULL;
}

static Seen *container_of(World *world, const char *name) {
    for (size_t i = 0; i < world->seen.count; i++)
        if (str_eq(world->items[i].name, str_from(name))) return &world->items[i];
    return NULL;
}

static Action next(World *world) {
    return workload_step(&world->workload, &world->seen, world->now_ms);
}

static void started(World *world, Seen *seen) {
    seen->state = CONTAINER_RUNNING;
    seen->started_at = str_print(&arena, "start %u", world->made++);
}

static void perform(World *world, const Action *action) {
    const Service *service = &world->workload.manifest.services.items[action->service];
    Seen *seen = action->container.ptr ? seen_at(world, action->container) : NULL;
    switch (action->kind) {
    case ACTION_PULL:
    case ACTION_WAIT:
        break;
    case ACTION_RENAME:
        seen->name = str_print(&arena, "%.*s-%.*s", STR_FMT(seen->name), STR_FMT(seen->id));
        break;
    case ACTION_CREATE:
        world->items[world->seen.count++] = (Seen){
            .id = str_print(&arena, "c%u", world->made++),
            .name = str_print(&arena, "muster-%.*s", STR_FMT(service->name)),
            .service = service->name,
            .config = world->workload.tries[action->service].config,
            .image = service->image,
            .state = CONTAINER_CREATED,
        };
        break;
    case ACTION_START:
    case ACTION_RESTART:
        started(world, seen);
        seen->ports = service->ports.items;
        seen->port_count = service->ports.count;
        if (service->volumes.count) {
            seen->stores = (StrList){ARENA_NEW(&arena, Str), 1};
            seen->stores.items[0] = service->volumes.items[0].source;
        }
        break;
    case ACTION_STOP:
        seen->state = CONTAINER_EXITED;
        seen->port_count = 0;
        break;
    case ACTION_REMOVE:
        *seen = world->items[--world->seen.count];
        break;
    }
}

static void did(World *world, const Action *action) {
    perform(world, action);
    workload_did(&world->workload, action, SUCCESS, (Str){}, world->now_ms);
}

static void refused(World *world, const Action *action, Str reason) {
    workload_did(&world->workload, action, FAIL(ERR_STATE, "refused"), reason, world->now_ms);
}

static Action expect(World *world, ActionKind kind) {
    Action action = next(world);
    if (action.kind != kind) fail_msg("action %d, not %d", action.kind, kind);
    did(world, &action);
    return action;
}

/// Perform until there is nothing to do but wait for something that never comes.
static void settle(World *world) {
    for (int i = 0; i < 200; i++) {
        Action action = next(world);
        if (action.kind == ACTION_WAIT) {
            if (action.until_ms == UINT64_MAX) return;
            world->now_ms = action.until_ms;
            continue;
        }
        did(world, &action);
    }
    fail_msg("it does not settle");
}

static Reported report(World *world) {
    Reported reported;
    CHECK_OK(workload_report(&world->workload, &world->seen, &arena, &reported));
    return reported;
}

TEST(without_a_desired_state_nothing_is_touched) {
    World world = {};
    world.seen.items = world.items;
    world.seen.count = 1;
    world.items[0] = (Seen){.id = S("x"), .service = S("web"), .state = CONTAINER_RUNNING};
    CHECK(next(&world).kind == ACTION_WAIT);
    CHECK(report(&world).state == WORKLOAD_NONE);
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
    CHECK(report(&world).version == 1);
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
    container_of(&world, "muster-db")->health = HEALTH_STARTING;
    CHECK(next(&world).kind == ACTION_WAIT);
    container_of(&world, "muster-db")->health = HEALTH_HEALTHY;
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
    CHECK(report(&world).version == 2);
}

TEST(a_changed_service_is_replaced_and_the_others_are_left_alone) {
    World world = {};
    Service first[] = {service_of("web", "1"), service_of("db", "1")};
    aim(&world, 1, first, 2);
    settle(&world);
    Str db = container_of(&world, "muster-db")->id;
    Str web = container_of(&world, "muster-web")->id;
    Service second[] = {service_of("web", "2"), service_of("db", "1")};
    aim(&world, 2, second, 2);
    expect(&world, ACTION_PULL);
    expect(&world, ACTION_RENAME);
    expect(&world, ACTION_CREATE);
    expect(&world, ACTION_START);
    CHECK(seen_at(&world, web)->state == CONTAINER_RUNNING); // until the new one is up
    settle(&world);
    CHECK(world.seen.count == 2);
    CHECK_STR(container_of(&world, "muster-db")->id, db);
    CHECK(!str_eq(container_of(&world, "muster-web")->id, web));
}

TEST(a_port_is_freed_just_before_its_successor_starts) {
    World world = {};
    Service first[] = {with_port(service_of("web", "1"), 8080)};
    aim(&world, 1, first, 1);
    settle(&world);
    Service second[] = {with_port(service_of("web", "2"), 8080)};
    aim(&world, 2, second, 1);
    expect(&world, ACTION_PULL);
    expect(&world, ACTION_RENAME);
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
    expect(&world, ACTION_RENAME);
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
    CHECK(container_of(&world, "muster-db") != NULL);
    settle(&world);
    CHECK(container_of(&world, "muster-db") == NULL);
    CHECK(world.seen.count == 1);
}

TEST(an_empty_desired_state_removes_everything) {
    World world = {};
    Service services[] = {service_of("web", "1")};
    aim(&world, 1, services, 1);
    settle(&world);
    aim(&world, 2, NULL, 0);
    settle(&world);
    CHECK(world.seen.count == 0);
    CHECK(report(&world).state == WORKLOAD_RUNNING);
    CHECK(report(&world).version == 2);
}

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
    for (int i = 0; i < 4; i++) {
        Action action = next(&world);
        did(&world, &action);
    }
    container_of(&world, "muster-web")->health = HEALTH_UNHEALTHY;
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
    container_of(&world, "muster-web")->health = HEALTH_STARTING;
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
        CHECK(container_of(&world, "muster-web")->state == CONTAINER_RUNNING);
    }
}

TEST(a_desired_state_that_is_not_what_it_says_is_refused) {
    Service services[] = {service_of("web", "1")};
    Manifest manifest = {
        .services = {services, 1}
    };
    Desired desired = desired_of(3, &manifest);
    Manifest read;
    CHECK_OK(desired_check(&desired, &arena, &read));
    Desired other = desired;
    other.digest = S("sha256:0000000000000000000000000000000000000000000000000000000000000000");
    CHECK_ERR(desired_check(&other, &arena, &read), ERR_INVALID);
    other = desired;
    other.manifest.text = S("{\"services\":[{\"name\":\"web\",\"image\":\"web:latest\"}]}");
    other.digest =
        str_print(&arena, "sha256:%.*s", STR_FMT(sha256_hex(&arena, other.manifest.text)));
    CHECK_ERR(desired_check(&other, &arena, &read), ERR_INVALID); // not by digest
    other = desired;
    other.manifest = (Json){};
    CHECK_ERR(desired_check(&other, &arena, &read), ERR_INVALID);
    other.release_id = (Id){};
    CHECK_OK(desired_check(&other, &arena, &read));
    CHECK(read.services.count == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(without_a_desired_state_nothing_is_touched),
        CASE(every_image_is_there_before_anything_is_created),
        CASE(what_others_depend_on_starts_first_and_is_healthy_before_they_start),
        CASE(a_container_of_the_same_configuration_is_adopted),
        CASE(a_changed_service_is_replaced_and_the_others_are_left_alone),
        CASE(a_port_is_freed_just_before_its_successor_starts),
        CASE(ports_that_services_swap_are_freed_too),
        CASE(two_writers_never_meet_on_a_volume),
        CASE(what_no_service_wants_goes_after_the_rest_is_up),
        CASE(an_empty_desired_state_removes_everything),
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
        CASE(a_desired_state_that_is_not_what_it_says_is_refused),
    };
    arena_init(&arena, 64 * 1024 * 1024);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_done(&arena);
    return failed == 0 ? 0 : 1;
}
