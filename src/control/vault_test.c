// SPDX-License-Identifier: Apache-2.0
/// The data folder's secrets: sealed, of no use without the server key, and sealed anew under
/// another one whole, wherever that is cut off.
#include "control/vault.h"

#include "base/scope.h"
#include "cut.h"
#include "folder.h"
#include "io/file.h"
#include "test.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/// A data folder, and another one for keys that are kept elsewhere.
typedef struct Fixture {
    char parent[64];
    const char *dir;
    Arena arena;
} Fixture;

static const char *path_of(Fixture *f, const char *name) {
    return str_print(&f->arena, "%s/%s", f->parent, name).ptr;
}

static void fixture_open(Fixture *f) {
    *f = (Fixture){.parent = "/tmp/muster-vault-XXXXXX"};
    arena_init(&f->arena, 8 << 20);
    CHECK(mkdtemp(f->parent) != NULL);
    f->dir = path_of(f, "data");
}

static void fixture_close(Fixture *f) {
    CHECK(folder_remove(f->parent) == 0);
    arena_done(&f->arena);
}

static Err taken_with(Fixture *f, VaultOptions options, Vault *ret_vault, Reason *reason) {
    if (options.key_fd == 0) options.key_fd = -1;
    return vault_open(f->dir, &options, &f->arena, ret_vault, reason);
}

/// A folder with both secrets.
static void prepare(Fixture *f, const char *key_path) {
    SCOPED(vault_close) Vault vault = {.lock = -1};
    fixture_open(f);
    CHECK_OK(taken_with(f, (VaultOptions){.key_path = key_path, .make = true}, &vault, NULL));
    CHECK_OK(vault_save(&vault, "ca.key", S("the authority's"), &f->arena, NULL));
    CHECK_OK(vault_save(&vault, "token.key", S("the tokens'"), &f->arena, NULL));
}

/// Both secrets are there; the id of the key that they are sealed under.
static Str found(Fixture *f, VaultOptions options) {
    SCOPED(vault_close) Vault vault = {.lock = -1};
    Str ca, token;
    CHECK_OK(taken_with(f, options, &vault, NULL));
    CHECK_OK(vault_load(&vault, "ca.key", &f->arena, &ca, NULL));
    CHECK_OK(vault_load(&vault, "token.key", &f->arena, &token, NULL));
    CHECK_STR(ca, S("the authority's"));
    CHECK_STR(token, S("the tokens'"));
    return str_dup(&f->arena, str_from(vault.key.id));
}

static Str contents(Fixture *f, const char *name) {
    Str data;
    CHECK_OK(file_load(path_of(f, name), 4096, &f->arena, &data, NULL));
    return data;
}

static void key_write(Fixture *f, const char *name) {
    SealKey key;
    seal_key_make(&key);
    CHECK_OK(file_save(path_of(f, name), seal_key_text(&key, &f->arena), 0600, NULL));
}

TEST(what_is_secret_rests_sealed_and_the_key_is_made_once) {
    Fixture f;
    struct stat status;
    prepare(&f, NULL);
    CHECK(seal_is(contents(&f, "data/ca.key")) && seal_is(contents(&f, "data/token.key")));
    CHECK(stat(path_of(&f, "data/master.key"), &status) == 0 && (status.st_mode & 0777) == 0600);
    CHECK(stat(f.dir, &status) == 0 && (status.st_mode & 0777) == 0700);
    Str first = found(&f, (VaultOptions){}), again = found(&f, (VaultOptions){});
    CHECK_STR(again, first);
    fixture_close(&f);
}

TEST(a_copied_folder_is_of_no_use_without_the_key) {
    Fixture f;
    Vault vault = {.lock = -1};
    Reason reason = {};
    prepare(&f, NULL);
    const char *kept = path_of(&f, "kept.key");
    CHECK(rename(path_of(&f, "data/master.key"), kept) == 0);
    CHECK_ERR(taken_with(&f, (VaultOptions){}, &vault, &reason), ERR_NOT_FOUND);
    CHECK_SAID(reason, "data/master.key");
    CHECK(access(path_of(&f, "data/master.key"), F_OK) != 0);
    CHECK_ERR(taken_with(&f, (VaultOptions){.make = true}, &vault, NULL), ERR_NOT_FOUND);

    key_write(&f, "other.key");
    VaultOptions other = {.key_path = path_of(&f, "other.key")};
    CHECK_ERR(taken_with(&f, other, &vault, &reason), ERR_STATE);
    CHECK_SAID(reason, "data/ca.key");
    CHECK(vault.lock == -1);
    found(&f, (VaultOptions){.key_path = kept});
    fixture_close(&f);
}

TEST(a_secret_in_the_place_of_another_is_refused) {
    Fixture f;
    Vault vault = {.lock = -1};
    Reason reason = {};
    prepare(&f, NULL);
    CHECK(rename(path_of(&f, "data/ca.key"), path_of(&f, "data/token.key")) == 0);
    CHECK_ERR(taken_with(&f, (VaultOptions){}, &vault, &reason), ERR_INVALID);
    CHECK_SAID(reason, "data/token.key");
    fixture_close(&f);
}

TEST(the_key_may_come_by_a_descriptor_and_is_then_written_nowhere) {
    Fixture f;
    fixture_open(&f);
    SealKey key;
    seal_key_make(&key);
    Str text = seal_key_text(&key, &f.arena);
    for (int round = 0; round < 2; round++) {
        SCOPED(vault_close) Vault vault = {.lock = -1};
        int ends[2];
        CHECK(pipe(ends) == 0 && write(ends[1], text.ptr, text.len) == (ssize_t)text.len);
        close(ends[1]);
        VaultOptions options = {.key_fd = ends[0], .make = true};
        CHECK_OK(taken_with(&f, options, &vault, NULL));
        close(ends[0]);
        CHECK_OK(vault_save(&vault, "token.key", S("the tokens'"), &f.arena, NULL));
        CHECK_ERR(vault_rotate(&vault, &f.arena, NULL), ERR_STATE);
    }
    CHECK(access(path_of(&f, "data/master.key"), F_OK) != 0);
    fixture_close(&f);
}

TEST(a_folder_of_an_older_program_is_sealed_when_it_is_taken) {
    Fixture f;
    fixture_open(&f);
    CHECK_OK(folder_make(f.dir, 0700, NULL));
    CHECK_OK(file_save(path_of(&f, "data/ca.key"), S("the authority's"), 0600, NULL));
    CHECK_OK(file_save(path_of(&f, "data/token.key"), S("the tokens'"), 0600, NULL));
    found(&f, (VaultOptions){});
    CHECK(seal_is(contents(&f, "data/ca.key")) && seal_is(contents(&f, "data/token.key")));
    fixture_close(&f);
}

TEST(a_folder_that_was_never_set_up_is_left_alone) {
    Fixture f;
    Vault vault = {.lock = -1};
    Reason reason = {};
    fixture_open(&f);
    CHECK_ERR(taken_with(&f, (VaultOptions){}, &vault, &reason), ERR_NOT_FOUND);
    CHECK_SAID(reason, "data/token.key");
    CHECK_OK(folder_make(f.dir, 0755, NULL));
    CHECK_ERR(taken_with(&f, (VaultOptions){}, &vault, &reason), ERR_NOT_FOUND);
    CHECK(rmdir(f.dir) == 0); // it is empty
    fixture_close(&f);
}

TEST(a_second_taker_is_refused_and_changes_nothing) {
    Fixture f;
    Reason reason = {};
    prepare(&f, NULL);
    SCOPED(vault_close) Vault vault = {.lock = -1};
    Vault second = {.lock = -1};
    CHECK_OK(taken_with(&f, (VaultOptions){}, &vault, NULL));
    CHECK_ERR(taken_with(&f, (VaultOptions){.make = true}, &second, &reason), ERR_UNAVAILABLE);
    CHECK_SAID(reason, f.dir);
    vault_close(&vault);
    found(&f, (VaultOptions){});
    fixture_close(&f);
}

// A new key, cut off.

static Err rotate(Fixture *f, const char *key_path, const char *new_key_path) {
    SCOPED(vault_close) Vault vault = {.lock = -1};
    VaultOptions options = {.key_path = key_path, .new_key_path = new_key_path};
    TRY(taken_with(f, options, &vault, NULL));
    return new_key_path ? SUCCESS : vault_rotate(&vault, &f->arena, NULL);
}

typedef struct Rotation {
    Fixture *f;
    const char *key_path, *new_key_path;
} Rotation;

static bool rotation_run(void *ctx) {
    const Rotation *rotation = ctx;
    return rotate(rotation->f, rotation->key_path, rotation->new_key_path).code == OK;
}

TEST(a_new_key_cut_off_anywhere_leaves_every_secret_readable) {
    bool was_cut = true;
    int nth = 0, renewed = 0;
    for (; was_cut; nth++) {
        Fixture f;
        prepare(&f, NULL);
        Str before = found(&f, (VaultOptions){});
        was_cut = cut_off(nth, rotation_run, &(Rotation){&f, NULL, NULL});
        Str after = found(&f, (VaultOptions){});
        CHECK_STR(found(&f, (VaultOptions){}), after);
        CHECK(access(path_of(&f, "data/master.key.next"), F_OK) != 0);
        renewed += !str_eq(before, after);
        CHECK(was_cut || renewed > 0);
        CHECK_OK(rotate(&f, NULL, NULL));
        CHECK(!str_eq(found(&f, (VaultOptions){}), after));
        fixture_close(&f);
    }
    CHECK(nth > 12 && renewed > nth / 2);
}

TEST(a_given_key_cut_off_anywhere_is_finished_by_the_same_command) {
    bool was_cut = true;
    int nth = 0;
    for (; was_cut; nth++) {
        Fixture f;
        prepare(&f, NULL);
        key_write(&f, "new.key");
        const char *old = path_of(&f, "data/master.key"), *new = path_of(&f, "new.key");
        was_cut = cut_off(nth, rotation_run, &(Rotation){&f, old, new});
        CHECK_OK(rotate(&f, old, new));
        found(&f, (VaultOptions){.key_path = new});
        Vault vault = {.lock = -1};
        CHECK_ERR(taken_with(&f, (VaultOptions){.key_path = old}, &vault, NULL), ERR_STATE);
        fixture_close(&f);
    }
    CHECK(nth > 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(what_is_secret_rests_sealed_and_the_key_is_made_once),
        CASE(a_copied_folder_is_of_no_use_without_the_key),
        CASE(a_secret_in_the_place_of_another_is_refused),
        CASE(the_key_may_come_by_a_descriptor_and_is_then_written_nowhere),
        CASE(a_folder_of_an_older_program_is_sealed_when_it_is_taken),
        CASE(a_folder_that_was_never_set_up_is_left_alone),
        CASE(a_second_taker_is_refused_and_changes_nothing),
        CASE(a_new_key_cut_off_anywhere_leaves_every_secret_readable),
        CASE(a_given_key_cut_off_anywhere_is_finished_by_the_same_command),
    };
    return sodium_init() >= 0 && cmocka_run_group_tests(tests, NULL, NULL) == 0 ? 0 : 1;
}
