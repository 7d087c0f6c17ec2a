// SPDX-License-Identifier: Apache-2.0
#include "io/file.h"

#include "base/scope.h"

#include "test.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/// A folder of its own for each test, current while it runs.
typedef struct Place {
    char folder[64];
    Arena arena;
} Place;

static int place_open(void **state) {
    Place *place = calloc(1, sizeof(*place));
    snprintf(place->folder, sizeof(place->folder), "/tmp/file_test.XXXXXX");
    arena_init(&place->arena, 1 << 20);
    *state = place;
    return mkdtemp(place->folder) && chdir(place->folder) == 0 ? 0 : -1;
}

/// The names in the current folder; `is_removing`: empty it too.
static int names_count(bool is_removing) {
    DIR *names = opendir(".");
    int count = 0;
    for (struct dirent *entry; (entry = readdir(names));) {
        if (str_eq(str_from(entry->d_name), S(".")) || str_eq(str_from(entry->d_name), S("..")))
            continue;
        count++;
        if (is_removing && unlink(entry->d_name) != 0) rmdir(entry->d_name);
    }
    closedir(names);
    return count;
}

static int place_close(void **state) {
    Place *place = *state;
    names_count(true);
    int status = chdir("/");
    status |= rmdir(place->folder);
    arena_done(&place->arena);
    free(place);
    return status;
}

#define PLACED(name) cmocka_unit_test_setup_teardown(name, place_open, place_close)

static Str load(Place *place, const char *path) {
    Str data = {};
    CHECK_OK(file_load(path, 1 << 16, &place->arena, &data, NULL));
    return data;
}

TEST(what_was_saved_is_loaded) {
    Place *place = *test_state;
    CHECK_OK(file_save("state", S("one\0two"), 0640, NULL));
    Str data = load(place, "state");
    CHECK_STR(data, S("one\0two"));
    CHECK(data.ptr[data.len] == '\0');
    struct stat status;
    CHECK(stat("state", &status) == 0);
    CHECK((status.st_mode & 07777) == 0640);
    CHECK_OK(file_save("state", S(""), 0600, NULL));
    data = load(place, "state");
    CHECK(data.ptr && data.len == 0);
    CHECK(names_count(false) == 1);
}

TEST(a_path_with_folders_is_saved_in_its_folder) {
    Place *place = *test_state;
    CHECK_OK(folder_make("sub", 0700, NULL));
    CHECK_OK(file_save("sub/state", S("x"), 0600, NULL));
    CHECK_STR(load(place, "sub/state"), S("x"));
    CHECK_OK(file_remove("sub/state", NULL));
    CHECK_ERR(file_save("none/state", S("x"), 0600, NULL), ERR_SYSTEM);
}

TEST(a_missing_file_is_not_found_and_may_be_removed) {
    Place *place = *test_state;
    Str data = S("untouched");
    CHECK_ERR(file_load("none", 10, &place->arena, &data, NULL), ERR_NOT_FOUND);
    CHECK_STR(data, S("untouched"));
    CHECK_OK(file_remove("none", NULL));
}

TEST(each_failure_names_its_path) {
    Place *place = *test_state;
    Str data = {};
    Reason reason = {};
    CHECK_ERR(file_load("none", 10, &place->arena, &data, &reason), ERR_NOT_FOUND);
    CHECK_STR(str_from(reason.text), S("none"));
    CHECK_ERR(file_load("none/state", 10, &place->arena, &data, &reason), ERR_NOT_FOUND);
    CHECK_STR(str_from(reason.text), S("none/state"));
    CHECK_ERR(file_save("none/new", S("x"), 0600, &reason), ERR_SYSTEM);
    CHECK_STR(str_from(reason.text), S("none/new"));
    CHECK_ERR(folder_make("none/sub", 0700, &reason), ERR_SYSTEM);
    CHECK_STR(str_from(reason.text), S("none/sub"));
    CHECK_OK(folder_make("full", 0700, &reason));
    Err err = file_remove("full", &reason);
    CHECK(err.code == ERR_SYSTEM && err.sys == EISDIR);
    CHECK_STR(str_from(reason.text), S("full"));
    CHECK(rmdir("full") == 0);
}

TEST(a_removed_file_is_gone) {
    Place *place = *test_state;
    CHECK_OK(file_save("state", S("x"), 0600, NULL));
    CHECK_OK(file_remove("state", NULL));
    Str data = {};
    CHECK_ERR(file_load("state", 10, &place->arena, &data, NULL), ERR_NOT_FOUND);
}

TEST(a_file_over_the_limit_is_refused) {
    Place *place = *test_state;
    CHECK_OK(file_save("state", S("12345"), 0600, NULL));
    Str data = {};
    CHECK_ERR(file_load("state", 4, &place->arena, &data, NULL), ERR_LIMIT);
    CHECK_OK(file_load("state", 5, &place->arena, &data, NULL));
    Arena small;
    arena_init(&small, 3);
    CHECK_ERR(file_load("state", 5, &small, &data, NULL), ERR_LIMIT);
    arena_done(&small);
}

TEST(files_that_show_no_size_are_loaded_too) {
    Place *place = *test_state;
    CHECK(load(place, "/proc/self/stat").len > 0);
}

TEST(links_pipes_and_folders_are_not_loaded) {
    Place *place = *test_state;
    CHECK_OK(file_save("real", S("x"), 0600, NULL));
    CHECK(symlink("real", "link") == 0);
    CHECK(mkfifo("pipe", 0600) == 0);
    Str data = {};
    CHECK_ERR(file_load("link", 10, &place->arena, &data, NULL), ERR_SYSTEM);
    CHECK_ERR(file_load("pipe", 10, &place->arena, &data, NULL), ERR_SYSTEM);
    CHECK_ERR(file_load(".", 10, &place->arena, &data, NULL), ERR_SYSTEM);
}

/// What fd_load makes of a pipe with `data` in it.
static Err pipe_load(Place *place, Str data, size_t max, Str *ret_data) {
    int ends[2];
    CHECK(pipe(ends) == 0);
    CHECK(write(ends[1], data.ptr, data.len) == (ssize_t)data.len);
    close(ends[1]);
    Err err = fd_load(ends[0], max, &place->arena, ret_data);
    close(ends[0]);
    return err;
}

TEST(an_open_pipe_is_loaded_to_its_end) {
    Place *place = *test_state;
    Str data = {};
    CHECK_OK(pipe_load(place, S("abc"), 3, &data));
    CHECK(str_eq(data, S("abc")));
    CHECK_ERR(pipe_load(place, S("abc"), 2, &data), ERR_LIMIT);
}

TEST(saving_never_writes_through_a_link) {
    Place *place = *test_state;
    CHECK_OK(file_save("real", S("old"), 0600, NULL));
    CHECK(symlink("real", "link") == 0);
    CHECK_OK(file_save("link", S("new"), 0600, NULL));
    CHECK_STR(load(place, "real"), S("old"));
    CHECK_STR(load(place, "link"), S("new"));
}

/// Files may have at most so many bytes from now on.
static void size_limit(rlim_t bytes) {
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    limit.rlim_cur = bytes;
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

TEST(a_save_that_fails_half_way_leaves_the_old_contents_and_nothing_else) {
    Place *place = *test_state;
    CHECK_OK(file_save("state", S("old"), 0600, NULL));
    static char large[10'000];
    memset(large, 'x', sizeof(large));
    signal(SIGXFSZ, SIG_IGN);
    size_limit(5000);
    Err err = file_save("state", (Str){large, sizeof(large)}, 0600, NULL);
    size_limit(RLIM_INFINITY);
    CHECK_ERR(err, ERR_FULL);
    CHECK_STR(load(place, "state"), S("old"));
    CHECK(names_count(false) == 1);
}

TEST(a_save_that_cannot_replace_leaves_nothing_behind) {
    CHECK_OK(folder_make("state", 0700, NULL));
    CHECK_ERR(file_save("state", S("x"), 0600, NULL), ERR_SYSTEM);
    CHECK(names_count(false) == 1);
}

TEST(a_path_that_is_too_long_is_refused) {
    char path[5000];
    memset(path, 'x', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    CHECK_ERR(file_save(path, S("x"), 0600, NULL), ERR_SYSTEM);
    path[4990] = '/';
    CHECK_ERR(file_save(path, S("x"), 0600, NULL), ERR_SYSTEM);
}

TEST(a_folder_is_made_once_with_its_mode) {
    mode_t before = umask(0077);
    CHECK_OK(folder_make("sub", 0755, NULL));
    umask(before);
    CHECK_OK(folder_make("sub", 0700, NULL));
    struct stat status;
    CHECK(stat("sub", &status) == 0);
    CHECK((status.st_mode & 07777) == 0755);
    CHECK_OK(file_save("state", S("x"), 0600, NULL));
    CHECK_ERR(folder_make("state", 0700, NULL), ERR_SYSTEM);
    CHECK_ERR(folder_make("none/sub", 0700, NULL), ERR_SYSTEM);
}

static bool made_private(const char *path, mode_t mode, mode_t then) {
    struct stat status;
    bool is_mended = false;
    CHECK(chmod(path, mode) == 0);
    CHECK_OK(file_make_private(path, &is_mended, NULL));
    CHECK(stat(path, &status) == 0 && (status.st_mode & 07777) == then);
    return is_mended;
}

TEST(what_is_private_is_taken_from_others_once) {
    bool is_mended = true;
    CHECK_OK(file_save("key", S("x"), 0644, NULL));
    CHECK_OK(folder_make("sub", 0755, NULL));
    CHECK(made_private("key", 0644, 0600));
    CHECK(made_private("key", 0420, 0400));
    CHECK(!made_private("key", 0600, 0600));
    CHECK(made_private("sub", 0755, 0700));
    CHECK_OK(file_make_private("none", &is_mended, NULL));
    CHECK(!is_mended);
    struct stat status;
    CHECK(chmod("sub", 0755) == 0 && symlink("sub", "link") == 0);
    CHECK_OK(file_make_private("link", &is_mended, NULL));
    CHECK(!is_mended && stat("sub", &status) == 0 && (status.st_mode & 0777) == 0755);
}

TEST_MAIN(PLACED(what_was_saved_is_loaded),
          PLACED(a_path_with_folders_is_saved_in_its_folder),
          PLACED(a_missing_file_is_not_found_and_may_be_removed),
          PLACED(each_failure_names_its_path),
          PLACED(a_removed_file_is_gone),
          PLACED(a_file_over_the_limit_is_refused),
          PLACED(files_that_show_no_size_are_loaded_too),
          PLACED(links_pipes_and_folders_are_not_loaded),
          PLACED(an_open_pipe_is_loaded_to_its_end),
          PLACED(saving_never_writes_through_a_link),
          PLACED(a_save_that_fails_half_way_leaves_the_old_contents_and_nothing_else),
          PLACED(a_save_that_cannot_replace_leaves_nothing_behind),
          PLACED(a_path_that_is_too_long_is_refused),
          PLACED(a_folder_is_made_once_with_its_mode),
          PLACED(what_is_private_is_taken_from_others_once))
