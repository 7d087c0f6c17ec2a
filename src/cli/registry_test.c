// SPDX-License-Identifier: Apache-2.0
// Asking a registry that answers by a script.
#include "cli/registry.h"

#include "base/jws.h"
#include "base/scope.h"
#include "cli/cli_fixture.h"
#include "test.h"

#include <stdlib.h>

enum { TEST_ARENA_MAX = 1 << 20 };

#define MANIFEST "{\"schemaVersion\":2,\"layers\":[]}"

/// What a registry with this one answer makes of its image "shop/web:1.2".
static Err resolve(World *world, Step step, Arena *arena, Str *ret_pinned, Reason *reason) {
    world_open(world, &step, 1);
    Str image = str_print(arena, "127.0.0.1:%u/shop/web:1.2", world->peer.port);
    Err err = image_resolve(image, false, arena, ret_pinned, reason);
    world_close(world);
    return err;
}

TEST(a_tag_is_pinned_to_the_digest_of_the_manifest) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, TEST_ARENA_MAX);
    World world;
    Str pinned = {};
    Reason reason = {};
    CHECK_OK(resolve(&world, JSON(MANIFEST), &arena, &pinned, &reason));
    CHECK_STR(pinned,
              str_print(&arena,
                        "127.0.0.1:%u/shop/web@sha256:%.*s",
                        world.peer.port,
                        STR_FMT(sha256_hex(&arena, S(MANIFEST)))));
    const char *request = world.peer.requests[0];
    CHECK(str_starts(str_from(request), S("GET /v2/shop/web/manifests/1.2 HTTP/1.1\r\n")));
    CHECK(strstr(request, "Accept: application/vnd.oci.image.index.v1+json, "));
    CHECK(strstr(request, "application/vnd.docker.distribution.manifest.v2+json\r\n"));
    CHECK(!strstr(request, "Authorization:"));
}

TEST(a_digest_that_the_registry_claims_must_be_that_of_its_manifest) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, TEST_ARENA_MAX);
    World world;
    Str pinned = {};
    Str hex = sha256_hex(&arena, S(MANIFEST));
    Str good = str_print(&arena,
                         "HTTP/1.1 200 OK\r\nConnection: close\r\n"
                         "Docker-Content-Digest: sha256:%.*s\r\n\r\n" MANIFEST,
                         STR_FMT(hex));
    CHECK_OK(resolve(&world, (Step){good.ptr, CLOSE}, &arena, &pinned, NULL));
    CHECK(str_ends(pinned, hex));
    Str bad = str_print(&arena, "%.*s ", STR_FMT(good));
    pinned = (Str){};
    CHECK_ERR(resolve(&world, (Step){bad.ptr, CLOSE}, &arena, &pinned, NULL), ERR_UNAVAILABLE);
    CHECK(!pinned.ptr);
}

TEST(why_a_registry_gives_nothing_is_told) {
    static const struct {
        Step step;
        ErrCode code;
        const char *what;
    } cases[] = {
        {ANSWER("401 Unauthorized",          "text/plain", ""),
         ERR_UNAUTHENTICATED, "the registry wants credentials: name the image by its digest"},
        {ANSWER("403 Forbidden",             "text/plain", ""),
         ERR_UNAUTHENTICATED, "the registry wants credentials: name the image by its digest"},
        {ANSWER("404 Not Found",             "text/plain", ""),
         ERR_NOT_FOUND,       "the registry has no such image"                              },
        {ANSWER("429 Too Many Requests",     "text/plain", ""),
         ERR_BUSY,            "the registry is asked too often"                             },
        {ANSWER("500 Internal Server Error", "text/plain", ""),
         ERR_UNAVAILABLE,     "the registry does not answer as one"                         },
        {ANSWER("302 Found",                 "text/plain", ""),
         ERR_UNAVAILABLE,     "the registry does not answer as one"                         },
    };
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, TEST_ARENA_MAX);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        World world;
        Str pinned = {};
        Err err = resolve(&world, cases[i].step, &arena, &pinned, NULL);
        CHECK_ERR(err, cases[i].code);
        CHECK_STR(str_from(err.what), str_from(cases[i].what));
        CHECK(!pinned.ptr);
    }
}

TEST(what_is_no_image_is_not_asked_for) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, TEST_ARENA_MAX);
    Str pinned;
    CHECK_ERR(image_resolve(S("a b"), false, &arena, &pinned, NULL), ERR_INVALID);
}

TEST(a_registry_that_is_not_there_is_named) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, TEST_ARENA_MAX);
    Str pinned;
    Reason reason = {};
    CHECK_ERR(image_resolve(S("localhost:1/web"), false, &arena, &pinned, &reason),
              ERR_UNAVAILABLE);
    CHECK_SAID(reason, "http://localhost:1: ");
    reason = (Reason){};
    CHECK_ERR(image_resolve(S("127.0.0.1:1/web"), false, &arena, &pinned, &reason),
              ERR_UNAVAILABLE);
    CHECK_SAID(reason, "http://127.0.0.1:1: ");
}

/// Names elsewhere are asked through the proxy, which says what was wanted.
static void ask_by_proxy(const char *image, bool insecure, const char *wanted, const char *said) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, TEST_ARENA_MAX);
    World world;
    WORLD_OPEN(&world, ANSWER("502 Bad Gateway", "text/plain", ""));
    setenv("https_proxy", world.url, 1);
    setenv("http_proxy", world.url, 1);
    Str pinned;
    Reason reason = {};
    CHECK_ERR(image_resolve(str_from(image), insecure, &arena, &pinned, &reason), ERR_UNAVAILABLE);
    world_close(&world);
    unsetenv("https_proxy");
    unsetenv("http_proxy");
    if (strncmp(world.peer.requests[0], wanted, strlen(wanted)) != 0)
        fail_msg("%s, not %s", world.peer.requests[0], wanted);
    CHECK(strstr(reason.text, said));
}

TEST(registries_elsewhere_are_asked_by_https_unless_told_otherwise) {
    ask_by_proxy("r.invalid/web:1", false, "CONNECT r.invalid:443 ", "https://r.invalid: ");
    ask_by_proxy("r.invalid/web:1", true, "GET http://r.invalid/v2/web/manifests/1 ", "");
}

TEST(the_hub_is_asked_for_a_token_first) {
    ask_by_proxy("nginx", false, "CONNECT auth.docker.io:443 ", "https://auth.docker.io: ");
}

TEST_MAIN(CASE(a_tag_is_pinned_to_the_digest_of_the_manifest),
          CASE(a_digest_that_the_registry_claims_must_be_that_of_its_manifest),
          CASE(why_a_registry_gives_nothing_is_told),
          CASE(what_is_no_image_is_not_asked_for),
          CASE(a_registry_that_is_not_there_is_named),
          CASE(registries_elsewhere_are_asked_by_https_unless_told_otherwise),
          CASE(the_hub_is_asked_for_a_token_first))
