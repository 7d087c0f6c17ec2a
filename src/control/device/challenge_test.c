// SPDX-License-Identifier: Apache-2.0
#include "control/device/challenge.h"

#include "base/scope.h"
#include "control/data.h"
#include "folder.h"
#include "test.h"
#include "wire/agent.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NOW_MS = 1'000'000 };

#define ARENA(name)                     \
    SCOPED(arena_done) Arena name = {}; \
    arena_init(&name, 1 << 18)

static Str made(const JwsKey *key, ChallengeFor connection, Arena *arena) {
    Str nonce;
    CHECK_OK(challenge_make(key, connection, NOW_MS, arena, &nonce));
    return nonce;
}

TEST(a_nonce_is_good_for_a_minute_however_often_it_is_shown) {
    ARENA(arena);
    JwsKey key;
    jws_key_make(&key);
    Str nonce = made(&key, (Str){}, &arena);
    CHECK_OK(challenge_check(&key, (Str){}, NOW_MS, nonce));
    CHECK_OK(challenge_check(&key, (Str){}, NOW_MS + NONCE_LIFE_MS, nonce));
    CHECK_OK(challenge_check(&key, (Str){}, NOW_MS - 5'000, nonce)); // another server's clock
    CHECK_ERR(challenge_check(&key, (Str){}, NOW_MS + NONCE_LIFE_MS + 1, nonce),
              ERR_UNAUTHENTICATED);
    CHECK_ERR(challenge_check(&key, (Str){}, NOW_MS - 5'001, nonce), ERR_UNAUTHENTICATED);
    CHECK(!str_eq(nonce, made(&key, (Str){}, &arena)));
}

TEST(a_nonce_cannot_be_made_up_or_changed) {
    ARENA(arena);
    JwsKey key, other;
    jws_key_make(&key);
    jws_key_make(&other);
    Str nonce = made(&key, (Str){}, &arena);
    Str refused[] = {made(&other, (Str){}, &arena),
                     S(""),
                     (Str){},
                     str_slice(nonce, 1, nonce.len),
                     str_slice(nonce, 0, nonce.len - 1),
                     str_print(&arena, "%.*sA", STR_FMT(nonce))};
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        CHECK_ERR(challenge_check(&key, (Str){}, NOW_MS, refused[i]), ERR_UNAUTHENTICATED);
    for (size_t i = 0; i < nonce.len; i++) {
        char *changed = ARENA_ARRAY(&arena, char, nonce.len);
        memcpy(changed, nonce.ptr, nonce.len);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        CHECK_ERR(challenge_check(&key, (Str){}, NOW_MS, (Str){changed, nonce.len}),
                  ERR_UNAUTHENTICATED);
    }
}

TEST(a_nonce_for_one_connection_is_none_for_another) {
    ARENA(arena);
    JwsKey key;
    jws_key_make(&key);
    Str nonce = made(&key, S("one"), &arena);
    CHECK_OK(challenge_check(&key, S("one"), NOW_MS, nonce));
    CHECK_ERR(challenge_check(&key, S("two"), NOW_MS, nonce), ERR_UNAUTHENTICATED);
    CHECK_ERR(challenge_check(&key, (Str){}, NOW_MS, nonce), ERR_UNAUTHENTICATED);
    CHECK_ERR(challenge_check(&key, S("one"), NOW_MS, made(&key, (Str){}, &arena)),
              ERR_UNAUTHENTICATED);
}

/// A key as a process has it that has just started over the folder.
static JwsKey started(const char *dir, Arena *arena) {
    JwsKey key;
    SCOPED(vault_close) Vault vault = {.lock = -1};
    CHECK_OK(vault_open(dir, &(VaultOptions){.key_fd = -1}, arena, &vault, NULL));
    CHECK_OK(data_token_key(&vault, arena, &key, NULL));
    return key;
}

static void folder_make_whole(const char *dir, Arena *arena) {
    Str host = S("localhost");
    SCOPED(vault_close) Vault vault = {.lock = -1};
    CHECK_OK(vault_open(dir, &(VaultOptions){.key_fd = -1, .make = true}, arena, &vault, NULL));
    CHECK_OK(data_make(&vault, (StrList){&host, 1}, NOW_MS, arena, NULL));
}

TEST(what_one_process_gave_another_one_over_the_same_data_takes) {
    ARENA(arena);
    char parent[] = "/tmp/muster-challenge-XXXXXX";
    CHECK(mkdtemp(parent));
    const char *dir = str_print(&arena, "%s/data", parent).ptr;
    const char *other = str_print(&arena, "%s/other", parent).ptr;
    folder_make_whole(dir, &arena);
    folder_make_whole(other, &arena);
    JwsKey one = started(dir, &arena), two = started(dir, &arena), far = started(other, &arena);
    Str nonce = made(&one, (Str){}, &arena);
    CHECK_OK(challenge_check(&two, (Str){}, NOW_MS, nonce));
    CHECK_ERR(challenge_check(&far, (Str){}, NOW_MS, nonce), ERR_UNAUTHENTICATED);
    Id first, again, foreign;
    CHECK_OK(data_installation(dir, &arena, &first, NULL));
    CHECK_OK(data_installation(dir, &arena, &again, NULL));
    CHECK_OK(data_installation(other, &arena, &foreign, NULL));
    CHECK(id_eq(&first, &again) && !id_eq(&first, &foreign));
    CHECK(unlink(str_print(&arena, "%s/installation", other).ptr) == 0);
    CHECK_ERR(data_installation(other, &arena, &foreign, NULL), ERR_NOT_FOUND);
    folder_make_whole(other, &arena);
    CHECK_OK(data_installation(other, &arena, &foreign, NULL));
    CHECK(folder_remove(parent) == 0);
}

TEST_MAIN(CASE(a_nonce_is_good_for_a_minute_however_often_it_is_shown),
          CASE(a_nonce_cannot_be_made_up_or_changed),
          CASE(a_nonce_for_one_connection_is_none_for_another),
          CASE(what_one_process_gave_another_one_over_the_same_data_takes))
