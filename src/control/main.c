// SPDX-License-Identifier: Apache-2.0
/// musterd: the control plane.
#include "base/log.h"
#include "base/scope.h"
#include "control/data.h"
#include "control/init.h"
#include "control/org/org.h"
#include "control/serve.h"
#include "db/db.h"

#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum {
    HOSTS_MAX = 16,
    MAIN_ARENA_MAX = 4 * 1024 * 1024,
};

static const char usage_text[] =
    "musterd: the control plane of Muster\n"
    "\n"
    "  musterd init --data DIR [--org NAME] [--owner NAME] [--host NAME-OR-ADDRESS]...\n"
    "      set up the folder, a private CA, an organisation and its owner;\n"
    "      prints the owner's password once\n"
    "  musterd add-org --data DIR --org NAME [--owner NAME]\n"
    "      one more organisation, with its owner\n"
    "  musterd run --data DIR [--config FILE]\n"
    "      serve until SIGTERM\n"
    "  musterd check-config --data DIR [--config FILE]\n"
    "      say what is wrong with the settings, exit 6\n"
    "  musterd help | version\n";

typedef struct Options {
    const char *data;
    const char *config;
    const char *org;
    const char *owner;
    Str hosts[HOSTS_MAX];
    size_t host_count;
} Options;

static bool main_parse_options(int argc, char **argv, Options *ret_options) {
    static const struct option known[] = {
        {"data",             required_argument, NULL, 'd'},
        {"config",              required_argument, NULL, 'c'},
        {"org",                  required_argument, NULL, 'o'},
        {"owner",required_argument, NULL, 'w'},
        {"host",               required_argument, NULL, 'h'},
        {             }
    };
    Options options = {.org = "main", .owner = "owner"};
    for (int got; (got = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        switch (got) {
        case 'd':
            options.data = optarg;
            break;
        case 'c':
            options.config = optarg;
            break;
        case 'o':
            options.org = optarg;
            break;
        case 'w':
            options.owner = optarg;
            break;
        case 'h':
            if (options.host_count == HOSTS_MAX) {
                fprintf(stderr, "musterd: at most %d --host\n", HOSTS_MAX);
                return false;
            }
            options.hosts[options.host_count++] = str_from(optarg);
            break;
        default:
            return false;
        }
    }
    if (optind < argc || !options.data) {
        fputs(options.data ? "musterd: too many words; see musterd help\n"
                           : "musterd: --data DIR is needed; see musterd help\n",
              stderr);
        return false;
    }
    *ret_options = options;
    return true;
}

static void main_print_credentials(const Credentials *made, Str fingerprint) {
    printf("organisation    %.*s\n", STR_FMT(made->org));
    printf("owner           %.*s\n", STR_FMT(made->owner));
    printf("password        %.*s\n", STR_FMT(made->password));
    printf("ca-fingerprint  %.*s\n", STR_FMT(fingerprint));
    printf(
        "The password is shown this once. Sign in with:\n"
        "  muster login --server https://HOST:PORT --ca-fingerprint %.*s --org %.*s --name %.*s\n",
        STR_FMT(fingerprint),
        STR_FMT(made->org),
        STR_FMT(made->owner));
}

static Err main_write_org(const Options *options, bool first, Arena *arena, Reason *reason) {
    Clock clock = clock_system();
    Db *db = NULL;
    Credentials made;
    Str fingerprint;
    TRY(data_ca_fingerprint(options->data, arena, &fingerprint, reason));
    TRY(data_db_open(options->data, 1, arena, &db, reason));
    uint64_t count = 0;
    Err err = org_count(db, arena, &count);
    if (err.code == OK && first && count > 0)
        err = FAIL(ERR_EXISTS, "this folder is set up already; see musterd add-org");
    if (err.code == OK)
        err = org_make(db,
                       str_from(options->org),
                       str_from(options->owner),
                       clock_now_ms(&clock),
                       arena,
                       &made);
    db_close(db);
    if (err.code == OK) main_print_credentials(&made, fingerprint);
    return err;
}

static int main_init(Options *options, Arena *arena) {
    static const Str standard[] = {
        {"localhost", 9},
        {"127.0.0.1", 9},
        {"::1",       3}
    };
    for (size_t i = 0; i < 3 && options->host_count < HOSTS_MAX; i++)
        options->hosts[options->host_count++] = standard[i];
    Clock clock = clock_system();
    StrList hosts = {options->hosts, options->host_count};
    Reason reason = {};
    Err err = data_make(options->data, hosts, clock_now_ms(&clock), arena, &reason);
    if (err.code == OK) err = main_write_org(options, true, arena, &reason);
    return err.code == OK ? EXIT_OK : err_report("musterd init", err, &reason);
}

static int main_add_org(Options *options, Arena *arena) {
    Reason reason = {};
    Err err = main_write_org(options, false, arena, &reason);
    return err.code == OK ? EXIT_OK : err_report("musterd add-org", err, &reason);
}

static int main_read_config(const Options *options, Arena *arena, Config *ret_config) {
    Faults faults;
    faults_init(&faults, arena);
    Reason reason = {};
    Err err = data_config(options->data, options->config, arena, &faults, ret_config, &reason);
    for (size_t i = 0; i < faults.count; i++)
        fprintf(stderr,
                "musterd: setting %.*s: %.*s\n",
                STR_FMT(str_slice(faults.items[i].pointer, 1, SIZE_MAX)),
                STR_FMT(faults.items[i].allowed));
    return err.code == OK ? EXIT_OK : err_report("musterd config", err, &reason);
}

static int main_check_config(Options *options, Arena *arena) {
    Config config;
    return main_read_config(options, arena, &config);
}

static int main_serve(Options *options, Arena *arena) {
    Config config;
    int status = main_read_config(options, arena, &config);
    if (status != EXIT_OK) return status;
    log_setup("musterd", config.log_level);
    Reason reason = {};
    Err err = serve(options->data, &config, arena, &reason);
    return err.code == OK ? EXIT_OK : err_report("musterd run", err, &reason);
}

static const struct {
    const char *name;
    int (*run)(Options *options, Arena *arena);
} verbs[] = {
    {"init",         main_init        },
    {"add-org",      main_add_org     },
    {"run",          main_serve       },
    {"check-config", main_check_config},
};

int main(int argc, char **argv) {
    umask(077);
    if (argc < 2 || strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0) {
        fputs(usage_text, argc < 2 ? stderr : stdout);
        return argc < 2 ? EXIT_USAGE : EXIT_OK;
    }
    if (strcmp(argv[1], "version") == 0 || strcmp(argv[1], "--version") == 0) {
        puts("musterd " MUSTER_VERSION);
        return EXIT_OK;
    }
    if (sodium_init() < 0) return EXIT_LOCAL;
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(argv[1], verbs[i].name) != 0) continue;
        Options options;
        if (!main_parse_options(argc - 1, argv + 1, &options)) return EXIT_USAGE;
        Arena arena;
        arena_init(&arena, MAIN_ARENA_MAX);
        int status = verbs[i].run(&options, &arena);
        arena_done(&arena);
        return status;
    }
    fprintf(stderr, "musterd: no verb %s; see musterd help\n", argv[1]);
    return EXIT_USAGE;
}
