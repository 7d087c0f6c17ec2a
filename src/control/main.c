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
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
    "  musterd rotate-key --data DIR [--new-master-key FILE]\n"
    "      put a new server key in the place of the old one and seal everything anew;\n"
    "      with --new-master-key under the key in FILE, which you give from then on\n"
    "  musterd check-config --data DIR [--config FILE]\n"
    "      say what is wrong with the settings, exit 6\n"
    "  musterd help | version\n"
    "\n"
    "Secrets in DIR are sealed under the server key: 64 hex digits, read from\n"
    "  --master-key FILE, or --master-key-fd NUMBER, or else\n"
    "  $CREDENTIALS_DIRECTORY/master.key, if there is one, or else DIR/master.key,\n"
    "which is made at first. One process at a time works in DIR.\n";

typedef struct Options {
    const char *data;
    const char *config;
    const char *org;
    const char *owner;
    const char *new_master_key;
    VaultOptions vault;
    Str hosts[HOSTS_MAX];
    size_t host_count;
} Options;

/// A descriptor's number. False: it is none, which has been said.
static bool main_parse_fd(const char *text, int *ret_fd) {
    char *end = NULL;
    errno = 0;
    long number = strtol(text, &end, 10);
    bool is_good = errno == 0 && end != text && *end == '\0' && number >= 0 && number <= INT32_MAX;
    if (!is_good) fputs("musterd: --master-key-fd is the number of a descriptor\n", stderr);
    if (is_good) *ret_fd = (int)number;
    return is_good;
}

static bool main_add_host(Options *options, const char *host) {
    if (options->host_count == HOSTS_MAX) {
        fprintf(stderr, "musterd: at most %d --host\n", HOSTS_MAX);
        return false;
    }
    options->hosts[options->host_count++] = str_from(host);
    return true;
}

static bool main_parse_options(int argc, char **argv, Options *ret_options) {
    Options options = {.org = "main", .owner = "owner", .vault.key_fd = -1};
    const char *key_fd = NULL;
    const struct {
        const char *name;
        const char **text; // NULL: a host
    } rows[] = {
        {"data",           &options.data          },
        {"config",         &options.config        },
        {"org",            &options.org           },
        {"owner",          &options.owner         },
        {"master-key",     &options.vault.key_path},
        {"master-key-fd",  &key_fd                },
        {"new-master-key", &options.new_master_key},
        {"host",           NULL                   },
    };
    enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
    struct option known[ROWS + 1] = {};
    for (size_t i = 0; i < ROWS; i++)
        known[i] = (struct option){.name = rows[i].name, .has_arg = required_argument};
    int row = 0;
    for (int got; (got = getopt_long(argc, argv, "", known, &row)) != -1;) {
        if (got != 0) return false;
        if (rows[row].text) *rows[row].text = optarg;
        if (!rows[row].text && !main_add_host(&options, optarg)) return false;
    }
    if (key_fd && !main_parse_fd(key_fd, &options.vault.key_fd)) return false;
    if (optind < argc || !options.data) {
        fputs(options.data ? "musterd: too many words; see musterd help\n"
                           : "musterd: --data DIR is needed; see musterd help\n",
              stderr);
        return false;
    }
    *ret_options = options;
    return true;
}

/// Take the folder; the key comes from where systemd puts it, if nothing else was said.
static Err main_take_folder(
    const Options *options, bool make, Arena *arena, Vault *ret_vault, Reason *reason) {
    VaultOptions given = options->vault;
    const char *credentials = getenv("CREDENTIALS_DIRECTORY");
    if (credentials && !given.key_path && given.key_fd < 0) {
        Str path = data_path(arena, credentials, "master.key");
        TRY(arena_check(arena));
        if (access(path.ptr, F_OK) == 0) given.key_path = path.ptr;
    }
    given.make = make;
    return vault_open(options->data, &given, arena, ret_vault, reason);
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
    TRY(data_db_open(options->data, &(DataDbOptions){.readers = 1}, arena, &db, reason));
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
    SCOPED(vault_close) Vault vault = {.lock = -1};
    Reason reason = {};
    Err err = main_take_folder(options, true, arena, &vault, &reason);
    if (err.code == OK) err = data_make(&vault, hosts, clock_now_ms(&clock), arena, &reason);
    if (err.code == OK) err = main_write_org(options, true, arena, &reason);
    return err.code == OK ? EXIT_OK : err_report("musterd init", err, &reason);
}

static int main_add_org(Options *options, Arena *arena) {
    SCOPED(vault_close) Vault vault = {.lock = -1};
    Reason reason = {};
    Err err = main_take_folder(options, false, arena, &vault, &reason);
    if (err.code == OK) err = main_write_org(options, false, arena, &reason);
    return err.code == OK ? EXIT_OK : err_report("musterd add-org", err, &reason);
}

static int main_rotate_key(Options *options, Arena *arena) {
    SCOPED(vault_close) Vault vault = {.lock = -1};
    Reason reason = {};
    options->vault.new_key_path = options->new_master_key; // it is in place with the folder taken
    Err err = main_take_folder(options, false, arena, &vault, &reason);
    if (err.code == OK && !options->vault.new_key_path) err = vault_rotate(&vault, arena, &reason);
    if (err.code != OK) return err_report("musterd rotate-key", err, &reason);
    printf("sealed under key %s\n", vault.key.id);
    return EXIT_OK;
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
    SCOPED(vault_close) Vault vault = {.lock = -1};
    Reason reason = {};
    Err err = main_take_folder(options, false, arena, &vault, &reason);
    if (err.code == OK) err = serve(&vault, &config, arena, &reason);
    return err.code == OK ? EXIT_OK : err_report("musterd run", err, &reason);
}

static const struct {
    const char *name;
    int (*run)(Options *options, Arena *arena);
} verbs[] = {
    {"init",         main_init        },
    {"add-org",      main_add_org     },
    {"run",          main_serve       },
    {"rotate-key",   main_rotate_key  },
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
