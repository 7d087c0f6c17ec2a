// SPDX-License-Identifier: Apache-2.0
#include "control/access_cache.h"

#include "test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum { NOW_MS = 1000, ENDS_MS = 2000, THREADS = 8, ROUNDS = 2000 };

/// A cache, and two people with a session each.
typedef struct Scene {
    AccessCache *cache;
    Arena arena;
    Principal ada, bob;
} Scene;

static Principal principal_made(const char *name) {
    return (Principal){.subject = id_new(S("operator"), NOW_MS),
                       .session = id_new(S("session"), NOW_MS),
                       .scope = id_new(S("org"), NOW_MS),
                       .access = 5,
                       .name = str_from(name)};
}

static void scene_open(Scene *scene) {
    *scene = (Scene){.ada = principal_made("operator/ada"), .bob = principal_made("operator/bob")};
    arena_init(&scene->arena, 1 << 20);
    CHECK_OK(access_cache_open(&scene->cache));
}

static void scene_close(Scene *scene) {
    access_cache_close(scene->cache);
    arena_done(&scene->arena);
}

/// The name of whom the token is; absent: it is not known.
static Str who(Scene *scene, const char *token, uint64_t now_ms) {
    Principal principal;
    uint64_t revocations;
    AccessKey key = access_key(str_from(token));
    bool found =
        access_cache_find(scene->cache, &key, now_ms, &scene->arena, &principal, &revocations);
    return found ? principal.name : (Str){};
}

static void keep(Scene *scene, const char *token, const Principal *principal) {
    Principal other;
    uint64_t revocations;
    AccessKey key = access_key(str_from(token));
    (void)access_cache_find(scene->cache, &key, NOW_MS, &scene->arena, &other, &revocations);
    access_cache_add(scene->cache, &key, principal, NOW_MS, ENDS_MS, revocations);
}

TEST(a_token_is_found_as_what_it_was_kept_until_it_ends) {
    Scene scene;
    scene_open(&scene);
    CHECK(!who(&scene, "one", NOW_MS).ptr);
    keep(&scene, "one", &scene.ada);
    keep(&scene, "two", &scene.bob);
    CHECK_STR(who(&scene, "one", NOW_MS), S("operator/ada"));
    CHECK_STR(who(&scene, "two", ENDS_MS - 1), S("operator/bob"));
    CHECK(!who(&scene, "one", ENDS_MS).ptr);
    CHECK(!who(&scene, "on", NOW_MS).ptr);
    Principal found;
    uint64_t revocations;
    AccessKey key = access_key(S("one"));
    CHECK(access_cache_find(scene.cache, &key, NOW_MS, &scene.arena, &found, &revocations));
    CHECK(id_eq(&found.subject, &scene.ada.subject) && id_eq(&found.scope, &scene.ada.scope));
    CHECK(id_eq(&found.session, &scene.ada.session) && found.access == scene.ada.access);
    scene_close(&scene);
}

TEST(a_revocation_forgets_the_tokens_of_one_session_or_one_subject) {
    Scene scene;
    scene_open(&scene);
    Principal elsewhere = scene.ada;
    elsewhere.session = id_new(S("session"), NOW_MS);
    keep(&scene, "one", &scene.ada);
    keep(&scene, "two", &elsewhere);
    keep(&scene, "three", &scene.bob);
    access_cache_revoke(scene.cache, &scene.ada.session);
    CHECK(!who(&scene, "one", NOW_MS).ptr && who(&scene, "two", NOW_MS).ptr);
    access_cache_revoke(scene.cache, &scene.ada.subject);
    CHECK(!who(&scene, "two", NOW_MS).ptr && who(&scene, "three", NOW_MS).ptr);
    scene_close(&scene);
}

TEST(what_was_read_before_a_revocation_is_not_kept_after_it) {
    Scene scene;
    scene_open(&scene);
    Principal found;
    uint64_t revocations;
    AccessKey key = access_key(S("one"));
    CHECK(!access_cache_find(scene.cache, &key, NOW_MS, &scene.arena, &found, &revocations));
    access_cache_revoke(scene.cache, &scene.ada.session);
    access_cache_add(scene.cache, &key, &scene.ada, NOW_MS, ENDS_MS, revocations);
    CHECK(!who(&scene, "one", NOW_MS).ptr);
    keep(&scene, "one", &scene.ada); // who read after it may
    CHECK(who(&scene, "one", NOW_MS).ptr != NULL);
    scene_close(&scene);
}

TEST(a_full_cache_keeps_what_was_used_last) {
    enum { TOKENS = 3 * ACCESS_CACHE_MAX };
    Scene scene;
    scene_open(&scene);
    size_t kept = 0;
    char token[16];
    for (size_t i = 0; i < TOKENS; i++) {
        snprintf(token, sizeof(token), "%zu", i);
        keep(&scene, token, &scene.bob);
        keep(&scene, "ada", &scene.ada); // found anew each time: never the one used longest ago
        CHECK(who(&scene, token, NOW_MS).ptr != NULL);
    }
    CHECK(who(&scene, "ada", NOW_MS).ptr != NULL);
    for (size_t i = 0; i < TOKENS; i++) {
        snprintf(token, sizeof(token), "%zu", i);
        kept += who(&scene, token, NOW_MS).ptr != NULL;
    }
    CHECK(kept < ACCESS_CACHE_MAX && kept > ACCESS_CACHE_MAX / 2);
    scene_close(&scene);
}

TEST(a_token_that_has_ended_gives_its_place_first) {
    Scene scene;
    scene_open(&scene);
    char token[16];
    for (size_t i = 0; i < ACCESS_CACHE_MAX; i++) {
        snprintf(token, sizeof(token), "old-%zu", i);
        AccessKey key = access_key(str_from(token));
        access_cache_add(scene.cache, &key, &scene.ada, NOW_MS, ENDS_MS, 0);
    }
    AccessKey live = access_key(S("live"));
    access_cache_add(scene.cache, &live, &scene.bob, NOW_MS, 2 * ENDS_MS, 0);
    for (size_t i = 0; i < ACCESS_CACHE_MAX; i++) {
        snprintf(token, sizeof(token), "new-%zu", i);
        AccessKey key = access_key(str_from(token));
        CHECK(who(&scene, "live", ENDS_MS).ptr != NULL);
        access_cache_add(scene.cache, &key, &scene.ada, ENDS_MS, 2 * ENDS_MS, 0);
    }
    scene_close(&scene);
}

TEST(a_name_that_is_too_long_is_not_kept) {
    Scene scene;
    scene_open(&scene);
    char name[ACCESS_CACHE_NAME_MAX + 2] = {};
    for (size_t i = 0; i <= ACCESS_CACHE_NAME_MAX; i++)
        name[i] = 'x';
    Principal one = scene.ada;
    one.name = str_from(name);
    keep(&scene, "long", &one);
    CHECK(!who(&scene, "long", NOW_MS).ptr);
    one.name.len--;
    keep(&scene, "fits", &one);
    CHECK_STR(who(&scene, "fits", NOW_MS), one.name);
    scene_close(&scene);
}

/// A store of one row that a writer changes, and readers who keep what they have read of it.
static struct Row {
    Scene scene;
    _Atomic uint32_t committed; ///< the row's number
    _Atomic uint32_t told;      ///< the last number that the writer was told was committed
    _Atomic bool done;
} row;

static void *row_reader(void *arg) {
    (void)arg;
    Arena arena;
    arena_init(&arena, 1 << 20);
    AccessKey key = access_key(S("token"));
    while (!row.done) {
        Principal found, read = row.scene.ada;
        uint64_t revocations;
        arena_reset(&arena);
        uint32_t told = row.told;
        if (access_cache_find(row.scene.cache, &key, NOW_MS, &arena, &found, &revocations)) {
            CHECK(found.access >= told);
            continue;
        }
        read.access = row.committed;
        access_cache_add(row.scene.cache, &key, &read, NOW_MS, ENDS_MS, revocations);
    }
    arena_done(&arena);
    return NULL;
}

TEST(no_reader_brings_back_what_was_revoked) {
    scene_open(&row.scene);
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, row_reader, NULL) == 0);
    for (uint32_t i = 1; i <= ROUNDS; i++) {
        row.committed = i;
        access_cache_revoke(row.scene.cache, &row.scene.ada.session);
        row.told = i;
    }
    row.done = true;
    for (size_t i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    scene_close(&row.scene);
}

TEST_MAIN(CASE(a_token_is_found_as_what_it_was_kept_until_it_ends),
          CASE(a_revocation_forgets_the_tokens_of_one_session_or_one_subject),
          CASE(what_was_read_before_a_revocation_is_not_kept_after_it),
          CASE(a_full_cache_keeps_what_was_used_last),
          CASE(a_token_that_has_ended_gives_its_place_first),
          CASE(a_name_that_is_too_long_is_not_kept),
          CASE(no_reader_brings_back_what_was_revoked))
