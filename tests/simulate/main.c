// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"
#include "base/str.h"
#include "simulate.h"
#include "spread.h"

#include <getopt.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static const char usage[] =
    "usage: muster-simulate --count N --token TOKEN [--seconds S] [--rate R]\n"
    "                       [--poll SECONDS] [--processes N] [--addresses N] [--seed N]\n"
    "                       [--fault NAME=VALUE]... [--alone] [--only-enrol] [--steady]\n"
    "\n"
    "Be many devices that run nothing, for tests and measurements.\n"
    "  --count N         so many\n"
    "  --token TOKEN     enrolment token that allows so many\n"
    "  --seconds S       stay so long; else until a signal\n"
    "  --rate R          enrolments a second, at most\n"
    "  --poll SECONDS    poll so often instead of holding a channel\n"
    "  --processes N     share the devices out over so many, at most 64; else one for 500. Each\n"
    "                    enrols one device at a time and may have as many files as `ulimit -n`\n"
    "  --addresses N     channels go out from so many addresses of 127.0.0.0/8 if the server is "
    "on\n"
    "                    loopback; else one each. Calls go out from one for each process\n"
    "  --alone           each enrols over a connection of its own, with a full handshake; else\n"
    "                    those of a process share one\n"
    "  --only-enrol      leave as soon as all have enrolled\n"
    "  --steady          measurements never change; else each heartbeat has new ones\n"
    "  --seed N          of the faults: the same strike at the same moments again\n"
    "  --fault NAME=VALUE, each once:\n"
    "    drop=P          a channel is cut without a goodbye; with chance P, 0 to 1, each minute\n"
    "    silent=P        a device does not answer for two minutes; with chance P each minute\n"
    "    garbage=P       a device sends bytes that are no message; with chance P each minute\n"
    "    slow=MS         a device reads no oftener than each MS milliseconds\n"
    "    fail=P          a release fails on a device instead of running; with chance P each time\n"
    "    flap=S          a device leaves, and comes back at once, each S seconds\n"
    "  drop, silent, garbage and slow are for channels, not for polls.\n"
    "\n"
    "The result is one line of JSON on standard output; what happens meanwhile, on standard "
    "error.\n";

static const struct option long_options[] = {
    {"token",      required_argument, NULL, 't'},
    {"poll",       required_argument, NULL, 'p'},
    {"count",      required_argument, NULL, 'c'},
    {"seconds",    required_argument, NULL, 'S'},
    {"rate",       required_argument, NULL, 'r'},
    {"processes",  required_argument, NULL, 'P'},
    {"addresses",  required_argument, NULL, 'a'},
    {"seed",       required_argument, NULL, 's'},
    {"fault",      required_argument, NULL, 'f'},
    {"alone",      no_argument,       NULL, 'A'},
    {"only-enrol", no_argument,       NULL, 'o'},
    {"steady",     no_argument,       NULL, 'd'},
    {"help",       no_argument,       NULL, 'h'},
    {NULL,         0,                 NULL, 0  },
};

static bool number_parse(const char *text, uint64_t max, uint64_t *ret_value) {
    return str_u64(str_from(text), ret_value).code == OK && *ret_value >= 1 && *ret_value <= max;
}

static bool argument_take(SimulateOptions *options, int letter, const char *value) {
    switch (letter) {
    case 'A':
        options->is_alone = true;
        return true;
    case 'o':
        options->only_enrols = true;
        return true;
    case 'd':
        options->is_steady = true;
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
    case 'P':
        return number_parse(value, SIMULATE_PROCESSES_MAX, &options->processes);
    case 'a':
        return number_parse(value, SPREAD_MAX, &options->addresses);
    case 's':
        return number_parse(value, UINT64_MAX, &options->faults.seed);
    case 'f':
        return fault_plan_add(&options->faults, str_from(value)).code == OK;
    default:
        return false;
    }
}

/// As many files as the system lets us have: each device is one.
static void files_allow(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
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
    if (!options.token || options.count == 0 || optind < argc) {
        fputs(usage, stderr);
        return 2;
    }
    files_allow();
    Reason reason = {};
    Err err = simulate(&options, &reason);
    return err.code == OK ? EXIT_OK : err_report("muster-simulate", err, &reason);
}
