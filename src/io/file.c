// SPDX-License-Identifier: Apache-2.0
#include "io/file.h"

#include "base/scope.h"
#include "base/text.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE_BYTES = 4096 };

/// A failure tells which file or folder it is about.
static Err file_path_name(Err err, const char *path, Reason *reason) {
    return err.code == OK ? err : reason_fail(reason, err, "%s", path);
}

static Err file_read_all(int fd, Text *text) {
    char piece[PIECE_BYTES];
    for (;;) {
        ssize_t got = read(fd, piece, sizeof(piece));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return FAIL_SYS("cannot read");
        if (got == 0) return SUCCESS;
        text_add(text, (Str){piece, (size_t)got});
        if (text->failed == ERR_LIMIT) return FAIL(ERR_LIMIT, "the file is larger than allowed");
        TRY(text_check(text));
    }
}

Err fd_load(int fd, size_t max, Arena *arena, Str *ret_data) {
    SCOPED(text_done) Text text; // the size is not known before: files of /proc have none
    text_init(&text, max);
    TRY(file_read_all(fd, &text));
    Str data = str_dup(arena, text_str(&text));
    TRY(arena_check(arena));
    *ret_data = data;
    return SUCCESS;
}

static Err file_read(const char *path, size_t max, Arena *arena, Str *ret_data) {
    // O_NONBLOCK: a pipe in the place of a file must not hold us
    SCOPED(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT) return FAIL(ERR_NOT_FOUND, "there is no such file");
    if (fd < 0) return FAIL_SYS("cannot open");
    struct stat status;
    if (fstat(fd, &status) != 0) return FAIL_SYS("cannot look at");
    if (!S_ISREG(status.st_mode)) return err_sys(EINVAL, "not a regular file");

    return fd_load(fd, max, arena, ret_data);
}

Err file_load(const char *path, size_t max, Arena *arena, Str *ret_data, Reason *reason) {
    return file_path_name(file_read(path, max, arena, ret_data), path, reason);
}

static Err file_write_all(int fd, Str data) {
    while (data.len > 0) {
        ssize_t put = write(fd, data.ptr, data.len);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return FAIL_SYS("cannot write");
        data = str_slice(data, (size_t)put, data.len);
    }
    return SUCCESS;
}

/// The folder that `path` is in, open.
static Err file_folder_open(const char *path, int *ret_fd) {
    Str rest = str_from(path);
    while (rest.len > 0 && rest.ptr[rest.len - 1] != '/')
        rest.len--;
    char folder[PATH_MAX];
    int len = rest.len ? snprintf(folder, sizeof(folder), "%.*s", STR_FMT(rest))
                       : snprintf(folder, sizeof(folder), ".");
    if (len >= (int)sizeof(folder)) return err_sys(ENAMETOOLONG, "the path is too long");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return FAIL_SYS("cannot open the folder of");
    *ret_fd = fd;
    return SUCCESS;
}

/// Make the names in a folder durable.
static Err file_folder_sync(int fd) {
    return fsync(fd) == 0 ? SUCCESS : FAIL_SYS("cannot sync the folder of");
}

/// Fill the new file and put it in the place of the old.
static Err
file_temporary_install(int fd, const char *temporary, const char *path, Str data, mode_t mode) {
    TRY(file_write_all(fd, data));
    if (fchmod(fd, mode) != 0) return FAIL_SYS("cannot set the mode of");
    if (fsync(fd) != 0) return FAIL_SYS("cannot sync");
    if (rename(temporary, path) != 0) return FAIL_SYS("cannot replace");
    return SUCCESS;
}

static Err file_replace(const char *path, Str data, mode_t mode) {
    SCOPED(fd_closep) int folder = -1;
    TRY(file_folder_open(path, &folder));
    char temporary[PATH_MAX];
    int len = snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path);
    if (len >= (int)sizeof(temporary)) return err_sys(ENAMETOOLONG, "the path is too long");
    SCOPED(fd_closep) int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) return FAIL_SYS("cannot make a file beside");
    Err err = file_temporary_install(fd, temporary, path, data, mode);
    if (err.code != OK) {
        unlink(temporary);
        return err;
    }
    return file_folder_sync(folder);
}

Err file_save(const char *path, Str data, mode_t mode, Reason *reason) {
    return file_path_name(file_replace(path, data, mode), path, reason);
}

static Err file_unlink(const char *path) {
    if (unlink(path) != 0) return errno == ENOENT ? SUCCESS : FAIL_SYS("cannot remove");
    SCOPED(fd_closep) int folder = -1;
    TRY(file_folder_open(path, &folder));
    return file_folder_sync(folder);
}

Err file_remove(const char *path, Reason *reason) {
    return file_path_name(file_unlink(path), path, reason);
}

static Err file_folder_add(const char *path, mode_t mode) {
    if (mkdir(path, mode) != 0) {
        if (errno != EEXIST) return FAIL_SYS("cannot make the folder");
        struct stat status;
        if (stat(path, &status) != 0) return FAIL_SYS("cannot look at");
        return S_ISDIR(status.st_mode) ? SUCCESS : err_sys(ENOTDIR, "not a folder");
    }
    if (chmod(path, mode) != 0) return FAIL_SYS("cannot set the mode of"); // umask
    SCOPED(fd_closep) int folder = -1;
    TRY(file_folder_open(path, &folder));
    return file_folder_sync(folder);
}

Err folder_make(const char *path, mode_t mode, Reason *reason) {
    return file_path_name(file_folder_add(path, mode), path, reason);
}

static Err file_others_shut_out(const char *path, bool *ret_mended) {
    struct stat status;
    *ret_mended = false;
    if (lstat(path, &status) != 0) return errno == ENOENT ? SUCCESS : FAIL_SYS("cannot look at");
    mode_t others = status.st_mode & (S_IRWXG | S_IRWXO);
    if (others == 0 || S_ISLNK(status.st_mode)) return SUCCESS;
    if (chmod(path, status.st_mode & S_IRWXU) != 0) return FAIL_SYS("cannot set the mode of");
    *ret_mended = true;
    return SUCCESS;
}

Err file_make_private(const char *path, bool *ret_mended, Reason *reason) {
    return file_path_name(file_others_shut_out(path, ret_mended), path, reason);
}
