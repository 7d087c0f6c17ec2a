// SPDX-License-Identifier: Apache-2.0
/// The whole server in a process of its own, on ports that the system picks.
#include "control/serve.h"

#include "base/log.h"
#include "base/scope.h"
#include "control/data.h"
#include "folder.h"
#include "http/client.h"
#include "io/file.h"
#include "test.h"

#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILD_FAILED = 9 };

typedef struct Fixture {
    char folder[64];
    Arena arena;
    Vault vault;
    Config config;
    pid_t child;
    FILE *log; ///< what the child says
} Fixture;

static int setup(void **test_state) {
    Fixture *f = calloc(1, sizeof(*f));
    *test_state = f;
    arena_init(&f->arena, 16 * 1024 * 1024);
    snprintf(f->folder, sizeof(f->folder), "/tmp/muster-serve-XXXXXX");
    if (sodium_init() < 0 || !mkdtemp(f->folder)) return -1;
    Str host = S("127.0.0.1");
    Faults faults;
    faults_init(&faults, &f->arena);
    CHECK_OK(vault_open(
        f->folder, &(VaultOptions){.key_fd = -1, .make = true}, &f->arena, &f->vault, NULL));
    CHECK_OK(data_make(&f->vault, (StrList){&host, 1}, 1'700'000'000'000, &f->arena, NULL));
    CHECK_OK(data_config(f->folder, NULL, &f->arena, &faults, &f->config, NULL));
    f->config.address = host;
    f->config.port = 0;
    return 0;
}

static int teardown(void **test_state) {
    Fixture *f = *test_state;
    vault_close(&f->vault);
    arena_done(&f->arena);
    int rc = folder_remove(f->folder);
    free(f);
    return rc;
}

/// Serve in a child, whose log is read by the parent.
static void starts(Fixture *f) {
    int ends[2];
    CHECK(pipe(ends) == 0);
    f->child = fork();
    CHECK(f->child >= 0);
    if (f->child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        log_setup("musterd", LOG_INFO);
        Reason said = {};
        Err err = serve(&f->vault, &f->config, &f->arena, &said);
        if (err.code != OK) fprintf(stderr, "failed: %s: %s\n", err.what, said.text);
        exit(err.code == OK ? 0 : CHILD_FAILED);
    }
    close(ends[1]);
    f->log = fdopen(ends[0], "r");
    CHECK(f->log);
}

/// The next line of the log with `part` in it, in the arena; absent: it ended without.
static Str hears(Fixture *f, const char *part) {
    char line[4096];
    while (fgets(line, sizeof(line), f->log))
        if (strstr(line, part)) return str_dup(&f->arena, str_from(line));
    return (Str){};
}

/// How the child ended.
static int ended(Fixture *f) {
    int status = 0;
    fclose(f->log);
    CHECK(waitpid(f->child, &status, 0) == f->child);
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/// The number behind `key` in a line of JSON.
static unsigned number_in(Str line, const char *key) {
    const char *at = strstr(line.ptr, key);
    CHECK(at);
    at += strcspn(at, "0123456789");
    return (unsigned)strtoul(at, NULL, 10);
}

TEST(it_serves_until_it_is_told_to_end) {
    static const int signals[] = {SIGTERM, SIGINT};
    Fixture *f = *test_state;
    for (size_t i = 0; i < 2; i++) {
        starts(f);
        Str ready = hears(f, "server.ready");
        CHECK(ready.ptr);
        unsigned port = number_in(ready, "\"port\"");
        CHECK(port > 0);
        Str url = str_print(&f->arena, "https://127.0.0.1:%u", port);
        Str ca = data_path(&f->arena, f->folder, "ca.pem");
        HttpClient *client;
        CHECK_OK(http_client_open(
            &(HttpClientOptions){.base_url = url.ptr, .ca_path = ca.ptr, .user_agent = "test"},
            &client));
        HttpCall call = {
            .method = "GET", .target = S("/readyz"), .within_ms = 10'000, .reply_max = 4096};
        HttpAnswer answer = {};
        CHECK_OK(http_client_call(client, &call, &answer, NULL));
        CHECK(answer.status == 200);
        text_done(&answer.body);
        http_client_close(client);
        kill(f->child, signals[i]);
        CHECK(number_in(hears(f, "server.stopping"), "\"signal\"") == (unsigned)signals[i]);
        CHECK(ended(f) == 0);
    }
}

TEST(what_keeps_it_from_starting_is_told_and_leaves_nothing_open) {
    static const char *const needed[] = {"token.key", "server.pem", "ca.pem", "server.key"};
    Fixture *f = *test_state;
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
        Str path = data_path(&f->arena, f->folder, needed[i]), kept;
        CHECK_OK(file_load(path.ptr, 1 << 20, &f->arena, &kept, NULL));
        CHECK_OK(file_remove(path.ptr, NULL));
        starts(f);
        CHECK(hears(f, needed[i]).ptr);
        CHECK(ended(f) == CHILD_FAILED);
        CHECK_OK(file_save(path.ptr, kept, 0600, NULL));
    }
    f->config.address = S("192.0.2.1"); // of no machine
    starts(f);
    CHECK(hears(f, "192.0.2.1").ptr);
    CHECK(ended(f) == CHILD_FAILED);
}

/// Whether the child has a thread of this name.
static bool has_thread(const Fixture *f, const char *name) {
    char path[320], said[32];
    snprintf(path, sizeof(path), "/proc/%d/task", (int)f->child);
    DIR *tasks = opendir(path);
    CHECK(tasks);
    bool found = false;
    for (const struct dirent *task; !found && (task = readdir(tasks));) {
        snprintf(path, sizeof(path), "/proc/%d/task/%s/comm", (int)f->child, task->d_name);
        FILE *comm = task->d_name[0] == '.' ? NULL : fopen(path, "r");
        if (comm && fgets(said, sizeof(said), comm)) {
            said[strcspn(said, "\n")] = '\0';
            found = strcmp(said, name) == 0;
        }
        if (comm) fclose(comm);
    }
    closedir(tasks);
    return found;
}

/// A thread that was started has its name soon, or the test ends by its timeout.
static void await_thread(const Fixture *f, const char *name) {
    while (!has_thread(f, name))
        sched_yield();
}

TEST(it_serves_with_any_allowed_number_of_workers_and_its_threads_have_names) {
    static const char *const last[] = {"op-1", "dev-1", "op-64", "dev-64"};
    static const char *const others[] = {"long-1", "long-2", "push-1", "writer", "net-0"};
    Fixture *f = *test_state;
    for (size_t i = 0; i < 2; i++) {
        f->config.workers = i == 0 ? 1 : 64;
        starts(f);
        CHECK(hears(f, "server.ready").ptr);
        await_thread(f, last[2 * i]);
        await_thread(f, last[2 * i + 1]);
        for (size_t j = 0; j < sizeof(others) / sizeof(others[0]); j++)
            await_thread(f, others[j]);
        CHECK(has_thread(f, "op-2") == (i == 1) && !has_thread(f, "dev-65"));
        kill(f->child, SIGTERM);
        CHECK(ended(f) == 0);
    }
}

#define CASE_HERE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
TEST_MAIN(CASE_HERE(it_serves_until_it_is_told_to_end),
          CASE_HERE(it_serves_with_any_allowed_number_of_workers_and_its_threads_have_names),
          CASE_HERE(what_keeps_it_from_starting_is_told_and_leaves_nothing_open))
