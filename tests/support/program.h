// SPDX-License-Identifier: Apache-2.0
/// For tests: run a program as a shell would, with all that it says.
#pragma once

#include "base/str.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

enum { PROGRAM_SAID_MAX = 16 * 1024 };

/// What a program said, to both outputs, and how it ended.
typedef struct Said {
    int code; ///< exit code; -1: it was killed
    char text[PROGRAM_SAID_MAX];
} Said;

/// Run `program`, a path, with these words.
static inline Said program_run(const char *program, const char *words) {
    Said said = {.code = -1};
    char command[4096];
    snprintf(command, sizeof(command), "exec '%s' %s 2>&1 </dev/null", program, words);
    FILE *pipe = popen(command, "r");
    if (!pipe) return said;
    size_t len = fread(said.text, 1, sizeof(said.text) - 1, pipe);
    said.text[len] = '\0';
    int status = pclose(pipe);
    if (WIFEXITED(status)) said.code = WEXITSTATUS(status);
    return said;
}

/// It ends with `code` and says `text` somewhere.
#define CHECK_ENDS(program, words, expected, part)                                        \
    do {                                                                                  \
        Said check_said_ = program_run((program), (words));                               \
        if (check_said_.code != (expected) || !strstr(check_said_.text, (part)))          \
            fail_msg("%s ends with %d: %s", (words), check_said_.code, check_said_.text); \
    } while (0)
