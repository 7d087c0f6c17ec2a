// SPDX-License-Identifier: Apache-2.0
/// The agent's life from its start to SIGTERM, on an engine of the tests, without a server.
#include "agent/run.h"

#include "agent/engine/engine_fixture.h"
#include "agent/state.h"
#include "folder.h"
#include "io/file.h"
#include "test.h"
#include "wire/manifest.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define IMAGE "r/web@sha256:0000000000000000000000000000000000000000000000000000000000000001"

typedef struct Fixture {
    char folder[64], engine[128], enrol_file[96];
    FakeEngine *fake;
    Arena arena;
    Reason said;
} Fixture;

static const FakeAnswer nothing_runs[] = {
    {"GET /v1.43/events",          0,   NULL, false, NULL},
    {"GET /v1.43/containers/json", 200, "[]", false, NULL},
    {"GET /v1.43/networks?",       200, "[]", false, NULL},
};

static int setup(void **test_state) {
    Fixture *f = calloc(1, sizeof(*f));
    *test_state = f;
    arena_init(&f->arena, 16 * 1024 * 1024);
    snprintf(f->folder, sizeof(f->folder), "/tmp/muster-run-XXXXXX");
    if (!mkdtemp(f->folder)) return -1;
    snprintf(f->enrol_file, sizeof(f->enrol_file), "%s/enrol", f->folder);
    f->fake = fake_start(nothing_runs, 3);
    snprintf(f->engine, sizeof(f->engine), "unix://%s", f->fake->path);
    return 0;
}

static int teardown(void **test_state) {
    Fixture *f = *test_state;
    fake_stop(f->fake);
    arena_done(&f->arena);
    int rc = folder_remove(f->folder);
    free(f);
    return rc;
}

static Err runs(Fixture *f) {
    reason_clear(&f->said);
    return run(&(RunOptions){.state = f->folder, .engine = f->engine, .enrol_file = f->enrol_file},
               &f->said);
}

static void write_file(Fixture *f, const char *name, const char *content) {
    Str path = str_print(&f->arena, "%s/%s", f->folder, name);
    CHECK_OK(file_save(path.ptr, str_from(content), 0600, NULL));
}

static Str read_file(Fixture *f, const char *name) {
    Str data = {};
    Str path = str_print(&f->arena, "%s/%s", f->folder, name);
    CHECK_OK(file_load(path.ptr, STATE_FILE_MAX, &f->arena, &data, NULL));
    return data;
}

static bool has_file(Fixture *f, const char *name) {
    return access(str_print(&f->arena, "%s/%s", f->folder, name).ptr, F_OK) == 0;
}

/// As an enrolment leaves the folder, with a server that is not there.
static void enrolled(Fixture *f) {
    State state;
    Identity identity;
    ServerEntry entry = {.url = S("http://127.0.0.1:1")};
    Servers servers = {
        .digest = S("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        .servers = {&entry, 1}
    };
    identity_make(&identity);
    Membership member = {
        .head = state_head(),
        .installation = id_new(S("installation"), 1),
        .device_id = id_new(S("device"), 1'790'000'000'000),
        .epoch = 1,
        .name = S("cam"),
        .fleet_id = id_new(S("fleet"), 1),
        .public_key = identity_public_key(&identity, &f->arena),
    };
    CHECK_OK(state_open(f->folder, NULL, &state, NULL));
    CHECK_OK(state_enrolled(&state, &member, &servers, &identity, NULL));
    state_close(&state);
}

/// What is desired, as it was held before this start; "shop" has the service "web".
static void holds(Fixture *f, uint64_t generation) {
    Service web = {.name = S("web"), .image = S(IMAGE)};
    Manifest manifest = {
        .services = {&web, 1}
    };
    Application shop = {
        .name = S("shop"), .serial = 1, .release_id = id_new(S("release"), 1), .version = S("1")};
    CHECK_OK(manifest_publish(&manifest, &f->arena, &shop.manifest));
    DesiredFile file = {
        .head = state_head(), .desired = {.generation = generation, .applications = {&shop, 1}}
    };
    State state;
    CHECK_OK(state_open(f->folder, NULL, &state, NULL));
    CHECK_OK(state_save(&state, STATE_DESIRED, &DesiredFile_schema, &file, NULL));
    state_close(&state);
}

/// Ends the agent of this process as soon as its engine has heard a request so often.
typedef struct Ender {
    FakeEngine *fake;
    const char *request;
    size_t times;
    int signal;
    bool heard;
    pthread_t thread;
} Ender;

static void *ender_main(void *arg) {
    Ender *ender = arg;
    ender->heard = fake_wait(ender->fake, ender->request, ender->times);
    kill(getpid(), ender->signal);
    return NULL;
}

/// Run until the engine has heard the request once more; that it did is checked.
static Err runs_until(Fixture *f, const char *request, int signal) {
    size_t before = fake_heard(f->fake, request);
    Ender ender = {.fake = f->fake, .request = request, .times = before + 1, .signal = signal};
    CHECK(pthread_create(&ender.thread, NULL, ender_main, &ender) == 0);
    Err err = runs(f);
    CHECK(pthread_join(ender.thread, NULL) == 0);
    CHECK(ender.heard);
    return err;
}

TEST(a_machine_that_is_not_enrolled_says_so) {
    Fixture *f = *test_state;
    Err err = runs(f);
    CHECK_ERR(err, ERR_STATE);
    CHECK_STR(str_from(err.what),
              S("this machine is not enrolled, and there is no enrolment file"));
}

TEST(an_enrolment_file_that_is_wrong_is_not_tried_again) {
    Fixture *f = *test_state;
    write_file(f, "enrol", "token = nonsense\n");
    CHECK_ERR(runs(f), ERR_INVALID);
    write_file(f, "enrol", "colour = red\n");
    CHECK_ERR(runs(f), ERR_INVALID);
    CHECK_SAID(f->said, "colour");
    CHECK(!has_file(f, STATE_MEMBERSHIP));
}

TEST(an_engine_that_is_no_unix_socket_is_refused) {
    static const char *const wrong[] = {"tcp://127.0.0.1:2375", "unix://engine.sock", ""};
    Fixture *f = *test_state;
    enrolled(f);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        snprintf(f->engine, sizeof(f->engine), "%s", wrong[i]);
        Err err = runs(f);
        CHECK_ERR(err, ERR_INVALID);
        CHECK_STR(str_from(err.what), S("the engine must be unix:///PATH"));
        CHECK_STR(str_from(f->said.text), str_from(wrong[i]));
    }
}

TEST(there_is_one_agent_a_folder) {
    Fixture *f = *test_state;
    State state;
    enrolled(f);
    CHECK_OK(state_open(f->folder, NULL, &state, NULL));
    CHECK_ERR(runs(f), ERR_BUSY);
    state_close(&state);
}

TEST(a_damaged_membership_is_an_error_that_names_the_file) {
    Fixture *f = *test_state;
    enrolled(f);
    write_file(f, STATE_MEMBERSHIP, "{");
    CHECK_ERR(runs(f), ERR_INVALID);
    CHECK_SAID(f->said, STATE_MEMBERSHIP);
    write_file(f, STATE_MEMBERSHIP, "{\"format\":9,\"reads\":9}");
    CHECK_ERR(runs(f), ERR_STATE);
}

TEST(it_runs_until_it_is_told_to_end) {
    Fixture *f = *test_state;
    enrolled(f);
    CHECK_OK(runs_until(f, "GET /v1.43/events", SIGTERM));
    CHECK_OK(runs_until(f, "GET /v1.43/events", SIGINT));
    CHECK(fake_heard(f->fake, "POST ") == 0 && !has_file(f, STATE_REPORTED));
}

TEST(what_was_desired_last_is_what_it_runs_with_the_server_away) {
    Fixture *f = *test_state;
    static const FakeAnswer pulls[] = {
        {"GET /v1.43/events",          0,   NULL,                                 false, NULL},
        {"GET /v1.43/containers/json", 200, "[]",                                 false, NULL},
        {"GET /v1.43/networks?",       200, "[]",                                 false, NULL},
        {"POST /v1.43/images/create",  200, "{\"error\":\"manifest unknown\"}\n", false, NULL},
    };
    fake_change(f->fake, pulls, 4);
    enrolled(f);
    holds(f, 12);
    CHECK_OK(runs_until(f, "POST /v1.43/images/create?fromImage=r/web", SIGTERM));
    Str reported = read_file(f, STATE_REPORTED);
    CHECK(strstr(reported.ptr, "\"generation\":12"));
}

TEST(without_a_list_of_servers_it_goes_on_with_what_it_has) {
    Fixture *f = *test_state;
    enrolled(f);
    holds(f, 3);
    write_file(f, STATE_SERVERS, "no JSON");
    CHECK_OK(runs_until(f, "POST /v1.43/images/create", SIGTERM));
    CHECK(has_file(f, STATE_SERVERS ".damaged"));
}

TEST(what_is_held_and_cannot_be_read_is_set_aside) {
    Fixture *f = *test_state;
    enrolled(f);
    write_file(f, STATE_DESIRED, "{\"format\":9,\"reads\":9}");
    CHECK_OK(runs_until(f, "GET /v1.43/events", SIGTERM));
    CHECK(has_file(f, STATE_DESIRED ".newer") && !has_file(f, STATE_DESIRED));
    CHECK(fake_heard(f->fake, "POST ") == 0);
}

#define CASE_HERE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
TEST_MAIN(CASE_HERE(a_machine_that_is_not_enrolled_says_so),
          CASE_HERE(an_enrolment_file_that_is_wrong_is_not_tried_again),
          CASE_HERE(an_engine_that_is_no_unix_socket_is_refused),
          CASE_HERE(there_is_one_agent_a_folder),
          CASE_HERE(a_damaged_membership_is_an_error_that_names_the_file),
          CASE_HERE(it_runs_until_it_is_told_to_end),
          CASE_HERE(what_was_desired_last_is_what_it_runs_with_the_server_away),
          CASE_HERE(without_a_list_of_servers_it_goes_on_with_what_it_has),
          CASE_HERE(what_is_held_and_cannot_be_read_is_set_aside))
