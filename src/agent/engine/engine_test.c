// SPDX-License-Identifier: Apache-2.0
#include "agent/engine/engine.h"

#include "agent/engine/engine_fixture.h"
#include "base/scope.h"
#include "test.h"

#include <stdlib.h>
#include <unistd.h>

#define DEVICE S("device_01jdfq3t5hefbv1nq5a3x4k2zr")
#define OWN_LABELS                                                           \
    "{\"io.muster.managed\":\"true\",\"io.muster.format\":\"1\","            \
    "\"io.muster.device\":\"device_01jdfq3t5hefbv1nq5a3x4k2zr\",\"io.muster" \
    ".application\":\"shop\"}"
#define NEWER_LABELS                                                         \
    "{\"io.muster.managed\":\"true\",\"io.muster.format\":\"2\","            \
    "\"io.muster.device\":\"device_01jdfq3t5hefbv1nq5a3x4k2zr\",\"io.muster" \
    ".application\":\"shop\"}"
#define IMAGE "r/web@sha256:00"
#define GONE "{\"message\":\"gone\"}"

static const LabelsOwner owner = {
    {"device_01jdfq3t5hefbv1nq5a3x4k2zr", 33},
    {"shop",                              4 }
};

typedef struct Fixture {
    FakeEngine *fake;
    Engine *engine;
    Arena arena;
    Reason said;
    int cancel[2];
} Fixture;

static int setup(void **test_state) {
    Fixture *fixture = calloc(1, sizeof(*fixture));
    arena_init(&fixture->arena, 16 * 1024 * 1024);
    fixture->fake = fake_start(NULL, 0);
    if (pipe(fixture->cancel) != 0) return -1;
    *test_state = fixture;
    return engine_open(fixture->fake->path, fixture->cancel[0], &fixture->engine).code == OK ? 0
                                                                                             : -1;
}

static int teardown(void **test_state) {
    Fixture *fixture = *test_state;
    engine_close(fixture->engine);
    fake_stop(fixture->fake);
    arena_done(&fixture->arena);
    close(fixture->cancel[0]);
    close(fixture->cancel[1]);
    free(fixture);
    return 0;
}

#define ANSWERS(...)                                   \
    Fixture *f = *test_state;                          \
    static const FakeAnswer answers[] = {__VA_ARGS__}; \
    fake_change(f->fake, answers, sizeof(answers) / sizeof(answers[0]))

static Err version_of(Fixture *f, const char *body) {
    FakeAnswer answer = {"GET /version", 200, body, false, NULL};
    EngineVersion version;
    fake_change(f->fake, &answer, 1);
    reason_clear(&f->said);
    Err err = engine_version(f->engine, &f->arena, &version, &f->said);
    fake_change(f->fake, NULL, 0);
    return err;
}

static void speaks(Fixture *f, const char *version, const char *request) {
    CHECK_OK(version_of(f, version));
    bool is_here = true;
    CHECK_OK(engine_image_find(f->engine, S(IMAGE), &is_here, NULL));
    CHECK(!is_here);
    CHECK(fake_heard(f->fake, request) == 1);
}

TEST(an_engine_is_spoken_to_in_the_newest_version_that_both_know) {
    Fixture *f = *test_state;
    speaks(f, "{\"ApiVersion\":\"1.52\",\"MinAPIVersion\":\"1.24\"}", "GET /v1.43/images/");
    speaks(f, "{\"ApiVersion\":\"1.9\"}", "GET /v1.9/images/");
    speaks(f, "{\"ApiVersion\":\"2.1\",\"MinAPIVersion\":\"1.44\"}", "GET /v1.44/images/");
}

TEST(an_engine_that_does_not_say_its_version_is_refused) {
    static const char *const wrong[] = {
        "{}",
        "{\"ApiVersion\":\"new\"}",
        "{\"ApiVersion\":\"1.x\"}",
        "{\"ApiVersion\":\"x.1\"}",
        "{\"ApiVersion\":\"1.0000000000000043\"}",
    };
    Fixture *f = *test_state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        Err err = version_of(f, wrong[i]);
        CHECK_ERR(err, ERR_INVALID);
        CHECK_STR(str_from(err.what), S("the engine does not say its API version"));
    }
    static const char *const senseless[] = {"{\"Version\":24}", "[]", "<html>", ""};
    for (size_t i = 0; i < sizeof(senseless) / sizeof(senseless[0]); i++) {
        Err err = version_of(f, senseless[i]);
        CHECK_ERR(err, ERR_INVALID);
        CHECK_STR(str_from(err.what), S("the engine's answer makes no sense"));
    }
}

TEST(every_container_of_the_device_is_looked_at_and_one_that_went_meanwhile_is_passed_over) {
    ANSWERS({"GET /v1.43/containers/json",
             200,
             "[{\"Id\":\"a\",\"Ports\":[{\"PublicPort\":80,\"Type\":\"tcp\"}]},{\"Id\":\"b\"},"
             "{\"Id\":\"c\",\"Names\":[\"unknown\"]}]"},
            {"GET /v1.43/containers/a/json",
             200,
             "{\"Id\":\"a\",\"State\":{\"Status\":\"running\"},\"Config\":{\"Image\":\"x\"}}"},
            {"GET /v1.43/containers/c/json",
             200,
             "{\"Id\":\"c\",\"State\":{\"Status\":\"exited\",\"ExitCode\":3},\"Config\":{}}"});
    EngineContainerList list;
    CHECK_OK(engine_containers(f->engine, DEVICE, &f->arena, &list, &f->said));
    CHECK(list.count == 2 && f->said.text[0] == '\0');
    CHECK_STR(list.items[0].Id, S("a"));
    CHECK(list.items[0].Ports.count == 1 && list.items[0].Ports.items[0].PublicPort == 80);
    CHECK_STR(list.items[1].Id, S("c"));
    CHECK(list.items[1].State.ExitCode == 3 && list.items[1].Ports.count == 0);
    CHECK(fake_was_told(f->fake,
                        "GET /v1.43/containers/json",
                        "all=1&filters=%7B%22label%22%3A%5B%22io.muster.managed%3Dtrue%22%2C%22"
                        "io.muster.device%3Ddevice_01jdfq3t5hefbv1nq5a3x4k2zr%22%5D%7D"));
}

TEST(what_is_not_of_the_kind_that_it_should_be_makes_no_sense) {
    ANSWERS({"GET /v1.43/containers/json", 200, "{}"});
    EngineContainerList list;
    CHECK_ERR(engine_containers(f->engine, DEVICE, &f->arena, &list, NULL), ERR_INVALID);
    static const FakeAnswer half[] = {
        {"GET /v1.43/containers/json",   200, "[{\"Id\":\"a\"}]", false, NULL},
        {"GET /v1.43/containers/a/json", 200, "{\"State\":7}",    false, NULL},
    };
    fake_change(f->fake, half, 2);
    CHECK_ERR(engine_containers(f->engine, DEVICE, &f->arena, &list, &f->said), ERR_INVALID);
    CHECK_SAID(f->said, "/State");
    static const FakeAnswer numbers[] = {
        {"GET /v1.43/containers/json", 200, "[7]", false, NULL}
    };
    fake_change(f->fake, numbers, 1);
    CHECK_ERR(engine_containers(f->engine, DEVICE, &f->arena, &list, NULL), ERR_INVALID);
}

TEST(a_refusal_is_the_engines_words) {
    ANSWERS({"POST /v1.43/containers/a/start", 500, "{\"message\":\"disk full\"}"},
            {"POST /v1.43/containers/b/start", 409, "{\"message\":\"in use\"}"},
            {"POST /v1.43/containers/c/start", 400, "{}"},
            {"POST /v1.43/containers/d/start", 503, "<html>out of order</html>"},
            {"POST /v1.43/containers/e/start", 304, NULL});
    CHECK_ERR(engine_container_start(f->engine, S("a"), &f->said), ERR_STATE);
    CHECK_STR(str_from(f->said.text), S("disk full"));
    CHECK_ERR(engine_container_start(f->engine, S("b"), &f->said), ERR_CONFLICT);
    CHECK_STR(str_from(f->said.text), S("in use"));
    reason_clear(&f->said);
    CHECK_ERR(engine_container_start(f->engine, S("c"), &f->said), ERR_INVALID);
    CHECK_ERR(engine_container_start(f->engine, S("d"), &f->said), ERR_STATE);
    CHECK_STR(str_from(f->said.text), S(""));
    CHECK_OK(engine_container_start(f->engine, S("e"), &f->said));
    CHECK_ERR(engine_container_start(f->engine, S("f"), &f->said), ERR_NOT_FOUND);
    CHECK_STR(str_from(f->said.text), S("no such thing"));
}

TEST(each_verb_is_one_request_and_what_is_gone_is_removed) {
    ANSWERS({"POST /v1.43/containers/create?name=shop.web.0", 201, "{}"},
            {"POST /v1.43/containers/a/stop?t=10", 204, NULL},
            {"POST /v1.43/containers/a/restart?t=10", 204, NULL},
            {"DELETE /v1.43/containers/a?v=1&force=1", 204, NULL},
            {"DELETE /v1.43/containers/b?v=1&force=1", 500, GONE});
    CHECK_OK(engine_container_create(f->engine, S("shop.web.0"), S("{\"Image\":\"x\"}"), &f->said));
    CHECK(fake_was_told(f->fake, "POST /v1.43/containers/create", "\r\n\r\n{\"Image\":\"x\"}"));
    CHECK_OK(engine_container_stop(f->engine, S("a"), &f->said));
    CHECK_OK(engine_container_restart(f->engine, S("a"), &f->said));
    CHECK_OK(engine_container_remove(f->engine, S("a"), &f->said));
    CHECK_OK(engine_container_remove(f->engine, S("away"), &f->said));
    CHECK(f->said.text[0] == '\0');
    CHECK_ERR(engine_container_remove(f->engine, S("b"), &f->said), ERR_STATE);
    CHECK(fake_heard(f->fake, "GET /version") == 1);
}

TEST(an_engine_that_breaks_off_is_asked_again_who_it_is) {
    ANSWERS({"POST /v1.43/containers/a/start",
             0,
             "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{",
             .hangs_up = true},
            {"POST /v1.43/containers/b/start", 204, NULL},
            {"POST /v1.43/containers/c/start", 0, "SSH-2.0-OpenSSH\r\n\r\n", .hangs_up = true});
    CHECK_ERR(engine_container_start(f->engine, S("a"), &f->said), ERR_UNAVAILABLE);
    CHECK_SAID(f->said, f->fake->path);
    CHECK_OK(engine_container_start(f->engine, S("b"), &f->said));
    CHECK(fake_heard(f->fake, "GET /version") == 2);
    CHECK_ERR(engine_container_start(f->engine, S("c"), &f->said), ERR_INVALID);
}

TEST(an_engine_that_is_not_there_is_unavailable) {
    Engine *engine;
    Reason said = {};
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 1 << 20);
    EngineVersion version;
    CHECK_OK(engine_open("/nonexistent/engine.sock", -1, &engine));
    CHECK_ERR(engine_version(engine, &arena, &version, &said), ERR_UNAVAILABLE);
    CHECK_SAID(said, "/nonexistent/engine.sock");
    CHECK(!engine_close(engine));
    CHECK(!engine_close(NULL));
}

TEST(an_image_is_there_or_not_and_has_an_entrypoint_or_not) {
    ANSWERS({"GET /v1.43/images/" IMAGE "/json",
             200,
             "{\"Config\":{\"Entrypoint\":[\"/bin/sh\",\"-c\"]}}"},
            {"GET /v1.43/images/bare/json", 200, "{\"Config\":{\"Entrypoint\":null}}"},
            {"GET /v1.43/images/sick/json", 500, "{\"message\":\"bad layer\"}"},
            {"GET /v1.43/images/odd/json", 200, "{\"Config\":7}"});
    bool is_here = false;
    CHECK_OK(engine_image_find(f->engine, S(IMAGE), &is_here, &f->said));
    CHECK(is_here);
    CHECK_OK(engine_image_find(f->engine, S("away"), &is_here, &f->said));
    CHECK(!is_here && f->said.text[0] == '\0');
    CHECK_ERR(engine_image_find(f->engine, S("sick"), &is_here, &f->said), ERR_STATE);
    StrList entrypoint;
    CHECK_OK(engine_image_entrypoint(f->engine, S(IMAGE), &f->arena, &entrypoint, &f->said));
    CHECK(entrypoint.count == 2);
    CHECK_STR(entrypoint.items[1], S("-c"));
    CHECK_OK(engine_image_entrypoint(f->engine, S("bare"), &f->arena, &entrypoint, &f->said));
    CHECK(entrypoint.count == 0);
    Err err = engine_image_entrypoint(f->engine, S("odd"), &f->arena, &entrypoint, &f->said);
    CHECK_ERR(err, ERR_INVALID);
    err = engine_image_entrypoint(f->engine, S("away"), &f->arena, &entrypoint, &f->said);
    CHECK_ERR(err, ERR_NOT_FOUND);
}

TEST(a_pull_ends_well_or_with_what_its_progress_says) {
    ANSWERS({"POST /v1.43/images/create?fromImage=r/web&tag=sha256:00",
             200,
             "{\"status\":\"Pulling\"}\n{\"status\":\"Done\"}\n"},
            {"POST /v1.43/images/create?fromImage=r/sick",
             200,
             "{\"status\":\"Pulling\"}\n{\"error\":\"manifest unknown\"}"},
            {"POST /v1.43/images/create?fromImage=r/cut",
             0,
             "HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{\"status\":\"Pulling\"}\n",
             .hangs_up = true});
    CHECK_OK(engine_pull(f->engine, S(IMAGE), &f->said));
    CHECK_ERR(engine_pull(f->engine, S("r/sick@sha256:1"), &f->said), ERR_STATE);
    CHECK_STR(str_from(f->said.text), S("manifest unknown"));
    CHECK_ERR(engine_pull(f->engine, S("r/away@sha256:1"), &f->said), ERR_NOT_FOUND);
    CHECK_STR(str_from(f->said.text), S("no such thing"));
    CHECK_ERR(engine_pull(f->engine, S("r/cut@sha256:1"), &f->said), ERR_UNAVAILABLE);
}

TEST(a_pull_that_hangs_is_cancelled_and_shorter_calls_are_not) {
    ANSWERS({"POST /v1.43/images/create", 0, NULL}, {"POST /v1.43/containers/a/start", 204, NULL});
    CHECK(write(f->cancel[1], "x", 1) == 1);
    CHECK_ERR(engine_pull(f->engine, S(IMAGE), &f->said), ERR_TIMEOUT);
    CHECK_OK(engine_container_start(f->engine, S("a"), &f->said));
}

TEST(a_network_is_made_unless_it_is_there_and_ours) {
    ANSWERS({"GET /v1.43/networks/shop_default", 200, "{\"Labels\":" OWN_LABELS "}"},
            {"GET /v1.43/networks/newer", 200, "{\"Labels\":" NEWER_LABELS "}"},
            {"GET /v1.43/networks/foreign", 200, "{\"Labels\":{}}"},
            {"GET /v1.43/networks/odd", 200, "[]"},
            {"POST /v1.43/networks/create", 201, "{\"Id\":\"n\"}"});
    CHECK_OK(engine_network_ensure(f->engine, S("shop_default"), &owner, &f->said));
    CHECK(fake_heard(f->fake, "POST ") == 0);
    CHECK_OK(engine_network_ensure(f->engine, S("fresh"), &owner, &f->said));
    CHECK(fake_was_told(f->fake,
                        "POST /v1.43/networks/create",
                        "\r\n\r\n{\"Name\":\"fresh\",\"Driver\":\"bridge\",\"Labels\":{"));
    CHECK(fake_was_told(f->fake, "POST ", "\"io.muster.application\":\"shop\""));
    CHECK_ERR(engine_network_ensure(f->engine, S("newer"), &owner, &f->said), ERR_CONFLICT);
    CHECK_SAID(f->said, "the network newer is there already and of a newer muster-agent");
    CHECK_ERR(engine_network_ensure(f->engine, S("foreign"), &owner, &f->said), ERR_CONFLICT);
    CHECK_SAID(f->said, "not of this device's application");
    CHECK_ERR(engine_network_ensure(f->engine, S("odd"), &owner, &f->said), ERR_INVALID);
}

TEST(networks_are_listed_and_removed) {
    ANSWERS({"GET /v1.43/networks?filters=",
             200,
             "[{\"Id\":\"n\",\"Name\":\"shop_default\",\"Labels\":" OWN_LABELS "}]"},
            {"DELETE /v1.43/networks/n", 204, NULL},
            {"DELETE /v1.43/networks/used", 403, "{\"message\":\"has active endpoints\"}"});
    EngineNetworkList list;
    CHECK_OK(engine_networks(f->engine, DEVICE, &f->arena, &list, &f->said));
    CHECK(list.count == 1);
    CHECK_STR(list.items[0].Name, S("shop_default"));
    CHECK(labels_are_of(list.items[0].Labels, &owner));
    CHECK_OK(engine_network_remove(f->engine, S("n"), &f->said));
    CHECK_OK(engine_network_remove(f->engine, S("away"), &f->said));
    CHECK(f->said.text[0] == '\0');
    CHECK(engine_network_remove(f->engine, S("used"), &f->said).code != OK);
    CHECK_STR(str_from(f->said.text), S("has active endpoints"));
}

TEST(a_volume_is_ours_or_not_there_or_in_the_way) {
    ANSWERS({"GET /v1.43/volumes/shop_data", 200, "{\"Labels\":" OWN_LABELS "}"},
            {"GET /v1.43/volumes/foreign", 200, "{\"Labels\":null}"},
            {"GET /v1.43/volumes/odd", 200, "no JSON"});
    CHECK_OK(engine_volume_check(f->engine, S("shop_data"), &owner, &f->said));
    CHECK_OK(engine_volume_check(f->engine, S("away"), &owner, &f->said));
    CHECK_ERR(engine_volume_check(f->engine, S("foreign"), &owner, &f->said), ERR_CONFLICT);
    CHECK_SAID(f->said, "the volume foreign is there already");
    CHECK_ERR(engine_volume_check(f->engine, S("odd"), &owner, &f->said), ERR_INVALID);
}

TEST(waiting_ends_with_an_event_and_with_the_time) {
    ANSWERS({"GET /v1.43/events?since=12.034000000&",
             0,
             "HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{\"status\":\"die\"}\n"},
            {"GET /v1.43/events?since=2.000000000&",
             0,
             "HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n\n"},
            {"GET /v1.43/events?since=3.000000000&", 500, "{\"message\":\"no events\"}"});
    CHECK_OK(engine_wait(f->engine, DEVICE, 12'034, 10'000, &f->said));
    CHECK_OK(engine_wait(f->engine, DEVICE, 2'000, 50, &f->said));
    CHECK(f->said.text[0] == '\0');
    CHECK_ERR(engine_wait(f->engine, DEVICE, 3'000, 10'000, &f->said), ERR_STATE);
    CHECK_STR(str_from(f->said.text), S("no events"));
}

TEST(names_that_are_too_long_are_refused_before_they_are_sent) {
    Fixture *f = *test_state;
    char *bytes = arena_alloc(&f->arena, 4000, 1);
    CHECK(bytes);
    memset(bytes, 'x', 4000);
    Str name = {bytes, 4000};
    bool is_here;
    CHECK_ERR(engine_image_find(f->engine, name, &is_here, &f->said), ERR_LIMIT);
    CHECK_ERR(engine_pull(f->engine, name, &f->said), ERR_LIMIT);
    CHECK_ERR(engine_wait(f->engine, name, 0, 1, &f->said), ERR_LIMIT);
    CHECK_ERR(engine_volume_check(f->engine, name, &owner, &f->said), ERR_LIMIT);
    CHECK(fake_heard(f->fake, "GET /v1.43") == 0);
}

#define CASE_HERE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
TEST_MAIN(
    CASE_HERE(an_engine_is_spoken_to_in_the_newest_version_that_both_know),
    CASE_HERE(an_engine_that_does_not_say_its_version_is_refused),
    CASE_HERE(
        every_container_of_the_device_is_looked_at_and_one_that_went_meanwhile_is_passed_over),
    CASE_HERE(what_is_not_of_the_kind_that_it_should_be_makes_no_sense),
    CASE_HERE(a_refusal_is_the_engines_words),
    CASE_HERE(each_verb_is_one_request_and_what_is_gone_is_removed),
    CASE_HERE(an_engine_that_breaks_off_is_asked_again_who_it_is),
    CASE_HERE(an_engine_that_is_not_there_is_unavailable),
    CASE_HERE(an_image_is_there_or_not_and_has_an_entrypoint_or_not),
    CASE_HERE(a_pull_ends_well_or_with_what_its_progress_says),
    CASE_HERE(a_pull_that_hangs_is_cancelled_and_shorter_calls_are_not),
    CASE_HERE(a_network_is_made_unless_it_is_there_and_ours),
    CASE_HERE(networks_are_listed_and_removed),
    CASE_HERE(a_volume_is_ours_or_not_there_or_in_the_way),
    CASE_HERE(waiting_ends_with_an_event_and_with_the_time),
    CASE_HERE(names_that_are_too_long_are_refused_before_they_are_sent))
