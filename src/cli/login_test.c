// SPDX-License-Identifier: Apache-2.0
// Signing in and out, and where the session is kept.
#include "base/scope.h"
#include "cli/cli.h"
#include "cli/cli_fixture.h"
#include "test.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LATER_MS = 600'000, TEST_ARENA_MAX = 1 << 20 };

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

TEST(signing_in_keeps_the_session_for_its_owner_only) {
    World world;
    WORLD_OPEN(&world, TOKENS);
    const char *file = world_file(&world, "password", "correct horse\nsecond line\n");
    char server[80];
    snprintf(server, sizeof(server), "%s/", world.url);
    SCOPED(run_done)
    Run result = RUN("muster",
                     "login",
                     "--server",
                     server,
                     "--org",
                     "acme",
                     "--name",
                     "ann",
                     "--password-file",
                     file);
    CHECK(result.code == 0 && result.out[0] == '\0');
    char said[128];
    snprintf(said, sizeof(said), "signed in to %s as ann\n", world.url);
    CHECK_STR(str_from(result.err), str_from(said));
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, TEST_ARENA_MAX);
    Session session = world_session(&world, &arena);
    CHECK_STR(session.server, str_from(world.url));
    CHECK_STR(session.operator_name, S("ann"));
    CHECK_STR(session.access_token, S("access-2"));
    CHECK_STR(session.refresh_token, S("refresh-2"));
    CHECK(!session.ca.ptr);
    world_close(&world);
    CHECK(str_starts(str_from(world.peer.requests[0]), S("POST /v1/login HTTP/1.1\r\n")));
    CHECK(strstr(world.peer.requests[0],
                 "\r\n\r\n{\"org\":\"acme\",\"name\":\"ann\",\"password\":\"correct horse\"}"));
}

TEST(the_password_may_stand_in_the_environment_and_the_authority_in_a_file) {
    World world;
    WORLD_OPEN(&world, TOKENS);
    setenv("MUSTER_PASSWORD", "from outside", 1);
    const char *file = world_file(&world, "ca.pem", "of the authority\n");
    SCOPED(run_done) Run result = RUN("muster", "login", "--server", world.url, "--ca", file);
    CHECK(result.code == 0 && strstr(result.err, " as owner\n"));
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, TEST_ARENA_MAX);
    CHECK_STR(world_session(&world, &arena).ca, str_from(world.ca));
    struct stat status;
    CHECK(stat(world.ca, &status) == 0 && (status.st_mode & 0777) == 0600 && status.st_size == 17);
    world_close(&world);
    CHECK(strstr(world.peer.requests[0], "{\"name\":\"owner\",\"password\":\"from outside\"}"));
}

TEST(a_refused_password_leaves_no_session) {
    World world;
    WORLD_OPEN(&world,
               PROBLEM("401 Unauthorized",
                       "{\"code\":\"unauthenticated\",\"detail\":\"name or password is wrong\"}"));
    setenv("MUSTER_PASSWORD", "wrong", 1);
    SCOPED(run_done) Run result = RUN("muster", "login", "--server", world.url);
    CHECK(result.code == EXIT_ACCESS);
    CHECK_STR(str_from(result.err), S("muster: name or password is wrong\n"));
    CHECK(access(world.config, F_OK) != 0);
    world_close(&world);
}

#define HEX_WRONG "--ca-fingerprint must be 64 hex digits"
#define URL_WRONG "the server must be https://host or https://host:port"
// clang-format off
static const struct {
    const char *server, *option, *value, *said;
    ExitCode code;
} wrong_logins[] = {
    {"acme.example", "--name", "x", "--server must be https://host:port", EXIT_USAGE},
    {"https://x", "--ca", "/nowhere/ca", "there is no file \"/nowhere/ca\"", EXIT_USAGE},
    {"https://x", "--ca-fingerprint", "ab", HEX_WRONG, EXIT_USAGE},
    {"https://x", "--ca-fingerprint", HEX "0", HEX_WRONG, EXIT_USAGE},
    {"https://x", "--ca-fingerprint", "zz", HEX_WRONG, EXIT_USAGE},
    {"http://x", "--ca-fingerprint", HEX, "a fingerprint needs https://", EXIT_INVALID},
    {"https://x:0", "--ca-fingerprint", HEX, URL_WRONG, EXIT_INVALID},
    {"https://:1", "--ca-fingerprint", HEX, URL_WRONG, EXIT_INVALID},
    {"https://127.0.0.1:1", "--ca-fingerprint", HEX,
     "the server cannot be reached: 127.0.0.1:1", EXIT_UNAVAILABLE},
    {"https://[::1]:1", "--ca-fingerprint", HEX,
     "the server cannot be reached: ::1:1", EXIT_UNAVAILABLE},
    {"http://x", "--password-file", "/nowhere/p", "there is no file \"/nowhere/p\"", EXIT_USAGE},
};
// clang-format on

TEST(what_a_login_is_given_wrongly_is_told) {
    World world;
    world_open(&world, NULL, 0);
    for (size_t i = 0; i < sizeof(wrong_logins) / sizeof(wrong_logins[0]); i++) {
        SCOPED(run_done)
        Run result = RUN("muster",
                         "login",
                         "--server",
                         wrong_logins[i].server,
                         wrong_logins[i].option,
                         wrong_logins[i].value);
        char said[128];
        snprintf(said, sizeof(said), "muster: %s\n", wrong_logins[i].said);
        CHECK_STR(str_from(result.err), str_from(said));
        CHECK(result.code == (int)wrong_logins[i].code);
        CHECK(access(world.config, F_OK) != 0);
    }
    SCOPED(run_done)
    Run both =
        RUN("muster", "login", "--server", "https://x", "--ca", "y", "--ca-fingerprint", HEX);
    CHECK_STR(str_from(both.err), S("muster: give --ca or --ca-fingerprint, not both\n"));
    world_close(&world);
}

TEST(a_session_is_kept_where_the_environment_says) {
    World world;
    WORLD_OPEN(&world, TOKENS, TOKENS, TOKENS);
    unsetenv("MUSTER_CONFIG");
    setenv("MUSTER_PASSWORD", "x", 1);
    SCOPED(run_done) Run nowhere = RUN("muster", "login", "--server", world.url);
    CHECK(nowhere.code == EXIT_INVALID);
    CHECK_STR(str_from(nowhere.err), S("muster: there is no home folder: use --config FILE\n"));
    char path[160];
    setenv("HOME", world.folder, 1);
    SCOPED(run_done) Run home = RUN("muster", "login", "--server", world.url);
    snprintf(path, sizeof(path), "%s/.config/muster/session.json", world.folder);
    CHECK(home.code == 0 && access(path, R_OK) == 0);
    snprintf(path, sizeof(path), "%s/xdg", world.folder);
    setenv("XDG_CONFIG_HOME", path, 1);
    SCOPED(run_done) Run xdg = RUN("muster", "login", "--server", world.url);
    snprintf(path, sizeof(path), "%s/xdg/muster/session.json", world.folder);
    struct stat status;
    CHECK(xdg.code == 0 && access(path, R_OK) == 0);
    *strrchr(path, '/') = '\0';
    CHECK(stat(path, &status) == 0 && (status.st_mode & 0777) == 0700);
    snprintf(path, sizeof(path), "%s/chosen", world.folder);
    SCOPED(run_done) Run chosen = RUN("muster", "login", "--server", world.url, "--config", path);
    CHECK(chosen.code == 0 && access(path, R_OK) == 0);
    world_close(&world);
}

TEST(a_session_that_cannot_be_kept_is_told_with_its_place) {
    World world;
    WORLD_OPEN(&world, TOKENS);
    setenv("MUSTER_PASSWORD", "x", 1);
    SCOPED(run_done)
    Run result =
        RUN("muster", "login", "--server", world.url, "--config", "/dev/null/session.json");
    CHECK(result.code == EXIT_LOCAL);
    CHECK(strstr(result.err, "/dev/null") && strstr(result.err, "Not a directory"));
    world_close(&world);
}

TEST(a_damaged_session_is_told) {
    World world;
    world_open(&world, NULL, 0);
    const char *file = world_file(&world, "session", "{\"server\":7}");
    SCOPED(run_done) Run result = RUN("muster", "org", "show", "--config", file);
    CHECK(result.code == EXIT_INVALID);
    char said[256];
    snprintf(said, sizeof(said), "muster: the session file is damaged, sign in again: %s\n", file);
    CHECK_STR(str_from(result.err), str_from(said));
    world_close(&world);
}

/// Whether the session is still there after a logout that was answered so.
static bool has_session_after(Step step, int *ret_code) {
    World world;
    world_open(&world, &step, 1);
    world_sign_in(&world, LATER_MS);
    SCOPED(run_done) Run result = RUN("muster", "logout");
    *ret_code = result.code;
    bool is_there = access(world.config, F_OK) == 0;
    world_close(&world);
    CHECK(str_starts(str_from(world.peer.requests[0]), S("POST /v1/logout HTTP/1.1\r\n")));
    return is_there;
}

TEST(signing_out_removes_the_session_once_the_server_has_ended_it) {
    int code;
    CHECK(!has_session_after(ANSWER("204 No Content", "text/plain", ""), &code) && code == 0);
    CHECK(has_session_after(ANSWER("500 Internal Server Error", "text/plain", ""), &code));
    CHECK(code == EXIT_UNAVAILABLE);
}

TEST(signing_out_everywhere_is_asked_of_the_server) {
    World world;
    WORLD_OPEN(&world, ANSWER("204 No Content", "text/plain", ""));
    world_sign_in(&world, LATER_MS);
    SCOPED(run_done) Run result = RUN("muster", "logout", "--all");
    CHECK(result.code == 0 && access(world.config, F_OK) != 0);
    world_close(&world);
    CHECK(str_starts(str_from(world.peer.requests[0]), S("POST /v1/logout?all=true HTTP/1.1\r\n")));
}

TEST(signing_out_of_a_session_that_has_ended_is_done) {
    World world;
    WORLD_OPEN(&world, ANSWER("401 Unauthorized", "text/plain", ""));
    world_sign_in(&world, 0);
    SCOPED(run_done) Run result = RUN("muster", "logout");
    CHECK(result.code == 0 && result.err[0] == '\0');
    CHECK(access(world.config, F_OK) != 0);
    world_close(&world);
}

TEST(signing_out_everywhere_needs_a_session) {
    World world;
    WORLD_OPEN(&world, ANSWER("401 Unauthorized", "text/plain", ""));
    world_sign_in(&world, 0);
    SCOPED(run_done) Run result = RUN("muster", "logout", "--all");
    CHECK(result.code == EXIT_ACCESS);
    CHECK_STR(str_from(result.err), S("muster: the session has ended: use muster login\n"));
    CHECK(access(world.config, F_OK) == 0);
    world_close(&world);
}

TEST_MAIN(CASE(signing_in_keeps_the_session_for_its_owner_only),
          CASE(the_password_may_stand_in_the_environment_and_the_authority_in_a_file),
          CASE(a_refused_password_leaves_no_session),
          CASE(what_a_login_is_given_wrongly_is_told),
          CASE(a_session_is_kept_where_the_environment_says),
          CASE(a_session_that_cannot_be_kept_is_told_with_its_place),
          CASE(a_damaged_session_is_told),
          CASE(signing_out_removes_the_session_once_the_server_has_ended_it),
          CASE(signing_out_everywhere_is_asked_of_the_server),
          CASE(signing_out_everywhere_needs_a_session),
          CASE(signing_out_of_a_session_that_has_ended_is_done))
