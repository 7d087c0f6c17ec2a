// SPDX-License-Identifier: Apache-2.0
#include "agent/workload/act.h"

#include "agent/engine/engine_fixture.h"
#include "agent/workload/workload_fixture.h"
#include "test.h"

#include <stdlib.h>

#define DEVICE S("device_01jdfq3t5hefbv1nq5a3x4k2zr")
#define LABELS_OF(device, application)                            \
    "{\"io.muster.managed\":\"true\",\"io.muster.format\":\"1\"," \
    "\"io.muster.device\":\"" device "\",\"io.muster.application\":\"" application "\"}"
#define OWN(application) LABELS_OF("device_01jdfq3t5hefbv1nq5a3x4k2zr", application)
#define IMAGE_PATH "/v1.43/images/r/web" DIGEST "/json"

typedef struct Fixture {
    FakeEngine *fake;
    Engine *engine;
    World world;
    Workloads workloads;
    Reason said;
} Fixture;

static int setup(void **test_state) {
    Fixture *f = calloc(1, sizeof(*f));
    arena_init(&arena, 16 * 1024 * 1024);
    f->fake = fake_start(NULL, 0);
    *test_state = f;
    return engine_open(f->fake->path, -1, &f->engine).code == OK ? 0 : -1;
}

static int teardown(void **test_state) {
    Fixture *f = *test_state;
    engine_close(f->engine);
    fake_stop(f->fake);
    arena_done(&arena);
    free(f);
    return 0;
}

#define ANSWERS(...)                                   \
    Fixture *f = *test_state;                          \
    static const FakeAnswer answers[] = {__VA_ARGS__}; \
    fake_change(f->fake, answers, sizeof(answers) / sizeof(answers[0]))

/// Perform an action for the only service of "shop".
static Err act_for(Fixture *f, Service service, ActionKind kind) {
    aim(&f->world, 1, &service, 1);
    f->workloads = (Workloads){.generation = 1, .items = &f->world.workload, .count = 1};
    Action action = {.kind = kind, .container = S("c1")};
    return act_perform(f->engine, DEVICE, &f->workloads, &action, &arena, &f->said);
}

TEST(an_image_that_is_here_is_not_pulled) {
    ANSWERS({"GET " IMAGE_PATH, 200, "{}"});
    CHECK_OK(act_for(f, service_of("web", "1"), ACTION_PULL));
    CHECK(fake_heard(f->fake, "POST ") == 0);
}

TEST(an_image_that_is_not_here_is_pulled_and_looked_for) {
    ANSWERS({"POST /v1.43/images/create", 200, "{}\n"},
            {"GET " IMAGE_PATH, 200, "{}", .after = "POST /v1.43/images/create"});
    CHECK_OK(act_for(f, service_of("web", "1"), ACTION_PULL));
    CHECK(fake_heard(f->fake, "GET " IMAGE_PATH) == 2);
}

TEST(a_pull_that_ends_without_the_image_is_a_failure) {
    ANSWERS({"POST /v1.43/images/create", 200, "{}\n"});
    Err err = act_for(f, service_of("web", "1"), ACTION_PULL);
    CHECK_ERR(err, ERR_STATE);
    CHECK_STR(str_from(err.what), S("the pull ended without the image"));
}

TEST(a_container_is_created_in_the_network_of_its_application) {
    ANSWERS({"POST /v1.43/networks/create", 201, "{}"},
            {"POST /v1.43/containers/create", 201, "{}"});
    CHECK_OK(act_for(f, with_store(service_of("web", "1"), "data"), ACTION_CREATE));
    CHECK(fake_was_told(f->fake, "POST /v1.43/networks/create", "\"Name\":\"shop_default\""));
    CHECK(fake_heard(f->fake, "GET /v1.43/volumes/shop_data ") == 1);
    const char *create = "POST /v1.43/containers/create?name=shop.web.";
    CHECK(fake_was_told(f->fake, create, "\"Image\":\"r/web" DIGEST "\""));
    CHECK(fake_was_told(f->fake, create, "\"VERSION=1\""));
    CHECK(fake_was_told(f->fake, create, "\"NetworkMode\":\"shop_default\""));
    CHECK(fake_was_told(f->fake, create, f->world.workload.tries[0].config.ptr));
}

TEST(nothing_is_created_beside_a_volume_of_somebody_else) {
    ANSWERS({"POST /v1.43/networks/create", 201, "{}"},
            {"GET /v1.43/volumes/shop_data", 200, "{\"Labels\":{}}"});
    Err err = act_for(f, with_store(service_of("web", "1"), "data"), ACTION_CREATE);
    CHECK_ERR(err, ERR_CONFLICT);
    CHECK_SAID(f->said, "the volume shop_data is there already");
    CHECK(fake_heard(f->fake, "POST /v1.43/containers/create") == 0);
}

TEST(a_path_of_the_host_is_no_volume_of_the_engine) {
    ANSWERS({"POST /v1.43/networks/create", 201, "{}"},
            {"POST /v1.43/containers/create", 201, "{}"});
    CHECK_OK(act_for(f, with_store(service_of("web", "1"), "/srv/data"), ACTION_CREATE));
    CHECK(fake_heard(f->fake, "GET /v1.43/volumes/") == 0);
}

TEST(a_name_that_is_taken_is_somebody_elses_container) {
    ANSWERS({"POST /v1.43/networks/create", 201, "{}"},
            {"POST /v1.43/containers/create", 409, "{\"message\":\"already in use\"}"});
    Err err = act_for(f, service_of("web", "1"), ACTION_CREATE);
    CHECK_ERR(err, ERR_CONFLICT);
    CHECK_STR(str_from(err.what), S("its name is of a container that is not this device's"));
    CHECK_STR(str_from(f->said.text), S("already in use"));
}

/// The service without the command of its image.
static Service cleared(Service service) {
    static Str none[1];
    service.command = (StrList){none, 0};
    return service;
}

TEST(a_command_is_cleared_beside_the_entrypoint_of_the_image) {
    ANSWERS({"POST /v1.43/networks/create", 201, "{}"},
            {"GET " IMAGE_PATH, 200, "{\"Config\":{\"Entrypoint\":[\"/init\"]}}"},
            {"POST /v1.43/containers/create", 201, "{}"});
    CHECK_OK(act_for(f, cleared(service_of("web", "1")), ACTION_CREATE));
    CHECK(fake_was_told(f->fake, "POST /v1.43/containers/create", "\"Entrypoint\":[\"/init\"]"));
}

TEST(where_nothing_is_left_to_run_nothing_is_created) {
    ANSWERS({"POST /v1.43/networks/create", 201, "{}"},
            {"GET " IMAGE_PATH, 200, "{\"Config\":{\"Entrypoint\":null}}"});
    Err err = act_for(f, cleared(service_of("web", "1")), ACTION_CREATE);
    CHECK_ERR(err, ERR_INVALID);
    CHECK(strstr(err.what, "nothing is left to run"));
    CHECK(fake_heard(f->fake, "POST /v1.43/containers/create") == 0);
}

TEST(a_start_makes_good_the_network_first) {
    ANSWERS({"GET /v1.43/networks/shop_default", 200, "{\"Labels\":" OWN("shop") "}"},
            {"POST /v1.43/containers/c1/start", 204, NULL});
    CHECK_OK(act_for(f, service_of("web", "1"), ACTION_START));
    CHECK(fake_heard(f->fake, "GET /v1.43/networks/shop_default") == 1);
    CHECK(fake_heard(f->fake, "POST /v1.43/containers/c1/start") == 1);
}

TEST(each_other_action_is_one_request) {
    static const struct {
        ActionKind kind;
        const char *name, *request;
    } rows[] = {
        {ACTION_RESTART, "restart", "POST /v1.43/containers/c1/restart?t=10 " },
        {ACTION_STOP,    "stop",    "POST /v1.43/containers/c1/stop?t=10 "    },
        {ACTION_REMOVE,  "remove",  "DELETE /v1.43/containers/c1?v=1&force=1 "},
    };
    ANSWERS({"POST ", 204, NULL}, {"DELETE ", 204, NULL});
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CHECK_OK(act_for(f, service_of("web", "1"), rows[i].kind));
        CHECK(fake_heard(f->fake, rows[i].request) == 1);
        CHECK_STR(str_from(act_name(rows[i].kind)), str_from(rows[i].name));
    }
    CHECK_OK(act_for(f, service_of("web", "1"), ACTION_WAIT));
    CHECK(fake_heard(f->fake, "") == 4); // the three, and who the engine is
}

TEST(what_no_application_wants_is_removed_without_one) {
    ANSWERS({"DELETE /v1.43/containers/c1", 204, NULL});
    Action action = {.kind = ACTION_REMOVE, .container = S("c1")};
    Workloads none = {.generation = 1};
    CHECK_OK(act_perform(f->engine, DEVICE, &none, &action, &arena, &f->said));
    CHECK(fake_heard(f->fake, "DELETE /v1.43/containers/c1") == 1);
}

TEST(networks_of_applications_that_are_not_wanted_are_swept_and_no_others) {
    ANSWERS({"GET /v1.43/networks?filters",
             200,
             "[{\"Id\":\"n1\",\"Name\":\"shop_default\",\"Labels\":" OWN(
                 "shop") "},"
                         "{\"Id\":\"n2\",\"Name\":\"till_default\",\"Labels\":" OWN(
                             "till") "},"
                                     "{\"Id\":\"n3\",\"Name\":\"bridge\",\"Labels\":{}},"
                                     "{\"Id\":\"n4\",\"Name\":\"x\",\"Labels\":" LABELS_OF(
                                         "device_x", "till") "}]"},
            {"DELETE ", 204, NULL});
    Service web = service_of("web", "1");
    aim(&f->world, 1, &web, 1);
    f->workloads = (Workloads){.generation = 1, .items = &f->world.workload, .count = 1};
    CHECK_OK(act_sweep(f->engine, DEVICE, &f->workloads, &arena, &f->said));
    CHECK(fake_heard(f->fake, "DELETE ") == 1);
    CHECK(fake_heard(f->fake, "DELETE /v1.43/networks/n2 ") == 1);
}

TEST(a_network_that_is_in_use_is_told) {
    ANSWERS({"GET /v1.43/networks?filters", 200, "[{\"Id\":\"n2\",\"Labels\":" OWN("till") "}]"},
            {"DELETE ", 500, "{\"message\":\"has active endpoints\"}"});
    Workloads none = {.generation = 1};
    CHECK_ERR(act_sweep(f->engine, DEVICE, &none, &arena, &f->said), ERR_STATE);
    CHECK_STR(str_from(f->said.text), S("has active endpoints"));
}

#define CASE_HERE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
TEST_MAIN(CASE_HERE(an_image_that_is_here_is_not_pulled),
          CASE_HERE(an_image_that_is_not_here_is_pulled_and_looked_for),
          CASE_HERE(a_pull_that_ends_without_the_image_is_a_failure),
          CASE_HERE(a_container_is_created_in_the_network_of_its_application),
          CASE_HERE(nothing_is_created_beside_a_volume_of_somebody_else),
          CASE_HERE(a_path_of_the_host_is_no_volume_of_the_engine),
          CASE_HERE(a_name_that_is_taken_is_somebody_elses_container),
          CASE_HERE(a_command_is_cleared_beside_the_entrypoint_of_the_image),
          CASE_HERE(where_nothing_is_left_to_run_nothing_is_created),
          CASE_HERE(a_start_makes_good_the_network_first),
          CASE_HERE(each_other_action_is_one_request),
          CASE_HERE(what_no_application_wants_is_removed_without_one),
          CASE_HERE(networks_of_applications_that_are_not_wanted_are_swept_and_no_others),
          CASE_HERE(a_network_that_is_in_use_is_told))
