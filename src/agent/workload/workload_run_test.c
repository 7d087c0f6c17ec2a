// SPDX-License-Identifier: Apache-2.0
/// The thread, from what is desired to what is reported, on an engine of the tests.
#include "agent/workload/workload_run.h"

#include "agent/engine/engine_fixture.h"
#include "agent/engine/labels.h"
#include "agent/slot.h"
#include "agent/state.h"
#include "agent/workload/workload_fixture.h"
#include "base/scope.h"
#include "folder.h"
#include "test.h"

#include <poll.h>
#include <stdlib.h>

enum { PATIENCE_MS = 20'000, LIST_MAX = 16 };

typedef struct Fixture {
    char folder[64];
    State state;
    Id device;
    FakeEngine *fake;
    Slot *aim, *reported, *facts;
    WorkloadRun *run;
    FakeAnswer answers[LIST_MAX];
    size_t count;
} Fixture;

static int setup(void **test_state) {
    Fixture *f = calloc(1, sizeof(*f));
    *test_state = f;
    arena_init(&arena, 16 * 1024 * 1024);
    f->device = id_new(S("device"), 1'790'000'000'000);
    snprintf(f->folder, sizeof(f->folder), "/tmp/muster-workload-run-XXXXXX");
    if (!mkdtemp(f->folder)) return -1;
    f->fake = fake_start(NULL, 0);
    CHECK_OK(state_open(f->folder, NULL, &f->state, NULL));
    CHECK_OK(slot_open(WORKLOAD_AIM_MAX, &f->aim));
    CHECK_OK(slot_open(WORKLOAD_REPORTED_MAX, &f->reported));
    CHECK_OK(slot_open(64, &f->facts));
    return 0;
}

static int teardown(void **test_state) {
    Fixture *f = *test_state;
    workload_run_close(f->run);
    slot_close(f->facts);
    slot_close(f->reported);
    slot_close(f->aim);
    state_close(&f->state);
    fake_stop(f->fake);
    arena_done(&arena);
    int rc = folder_remove(f->folder);
    free(f);
    return rc;
}

/// The engine says one thing more; what is said later counts more.
static void says(Fixture *f, FakeAnswer answer) {
    assert_true(f->count < LIST_MAX);
    f->answers[f->count++] = answer;
}

/// What each test's engine does unless it says otherwise: nothing runs, nothing can be created, the
/// rest works, nothing happens.
static void works(Fixture *f) {
    says(f, (FakeAnswer){"GET /v1.43/events", 0, NULL, false, NULL});
    says(f, (FakeAnswer){"GET /v1.43/containers/json", 200, "[]", false, NULL});
    says(f, (FakeAnswer){"GET /v1.43/networks?", 200, "[]", false, NULL});
    says(f, (FakeAnswer){"GET /v1.43/images/", 200, "{}", false, NULL});
    says(f, (FakeAnswer){"POST /v1.43/", 201, "{}", false, NULL});
    says(f, (FakeAnswer){"DELETE /v1.43/", 204, NULL, false, NULL});
    says(f,
         (FakeAnswer){"POST /v1.43/containers/create",
                      500,
                      "{\"message\":\"no space left on device\"}",
                      false,
                      NULL});
}

static void starts(Fixture *f) {
    fake_change(f->fake, f->answers, f->count);
    CHECK_OK(workload_run_open(
        &(WorkloadRunOptions){
            .engine_path = f->fake->path,
            .device_id = f->device,
            .state = &f->state,
            .aim = f->aim,
            .reported = f->reported,
            .facts = f->facts,
            .seed = 1,
        },
        &f->run));
}

/// Want the applications, as the generation.
static void want(Fixture *f, uint64_t generation, Application *items, size_t count) {
    Aim aim = {
        .generation = generation,
        .desired = {.generation = generation, .applications = {items, count}},
    };
    SCOPED(text_done) Text json;
    text_init(&json, WORKLOAD_AIM_MAX);
    schema_encode(&Aim_schema, &aim, ENCODE_STORED, &json);
    CHECK_OK(text_check(&json));
    CHECK_OK(slot_put(f->aim, text_str(&json)));
}

/// The labels of a service's container, as JSON.
static const char *labels_of(Fixture *f, const Application *application, const char *format) {
    Str identities[MANIFEST_SERVICES_MAX];
    CHECK_OK(manifest_identities(application->manifest.text, &arena, identities));
    return str_print(&arena,
                     "{\"" LABEL_MANAGED "\":\"true\",\"" LABEL_FORMAT "\":\"%s\",\"" LABEL_DEVICE
                     "\":\"%s\",\"" LABEL_APPLICATION "\":\"%.*s\",\"" LABEL_SERVICE
                     "\":\"web\",\"" LABEL_RELEASE "\":\"%s\",\"" LABEL_CONFIG "\":\"%.*s\"}",
                     format,
                     f->device.text,
                     STR_FMT(application->name),
                     application->release_id.text,
                     STR_FMT(identities[0]))
        .ptr;
}

/// The container "c1" of the application's service "web", in a state.
static const char *
container_in(Fixture *f, const Application *application, const char *format, const char *state) {
    return str_print(&arena,
                     "{\"Id\":\"c1\",\"Name\":\"/shop.web.1\",\"State\":{\"Status\":\"%s\","
                     "\"StartedAt\":\"2026-01-01T00:00:00Z\"},\"Config\":{\"Image\":\"r/web" DIGEST
                     "\",\"Labels\":%s}}",
                     state,
                     labels_of(f, application, format))
        .ptr;
}

/// Wait for an account in which `part` is said; fails in vain.
static Reported hears(Fixture *f, WorkloadState state, const char *part) {
    for (int waited = 0; waited < PATIENCE_MS; waited += 10) {
        SCOPED(text_done) Text json = {};
        Reported reported;
        if (!slot_take(f->reported, &json)) {
            poll(NULL, 0, 10);
            continue;
        }
        Str kept = str_dup(&arena, text_str(&json));
        CHECK_OK(schema_read(&Reported_schema, kept, DECODE_STORED, &arena, &reported, NULL));
        if (reported.state == state && strstr(kept.ptr, part)) return reported;
    }
    fail_msg("nothing is heard of \"%s\"", part);
    return (Reported){};
}

TEST(what_is_desired_is_pulled_created_started_and_reported) {
    Fixture *f = *test_state;
    Service web = service_of("web", "1");
    Application shop = application_of("shop", 4, &web, 1);
    const char *create = "POST /v1.43/containers/create",
               *start = "POST /v1.43/containers/c1/start";
    works(f);
    says(f, (FakeAnswer){create, 201, "{}", false, NULL});
    says(f, (FakeAnswer){"GET /v1.43/images/", 404, "{}", false, NULL});
    says(f, (FakeAnswer){"GET /v1.43/images/", 200, "{}", false, "POST /v1.43/images/create"});
    says(f, (FakeAnswer){"GET /v1.43/containers/json", 200, "[{\"Id\":\"c1\"}]", false, create});
    says(f,
         (FakeAnswer){"GET /v1.43/containers/c1/json",
                      200,
                      container_in(f, &shop, "1", "created"),
                      false,
                      create});
    says(f,
         (FakeAnswer){"GET /v1.43/containers/c1/json",
                      200,
                      container_in(f, &shop, "1", "running"),
                      false,
                      start});
    want(f, 7, &shop, 1);
    starts(f);
    Reported reported = hears(f, WORKLOAD_RUNNING, "c1");
    CHECK(reported.generation == 7 && reported.applications.count == 1);
    const ApplicationReport *one = &reported.applications.items[0];
    CHECK(one->serial == 4 && one->state == WORKLOAD_RUNNING && one->services.count == 1);
    CHECK(one->services.items[0].state == CONTAINER_RUNNING);
    CHECK(fake_heard(f->fake, create) == 1 && fake_heard(f->fake, start) == 1);
    SCOPED(text_done) Text version = {};
    CHECK(slot_take(f->facts, &version));
    CHECK_STR(text_str(&version), S("99.0"));
    f->run = workload_run_close(f->run);
    ReportedFile file;
    CHECK_OK(state_load(&f->state, STATE_REPORTED, &ReportedFile_schema, &arena, &file, NULL));
    CHECK(file.reported.generation == 7 && file.reported.state == WORKLOAD_RUNNING);
}

TEST(a_refusal_of_the_engine_is_reported_in_its_words) {
    Fixture *f = *test_state;
    Service web = service_of("web", "1");
    Application shop = application_of("shop", 1, &web, 1);
    works(f);
    want(f, 1, &shop, 1);
    starts(f);
    Reported reported = hears(f, WORKLOAD_FAILED, "no space left");
    CHECK_STR(reported.applications.items[0].detail,
              S("cannot create shop.web: the engine refuses it: no space left on device"));
}

TEST(what_the_engine_takes_and_does_not_do_is_not_asked_for_at_full_speed) {
    Fixture *f = *test_state;
    Service web = service_of("web", "1");
    Application shop = application_of("shop", 1, &web, 1);
    const char *create = "POST /v1.43/containers/create";
    works(f);
    says(f, (FakeAnswer){create, 201, "{}", false, NULL});
    uint64_t began_ms = clock_monotonic_ms();
    want(f, 1, &shop, 1);
    starts(f);
    CHECK(fake_wait(f->fake, create, 3));
    CHECK(clock_monotonic_ms() - began_ms >= 2000); // a second before each but the first
}

TEST(an_engine_that_is_away_is_told_and_waited_for) {
    Fixture *f = *test_state;
    Service web = service_of("web", "1");
    Application shop = application_of("shop", 1, &web, 1);
    static const FakeAnswer away[] = {
        {"", 0, NULL, true, NULL}
    };
    works(f);
    starts(f);
    CHECK(fake_wait(f->fake, "GET /v1.43/events", 1));
    fake_change(f->fake, away, 1);
    want(f, 2, &shop, 1);
    Reported reported = hears(f, WORKLOAD_FAILED, "the container engine cannot be reached");
    CHECK(reported.generation == 2 && reported.applications.items[0].services.count == 0);
    CHECK(fake_heard(f->fake, "POST ") == 0);
    fake_change(f->fake, f->answers, f->count);
    CHECK(fake_wait(f->fake, "POST /v1.43/containers/create", 1));
}

TEST(an_engine_that_talks_nonsense_is_asked_for_nothing) {
    Fixture *f = *test_state;
    Service web = service_of("web", "1");
    Application shop = application_of("shop", 1, &web, 1);
    works(f);
    says(f, (FakeAnswer){"GET /v1.43/containers/json", 200, "<html>", false, NULL});
    want(f, 1, &shop, 1);
    starts(f);
    hears(f, WORKLOAD_FAILED, "the container engine cannot be reached");
    CHECK(fake_heard(f->fake, "POST ") == 0 && fake_heard(f->fake, "DELETE ") == 0);
}

TEST(the_newest_desired_state_cancels_a_pull_that_hangs) {
    Fixture *f = *test_state;
    Service web = service_of("web", "1"), other = service_of("other", "1");
    Application first = application_of("shop", 1, &web, 1);
    Application second = application_of("shop", 2, &other, 1);
    works(f);
    says(f, (FakeAnswer){"GET /v1.43/images/r/web", 404, "{}", false, NULL});
    says(f, (FakeAnswer){"POST /v1.43/images/create?fromImage=r/web", 0, NULL, false, NULL});
    want(f, 1, &first, 1);
    starts(f);
    CHECK(fake_wait(f->fake, "POST /v1.43/images/create?fromImage=r/web", 1));
    want(f, 2, &second, 1);
    CHECK(fake_wait(f->fake, "POST /v1.43/containers/create?name=shop.other.", 1));
}

TEST(what_is_desired_and_cannot_be_read_changes_nothing) {
    Fixture *f = *test_state;
    Service web = service_of("web", "1");
    Application shop = application_of("shop", 1, &web, 1);
    works(f);
    says(f, (FakeAnswer){"GET /v1.43/containers/json", 200, "[{\"Id\":\"c1\"}]", false, NULL});
    says(f,
         (FakeAnswer){"GET /v1.43/containers/c1/json",
                      200,
                      container_in(f, &shop, "1", "running"),
                      false,
                      NULL});
    CHECK_OK(slot_put(f->aim, S("{\"generation\":\"seven\"}")));
    starts(f);
    CHECK(fake_wait(f->fake, "GET /v1.43/events", 1));
    CHECK(fake_heard(f->fake, "POST ") == 0 && fake_heard(f->fake, "DELETE ") == 0);
    want(f, 3, &shop, 1);
    CHECK(hears(f, WORKLOAD_RUNNING, "c1").generation == 3);
    CHECK(fake_heard(f->fake, "POST ") == 0); // it was adopted
}

TEST(what_no_application_wants_goes_with_its_network) {
    Fixture *f = *test_state;
    Service web = service_of("web", "1");
    Application shop = application_of("shop", 1, &web, 1);
    works(f);
    says(f, (FakeAnswer){"GET /v1.43/containers/json", 200, "[{\"Id\":\"c1\"}]", false, NULL});
    says(f,
         (FakeAnswer){"GET /v1.43/containers/json", 200, "[]", false, "DELETE /v1.43/containers/"});
    says(f,
         (FakeAnswer){"GET /v1.43/containers/c1/json",
                      200,
                      container_in(f, &shop, "1", "exited"),
                      false,
                      NULL});
    const char *networks = str_print(&arena,
                                     "[{\"Id\":\"n1\",\"Name\":\"shop_default\",\"Labels\":%s}]",
                                     labels_of(f, &shop, "1"))
                               .ptr;
    says(f, (FakeAnswer){"GET /v1.43/networks?", 200, networks, false, NULL});
    want(f, 9, NULL, 0);
    starts(f);
    CHECK(fake_wait(f->fake, "DELETE /v1.43/containers/c1?", 1));
    CHECK(fake_wait(f->fake, "DELETE /v1.43/networks/n1 ", 1));
    CHECK(fake_wait(f->fake, "GET /v1.43/events", 1));
    CHECK(fake_heard(f->fake, "POST ") == 0);
}

TEST(what_a_newer_agent_made_is_told_and_left_alone) {
    Fixture *f = *test_state;
    Service web = service_of("web", "1");
    Application shop = application_of("shop", 1, &web, 1);
    works(f);
    says(f, (FakeAnswer){"GET /v1.43/containers/json", 200, "[{\"Id\":\"c1\"}]", false, NULL});
    says(f,
         (FakeAnswer){"GET /v1.43/containers/c1/json",
                      200,
                      container_in(f, &shop, "2", "running"),
                      false,
                      NULL});
    want(f, 9, NULL, 0);
    starts(f);
    CHECK(fake_wait(f->fake, "GET /v1.43/events", 1));
    Reported reported = hears(f, WORKLOAD_RUNNING, "was made by a newer muster-agent");
    CHECK(reported.notes.count == 1);
    CHECK(fake_heard(f->fake, "DELETE ") == 0);
}

#define CASE_HERE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
TEST_MAIN(CASE_HERE(what_is_desired_is_pulled_created_started_and_reported),
          CASE_HERE(a_refusal_of_the_engine_is_reported_in_its_words),
          CASE_HERE(what_the_engine_takes_and_does_not_do_is_not_asked_for_at_full_speed),
          CASE_HERE(an_engine_that_is_away_is_told_and_waited_for),
          CASE_HERE(an_engine_that_talks_nonsense_is_asked_for_nothing),
          CASE_HERE(the_newest_desired_state_cancels_a_pull_that_hangs),
          CASE_HERE(what_is_desired_and_cannot_be_read_changes_nothing),
          CASE_HERE(what_no_application_wants_goes_with_its_network),
          CASE_HERE(what_a_newer_agent_made_is_told_and_left_alone))
