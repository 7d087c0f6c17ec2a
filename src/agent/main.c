// SPDX-License-Identifier: Apache-2.0
#include "agent/enrol.h"
#include "agent/run.h"
#include "base/log.h"

#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define STATE_FOLDER "/var/lib/muster-agent"
#define ENGINE_SOCKET "unix:///var/run/docker.sock"

#define ENROL_FILE "/etc/muster-agent/enrol"

static const char usage[] =
    "usage: muster-agent enrol TOKEN [--name NAME] [--state DIR] [--force]\n"
    "       muster-agent run [--state DIR] [--engine unix:///PATH] [--poll SECONDS]\n"
    "                        [--enrol-file FILE]\n"
    "       muster-agent --help | --version\n"
    "\n"
    "enrol     make this machine a device; TOKEN is an enrolment token, from `muster token "
    "create`\n"
    "  --name NAME       wished name, or `serial`, `mac`, `hostname`; else the host name\n"
    "  --force           become another device than this machine is already\n"
    "run       keep in touch with the server and run what it wants\n"
    "  --engine URL      the Docker Engine (" ENGINE_SOCKET ")\n"
    "  --poll SECONDS    poll so often instead of holding a channel\n"
    "  --enrol-file FILE by which a machine that is not enrolled joins: `token = TOKEN`, and\n"
    "                    `name = NAME` as above (" ENROL_FILE ")\n"
    "\n"
    "  --state DIR       where identity and desired state are kept (" STATE_FOLDER ")\n"
    "\n"
    "exit codes (as of muster): 0 done, 2 usage, 3 not let in, 4 no such thing,\n"
    "  5 enrolled already or in conflict, 6 wrong input, 7 no answer: try again,\n"
    "  8 this machine refused\n";

/// Everything that may be given.
typedef struct Arguments {
    EnrolOptions enrol;
    RunOptions run;
} Arguments;

static int main_usage_error(const char *what, const char *which) {
    fprintf(stderr, "muster-agent: %s%s; see muster-agent --help\n", what, which);
    return EXIT_USAGE;
}

static int main_enrol(const Arguments *arguments) {
    const EnrolOptions *options = &arguments->enrol;
    if (!options->token) return main_usage_error("missing TOKEN", "");
    if (options->name
        && (strlen(options->name) > 63 || !Pattern_slug.matches(str_from(options->name))))
        return main_usage_error("--name must be ", Pattern_slug.allowed);
    Reason reason = {};
    Err err = enrol(options, &reason);
    return err.code == OK ? EXIT_OK : err_report("muster-agent enrol", err, &reason);
}

static int main_run(const Arguments *arguments) {
    Reason reason = {};
    Err err = run(&arguments->run, &reason);
    return err.code == OK ? EXIT_OK : err_report("muster-agent run", err, &reason);
}

static const struct Verb {
    const char *name;
    const char *options; ///< letters of those that it takes
    int (*run)(const Arguments *arguments);
} verbs[] = {
    {"enrol", "nsf",  main_enrol},
    {"run",   "sepF", main_run  },
};

static const struct option long_options[] = {
    {"name",       required_argument, NULL, 'n'},
    {"state",      required_argument, NULL, 's'},
    {"force",      no_argument,       NULL, 'f'},
    {"engine",     required_argument, NULL, 'e'},
    {"poll",       required_argument, NULL, 'p'},
    {"enrol-file", required_argument, NULL, 'F'},
    {"help",       no_argument,       NULL, 'h'},
    {"version",    no_argument,       NULL, 'V'},
    {NULL,         0,                 NULL, 0  },
};

static bool main_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret_value) {
    return str_u64(str_from(text), ret_value).code == OK && *ret_value >= min && *ret_value <= max;
}

static bool main_take(Arguments *arguments, int letter, const char *value) {
    switch (letter) {
    case 'n':
        arguments->enrol.name = value;
        return true;
    case 's':
        arguments->enrol.state = value;
        arguments->run.state = value;
        return true;
    case 'f':
        arguments->enrol.force = true;
        return true;
    case 'e':
        arguments->run.engine = value;
        return true;
    case 'F':
        arguments->run.enrol_file = value;
        return true;
    case 'p':
        return main_number(value, 1, 86'400, &arguments->run.poll_s);
    default:
        return false;
    }
}

static int main_dispatch(const struct Verb *verb, int argc, char **argv) {
    Arguments arguments = {
        .enrol = {.state = STATE_FOLDER    },
        .run = { .state = STATE_FOLDER, .engine = ENGINE_SOCKET, .enrol_file = ENROL_FILE},
    };
    for (int letter; (letter = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        if (letter == 'h') {
            fputs(usage, stdout);
            return EXIT_OK;
        }
        if (letter == '?') return EXIT_USAGE; // getopt has said it
        if (!strchr(verb->options, letter) || !main_take(&arguments, letter, optarg))
            return main_usage_error("wrong option for ", verb->name);
    }
    if (optind < argc && verb->run == main_enrol) arguments.enrol.token = argv[optind++];
    if (optind < argc) return main_usage_error("unexpected argument ", argv[optind]);
    return verb->run(&arguments);
}

int main(int argc, char **argv) {
    mallopt(M_ARENA_MAX, 1); // one heap for both threads: memory matters more than its lock
    signal(SIGPIPE, SIG_IGN);
    log_setup("muster-agent", LOG_INFO);
    if (sodium_init() < 0)
        return err_report("muster-agent", FAIL(ERR_UNAVAILABLE, "no randomness"), NULL);
    if (argc < 2) return main_usage_error("missing verb", "");
    if (strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("muster-agent " MUSTER_VERSION);
        return EXIT_OK;
    }
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (strcmp(argv[1], verbs[i].name) == 0)
            return main_dispatch(&verbs[i], argc - 1, argv + 1);
    return main_usage_error("no such verb: ", argv[1]);
}
