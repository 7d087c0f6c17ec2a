// SPDX-License-Identifier: Apache-2.0
/// For tests: run a program as a shell would, with all that it says.
#pragma once

#include "base/str.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROGRAM_SAID_MAX = 16 * 1024 };

/// What a program said, to both outputs, and how it ended.
typedef struct Said {
    int code; ///< exit code; -1: it was killed
    char text[PROGRAM_SAID_MAX];
} Said;

/// Run `program`, a path, with these words, as the shell reads them.
static inline Said program_run(const char *program, const char *words) {
    Said said = {.code = -1};
    char command[4096];
    int ends[2], status = 0;
    snprintf(command, sizeof(command), "exec '%s' %s", program, words);
    if (pipe(ends) != 0) return said;
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        execl("/bin/sh", "sh", "-c", command, NULL);
        _exit(127);
    }
    close(ends[1]);
    size_t len = 0;
    for (ssize_t got = 1; got > 0 && len<sizeof(said.text) - 1; len += got> 0 ? (size_t)got : 0)
        got = read(ends[0], said.text + len, sizeof(said.text) - 1 - len);
    close(ends[0]);
    said.text[len] = '\0';
    if (child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status))
        said.code = WEXITSTATUS(status);
    return said;
}

/// It ends with `code` and says `text` somewhere.
#define CHECK_ENDS(program, words, expected, part)                                        \
    do {                                                                                  \
        Said check_said_ = program_run((program), (words));                               \
        if (check_said_.code != (expected) || !strstr(check_said_.text, (part)))          \
            fail_msg("%s ends with %d: %s", (words), check_said_.code, check_said_.text); \
    } while (0)
