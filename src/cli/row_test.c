// SPDX-License-Identifier: Apache-2.0
// Verbs that are one call: what of the command line goes where.
#include "base/scope.h"
#include "cli/cli.h"
#include "cli/cli_fixture.h"
#include "test.h"

#include <stdlib.h>

enum { LATER_MS = 600'000 };

#define OPERATOR JSON("{\"id\":\"operator_" UUID "\",\"name\":\"ann\",\"role\":\"owner\"}")
#define DEVICE(name) "{\"id\":\"device_" UUID "\",\"name\":\"" name "\"}"
#define FLEET(name) "{\"id\":\"fleet_" UUID "\",\"name\":\"" name "\"}"

/// The body of the peer's `at`-th request.
static Str body_of(const World *world, size_t at) {
    const char *end = strstr(world->peer.requests[at], "\r\n\r\n");
    CHECK(end);
    return str_from(end + 4);
}

TEST(what_is_made_has_the_given_fields_and_its_secret_from_a_file) {
    World world;
    WORLD_OPEN(&world, OPERATOR);
    world_sign_in(&world, LATER_MS);
    const char *file = world_file(&world, "password", "long enough for all\n");
    SCOPED(run_done)
    Run result = RUN(
        "muster", "operator", "create", "--name", "ann", "--role=owner", "--password-file", file);
    CHECK(result.code == 0 && strstr(result.out, "ann"));
    CHECK(!strstr(result.out, "long enough"));
    world_close(&world);
    CHECK(str_starts(str_from(world.peer.requests[0]), S("POST /v1/operators HTTP/1.1\r\n")));
    CHECK_STR(body_of(&world, 0),
              S("{\"name\":\"ann\",\"role\":\"owner\",\"password\":\"long enough for all\"}"));
}

TEST(a_secret_that_must_be_given_comes_from_the_environment_too) {
    World world;
    WORLD_OPEN(&world, OPERATOR);
    world_sign_in(&world, LATER_MS);
    setenv("MUSTER_PASSWORD", "from the environment", 1);
    SCOPED(run_done) Run result = RUN("muster", "operator", "create", "--name", "ann");
    CHECK(result.code == 0);
    world_close(&world);
    CHECK(str_ends(body_of(&world, 0), S("\"password\":\"from the environment\"}")));
}

TEST(a_change_has_only_what_was_given) {
    World world;
    WORLD_OPEN(&world, OPERATOR);
    world_sign_in(&world, LATER_MS);
    setenv("MUSTER_PASSWORD", "not asked for here", 1);
    SCOPED(run_done)
    Run result = RUN("muster", "operator", "update", "operator_" UUID, "--role", "viewer");
    CHECK(result.code == 0);
    world_close(&world);
    CHECK(
        str_starts(str_from(world.peer.requests[0]), S("PATCH /v1/operators/operator_" UUID " ")));
    CHECK_STR(body_of(&world, 0), S("{\"role\":\"viewer\"}"));
}

TEST(a_change_names_a_fleet_and_the_keys_of_a_map) {
    World world;
    WORLD_OPEN(&world,
               JSON("{\"items\":[" DEVICE("cam") "]}"),
               JSON("{\"items\":[" FLEET("edge") "]}"),
               JSON(DEVICE("cam")));
    world_sign_in(&world, LATER_MS);
    SCOPED(run_done)
    Run result = RUN("muster",
                     "device",
                     "update",
                     "cam",
                     "--fleet",
                     "edge",
                     "--labels.site=north",
                     "--labels.row",
                     "7");
    CHECK(result.code == 0);
    world_close(&world);
    Str body = body_of(&world, 2);
    CHECK(str_index(body, '{', 0) == 0);
    CHECK(strstr(body.ptr, "\"fleet_id\":\"fleet_" UUID "\""));
    CHECK(strstr(body.ptr, "\"labels\":{\"row\":\"7\",\"site\":\"north\"}")
          || strstr(body.ptr, "\"labels\":{\"site\":\"north\",\"row\":\"7\"}"));
}

TEST(a_filter_by_a_name_asks_for_its_id) {
    World world;
    WORLD_OPEN(&world, JSON("{\"items\":[" FLEET("edge") "]}"), JSON("{\"items\":[]}"));
    world_sign_in(&world, LATER_MS);
    SCOPED(run_done) Run result = RUN("muster", "device", "list", "--fleet", "edge");
    CHECK(result.code == 0);
    world_close(&world);
    CHECK(strstr(world.peer.requests[1], "GET /v1/devices?fleet_id=fleet_" UUID "&limit=200 "));
}

TEST(what_is_removed_is_not_shown) {
    World world;
    WORLD_OPEN(&world, ANSWER("204 No Content", "text/plain", ""));
    world_sign_in(&world, LATER_MS);
    SCOPED(run_done) Run result = RUN("muster", "fleet", "delete", "fleet_" UUID);
    CHECK(result.code == 0 && result.out[0] == '\0' && result.err[0] == '\0');
    world_close(&world);
    CHECK(str_starts(str_from(world.peer.requests[0]), S("DELETE /v1/fleets/fleet_" UUID " ")));
    CHECK(body_of(&world, 0).len == 0);
}

TEST(input_that_is_not_allowed_is_refused_here) {
    World world;
    world_open(&world, NULL, 0);
    world_sign_in(&world, LATER_MS);
    SCOPED(run_done) Run nothing = RUN("muster", "fleet", "update", "fleet_" UUID);
    CHECK(nothing.code == EXIT_USAGE);
    CHECK_STR(str_from(nothing.err), S("muster: nothing to change is given\n"));
    SCOPED(run_done) Run missing = RUN("muster", "fleet", "create");
    CHECK(missing.code == EXIT_INVALID);
    CHECK(strstr(missing.err, "muster: the input is not what is allowed here\nmuster:   "));
    SCOPED(run_done) Run wrong = RUN("muster", "fleet", "create", "--name", "No Slug");
    CHECK(wrong.code == EXIT_INVALID && strstr(wrong.err, "name"));
    CHECK(wrong.out[0] == '\0');
    world_close(&world);
}

TEST_MAIN(CASE(what_is_made_has_the_given_fields_and_its_secret_from_a_file),
          CASE(a_secret_that_must_be_given_comes_from_the_environment_too),
          CASE(a_change_has_only_what_was_given),
          CASE(a_change_names_a_fleet_and_the_keys_of_a_map),
          CASE(a_filter_by_a_name_asks_for_its_id),
          CASE(what_is_removed_is_not_shown),
          CASE(input_that_is_not_allowed_is_refused_here))
