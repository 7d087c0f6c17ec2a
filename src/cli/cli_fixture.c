// SPDX-License-Identifier: Apache-2.0
#include "cli/cli_fixture.h"

#include "base/scope.h"
#include "cli/cli.h"
#include "io/file.h"

#include <assert.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 24 };

/// The environment that muster looks at, some of it by way of libcurl.
static const char *const read_by_us[] = {"MUSTER_CONFIG",
                                         "MUSTER_PASSWORD",
                                         "XDG_CONFIG_HOME",
                                         "HOME",
                                         "http_proxy",
                                         "https_proxy",
                                         "HTTPS_PROXY",
                                         "all_proxy",
                                         "ALL_PROXY",
                                         "no_proxy",
                                         "NO_PROXY"};

static const char *variable(const char *name) {
    return getenv(name);
}

Run run(int argc, const char **argv) {
    Run result = {};
    size_t out_len, err_len;
    FILE *out = open_memstream(&result.out, &out_len);
    FILE *err = open_memstream(&result.err, &err_len);
    Cli cli = {.verbs = &muster_verbs,
               .clock = clock_system(),
               .out = out,
               .err = err,
               .variable = variable,
               .poll_ms = 1};
    char *words[ARGUMENTS_MAX] = {};
    assert(argc <= ARGUMENTS_MAX);
    for (int i = 0; i < argc; i++)
        words[i] = strdup(argv[i]);
    result.code = cli_main(&cli, argc, words);
    for (int i = 0; i < argc; i++)
        free(words[i]);
    fclose(out);
    fclose(err);
    return result;
}

void run_done(Run *run) {
    free(run->out);
    free(run->err);
}

void world_open(World *world, const Step *steps, size_t count) {
    *world = (World){.folder = "/tmp/muster_test.XXXXXX", .has_peer = count > 0};
    assert(mkdtemp(world->folder));
    snprintf(world->config, sizeof(world->config), "%s/config/session.json", world->folder);
    snprintf(world->ca, sizeof(world->ca), "%s.ca.pem", world->config);
    for (size_t i = 0; i < sizeof(read_by_us) / sizeof(read_by_us[0]); i++)
        unsetenv(read_by_us[i]);
    setenv("MUSTER_CONFIG", world->config, 1);
    if (!world->has_peer) return;
    peer_start(&world->peer, steps, count, true, NULL);
    snprintf(world->url, sizeof(world->url), "http://127.0.0.1:%u", world->peer.port);
}

void world_sign_in(const World *world, int64_t in_ms) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 1 << 20);
    Clock clock = clock_system();
    const Session session = {
        .server = str_from(world->url),
        .access_token = S("access-1"),
        .refresh_token = S("refresh-1"),
        .expires_at = {(uint64_t)((int64_t)clock_now_ms(&clock) + in_ms)},
    };
    Err err = session_save(str_from(world->config), &session, &arena, NULL);
    assert(err.code == OK);
}

Session world_session(const World *world, Arena *arena) {
    struct stat status;
    assert(stat(world->config, &status) == 0);
    assert((status.st_mode & 0777) == 0600);
    Session session;
    Err err = session_load(str_from(world->config), arena, &session, NULL);
    assert(err.code == OK);
    return session;
}

const char *world_file(const World *world, const char *name, const char *text) {
    static char path[128];
    snprintf(path, sizeof(path), "%s/%s", world->folder, name);
    Err err = file_save(path, str_from(text), 0600, NULL);
    assert(err.code == OK);
    return path;
}

static int remove_one(const char *path, const struct stat *, int, struct FTW *) {
    return remove(path);
}

void world_close(World *world) {
    if (world->has_peer) {
        size_t steps = 0;
        while (steps < STEPS_MAX && world->peer.steps[steps].reply)
            steps++;
        peer_stop(&world->peer);
        assert(world->peer.served == steps);
    }
    assert(nftw(world->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0);
}
