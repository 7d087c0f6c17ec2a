// SPDX-License-Identifier: Apache-2.0
// muster: the operator's command line.
#include "cli/cli.h"

#include <signal.h>
#include <stdlib.h>

static const char *main_variable(const char *name) {
    return getenv(name);
}

int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN); // a closed pipe is an error of write
    Cli cli = {
        .verbs = &muster_verbs,
        .clock = clock_system(),
        .out = stdout,
        .err = stderr,
        .variable = main_variable,
        .poll_ms = 1000,
    };
    return cli_main(&cli, argc, argv);
}
