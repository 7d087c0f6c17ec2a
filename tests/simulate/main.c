// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"
#include "base/str.h"
#include "simulate.h"

#include <getopt.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: muster-simulate --count N --server URL --token TOKEN [--seconds S] [--rate R]\n"
    "                       [--poll SECONDS]\n"
    "\n"
    "Be many devices that run nothing, for tests and measurements.\n"
    "  --count N         so many\n"
    "  --server URL      https://HOST[:PORT]\n"
    "  --token TOKEN     enrolment token that allows so many\n"
    "  --seconds S       stay so long; else until a signal\n"
    "  --rate R          enrolments a second, at most\n"
    "  --poll SECONDS    poll so often instead of holding a channel\n";

static const struct option long_options[] = {
    {"server",  required_argument, NULL, 'u'},
    {"token",   required_argument, NULL, 't'},
    {"poll",    required_argument, NULL, 'p'},
    {"count",   required_argument, NULL, 'c'},
    {"seconds", required_argument, NULL, 'S'},
    {"rate",    required_argument, NULL, 'r'},
    {"help",    no_argument,       NULL, 'h'},
    {NULL,      0,                 NULL, 0  },
};

static bool number_parse(const char *text, uint64_t max, uint64_t *ret_value) {
    return str_u64(str_from(text), ret_value).code == OK && *ret_value >= 1 && *ret_value <= max;
}

static bool argument_take(SimulateOptions *options, int letter, const char *value) {
    switch (letter) {
    case 'u':
        options->server = value;
        return true;
    case 't':
        options->token = value;
        return true;
    case 'p':
        return number_parse(value, 86'400, &options->poll_s);
    case 'c':
        return number_parse(value, SIMULATE_MAX, &options->count);
    case 'S':
        return number_parse(value, UINT32_MAX, &options->seconds);
    case 'r':
        return number_parse(value, 100'000, &options->rate);
    default:
        return false;
    }
}

int main(int argc, char **argv) {
    SimulateOptions options = {};
    signal(SIGPIPE, SIG_IGN);
    log_setup("muster-simulate", LOG_INFO);
    if (sodium_init() < 0) return 1;
    for (int letter; (letter = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        if (letter == 'h') {
            fputs(usage, stdout);
            return 0;
        }
        if (letter == '?') return 2; // getopt has said it
        if (argument_take(&options, letter, optarg)) continue;
        fprintf(stderr, "muster-simulate: \"%s\" is not allowed here\n", optarg);
        return 2;
    }
    if (!options.server || !options.token || options.count == 0 || optind < argc) {
        fputs(usage, stderr);
        return 2;
    }
    Reason reason = {};
    Err err = simulate(&options, &reason);
    return err.code == OK ? EXIT_OK : err_report("muster-simulate", err, &reason);
}
