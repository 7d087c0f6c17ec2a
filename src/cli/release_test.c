// SPDX-License-Identifier: Apache-2.0
// From a Compose file to a release: which images are asked for, and what is sent.
#include "base/jws.h"
#include "base/scope.h"
#include "cli/cli.h"
#include "cli/cli_fixture.h"
#include "test.h"

#include <unistd.h>

enum { LATER_MS = 600'000, TEST_ARENA_MAX = 1 << 20 };

#define DIGEST "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define MANIFEST "{\"schemaVersion\":2}"
#define RELEASE                                                                         \
    JSON("{\"id\":\"release_" UUID "\",\"application\":\"shop\",\"version\":\"1.0.0\"," \
         "\"manifest\":{\"services\":[{\"name\":\"web\",\"image\":\"shop/web@" DIGEST "\"}]}}")
#define COMPOSE(name, image) name "services:\n  web:\n    image: " image "\n"

#define CREATE(...) RUN("muster", "release", "create", "--version", "1.0.0", "--file", __VA_ARGS__)

TEST(images_with_a_digest_are_sent_without_their_tag) {
    World world;
    WORLD_OPEN(&world, RELEASE);
    world_sign_in(&world, LATER_MS);
    const char *file =
        world_file(&world, "shop.yml", COMPOSE("name: shop\n", "shop/web:7@" DIGEST));
    SCOPED(run_done) Run result = CREATE(file, "--no-resolve", "--output", "json");
    CHECK(result.code == 0 && result.err[0] == '\0');
    CHECK(str_starts(str_from(result.out), S("{\"id\":\"release_" UUID "\"")));
    world_close(&world);
    const char *request = world.peer.requests[0];
    CHECK(str_starts(str_from(request), S("POST /v1/releases HTTP/1.1\r\n")));
    CHECK(strstr(request, "{\"application\":\"shop\",\"version\":\"1.0.0\",\"manifest\":{"));
    CHECK(strstr(request, "\"image\":\"shop/web@" DIGEST "\""));
}

TEST(images_with_a_tag_are_pinned_by_their_registry) {
    World world;
    WORLD_OPEN(&world, JSON(MANIFEST), RELEASE);
    world_sign_in(&world, LATER_MS);
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, TEST_ARENA_MAX);
    Str pinned = str_print(&arena,
                           "127.0.0.1:%u/web@sha256:%.*s",
                           world.peer.port,
                           STR_FMT(sha256_hex(&arena, S(MANIFEST))));
    Str text = str_print(&arena, COMPOSE("", "127.0.0.1:%u/web:2"), world.peer.port);
    SCOPED(run_done)
    Run result = CREATE(world_file(&world, "c.yml", text.ptr), "--application", "shop");
    CHECK(result.code == 0);
    Str said = str_print(&arena, "127.0.0.1:%u/web:2 is %.*s\n", world.peer.port, STR_FMT(pinned));
    CHECK_STR(str_from(result.err), said);
    world_close(&world);
    Str sent = str_print(&arena, "\"image\":\"%.*s\"", STR_FMT(pinned));
    CHECK(strstr(world.peer.requests[1], sent.ptr));
}

/// What `muster release create` says of this file, with one more word.
static void
check_refused(World *world, const char *text, const char *word, int code, const char *said) {
    SCOPED(run_done) Run result = CREATE(world_file(world, "c.yml", text), word);
    CHECK(result.code == code);
    if (!strstr(result.err, said)) fail_msg("%s, not %s", result.err, said);
    CHECK(result.out[0] == '\0');
}

TEST(a_file_that_cannot_be_a_release_is_told) {
    World world;
    world_open(&world, NULL, 0);
    world_sign_in(&world, LATER_MS);
    check_refused(&world,
                  COMPOSE("name: shop\n", "web:1"),
                  "--no-resolve",
                  EXIT_INVALID,
                  "services.web.image: must have a digest, since --no-resolve was given\n");
    check_refused(&world,
                  COMPOSE("", "web@" DIGEST),
                  "--no-resolve",
                  EXIT_USAGE,
                  "muster: the file has no name: give --application\n");
    check_refused(
        &world, "services: 7\n", "--no-resolve", EXIT_INVALID, "c.yml cannot be a release\n");
    check_refused(&world,
                  COMPOSE("name: shop\n", "A:b:c"),
                  "--insecure-registry",
                  EXIT_INVALID,
                  "services.web.image: A:b:c: this is not the name of an image\n");
    check_refused(&world,
                  COMPOSE("name: shop\n", "127.0.0.1:1/web"),
                  "--insecure-registry",
                  EXIT_UNAVAILABLE,
                  "muster: 127.0.0.1:1/web: the server cannot be reached: http://127.0.0.1:1: ");
    SCOPED(run_done) Run missing = CREATE("/nowhere/c.yml");
    CHECK(missing.code == EXIT_NOT_FOUND);
    CHECK_STR(str_from(missing.err), S("muster: there is no file \"/nowhere/c.yml\"\n"));
    SCOPED(run_done) Run folder = CREATE("/tmp");
    CHECK(folder.code == EXIT_LOCAL && folder.out[0] == '\0');
    CHECK_STR(str_from(folder.err), S("muster: cannot read: /tmp: Is a directory\n"));
    SCOPED(run_done) Run through = CREATE("/dev/null/c.yml");
    CHECK(through.code == EXIT_LOCAL);
    CHECK_STR(str_from(through.err), S("muster: cannot open: /dev/null/c.yml: Not a directory\n"));
    world_close(&world);
}

TEST(an_image_that_the_registry_has_not_is_a_fault_of_the_file) {
    World world;
    WORLD_OPEN(&world, ANSWER("404 Not Found", "text/plain", ""));
    world_sign_in(&world, LATER_MS);
    char text[128];
    snprintf(text, sizeof(text), COMPOSE("name: shop\n", "127.0.0.1:%u/web"), world.peer.port);
    check_refused(&world,
                  text,
                  "--insecure-registry",
                  EXIT_INVALID,
                  "/web: the registry has no such image\n");
    world_close(&world);
}

TEST(a_dash_is_standard_input) {
    World world;
    WORLD_OPEN(&world, RELEASE);
    world_sign_in(&world, LATER_MS);
    int ends[2], before = dup(STDIN_FILENO);
    CHECK(pipe(ends) == 0 && dup2(ends[0], STDIN_FILENO) >= 0);
    Str text = S(COMPOSE("name: shop\n", "shop/web@" DIGEST));
    CHECK(write(ends[1], text.ptr, text.len) == (ssize_t)text.len);
    close(ends[0]);
    close(ends[1]);
    SCOPED(run_done) Run result = CREATE("-");
    dup2(before, STDIN_FILENO);
    close(before);
    CHECK(result.code == 0);
    world_close(&world);
    CHECK(strstr(world.peer.requests[0], "\"application\":\"shop\""));
}

TEST_MAIN(CASE(images_with_a_digest_are_sent_without_their_tag),
          CASE(images_with_a_tag_are_pinned_by_their_registry),
          CASE(a_file_that_cannot_be_a_release_is_told),
          CASE(an_image_that_the_registry_has_not_is_a_fault_of_the_file),
          CASE(a_dash_is_standard_input))
