// SPDX-License-Identifier: Apache-2.0
/// One run of `muster`, and the rows that say what it can do.
///
/// A `Verb` is an endpoint of the API (base/endpoint.h), and that is all of it for most: positional
/// arguments fill its path, options its body or its query by their Schemas, and the reply is shown
/// by its Schema. A verb that does more has a `run` of its own. Parsing, help, manual and
/// completion follow.
#pragma once

#include "base/endpoint.h"
#include "cli/session.h"

#include <stdio.h>

typedef struct HttpClient HttpClient;
typedef struct Cli Cli;
typedef struct Verb Verb;

enum {
    CLI_OPTIONS_MAX = 64,
    CLI_POSITIONALS_MAX = 4,
    CLI_ARENA_MAX = 64 * 1024 * 1024,
    CLI_LIST_DEFAULT = 1000, ///< records that a list shows without --limit
};

/// An option that is no field of the body or the query.
typedef struct Option {
    const char *name;  ///< "ca-fingerprint"
    char letter;       ///< 'f': it is also "-f"; 0: none
    const char *value; ///< what it takes: "HEX"; NULL: nothing, it is a flag
    const char *doc;
} Option;

struct Verb {
    const char *noun; ///< "" at the top
    const char *name;
    const Endpoint *endpoint;               ///< what it calls; NULL: nothing
    Err (*run)(Cli *cli, const Verb *verb); ///< NULL: row_run
    const char *args; ///< positional arguments of one with a `run`: "[NOUN] [VERB]"; NULL: none
    const char *doc;  ///< one line; NULL in a row: the endpoint's
    const Option *options; ///< of one with a `run`: all that it takes
    size_t option_count;
};

/// The rows of all verbs that are not just an endpoint.
typedef struct Verbs {
    const Verb *rows;
    size_t count;
} Verbs;

/// An option of a verb, wherever it comes from.
typedef struct OptionView {
    char name[64];     ///< "fleet", "uses-max", "labels.KEY"
    char letter;       ///< 'l': it is also "-l"; 0: none
    const char *value; ///< NULL: a flag
    const char *doc;
    const Field *field; ///< it fills this field; NULL: it is none
    bool is_filter;     ///< of the query, not of the body
} OptionView;

typedef struct CliArgs {
    Str positionals[CLI_POSITIONALS_MAX];
    size_t positional_count;
    StrPair options[CLI_OPTIONS_MAX]; ///< name without dashes; a flag's value is "true"
    size_t option_count;
} CliArgs;

struct Cli {
    const Verbs *verbs;
    Arena arena;
    Clock clock;
    FILE *out;
    FILE *err;
    const char *(*variable)(const char *name); ///< environment
    uint64_t poll_ms;                          ///< between two looks at a deployment
    CliArgs args;
    bool json;
    Str config_path;
    Session session;
    HttpClient *http;
    Str message; ///< with an error: what happened; absent: the error's own text
    Reason said; ///< with an error without a message: what it is about, and others' words
    Faults faults;
    int exit_code; ///< of a run that ended without an error
};

/// What `muster` can do beyond the calls of the API.
extern const Verbs muster_verbs;

/// Run the command line. Returns the exit code; everything is printed. `argv[0]` is the program.
int cli_main(Cli *cli, int argc, char **argv);

/// The `at`-th option of the verb, its own before the common ones. False: there are no more.
bool verb_option(const Verb *verb, size_t at, OptionView *ret_option);
/// The `at`-th verb: those of the noun "" first, then sorted by noun. False: there are no more.
bool verb_at(const Verbs *verbs, size_t at, Verb *ret_verb);
/// The verb of these two words. False: there is none.
bool verb_find(const Verbs *verbs, Str noun, Str name, Verb *ret_verb);
/// There are verbs of this noun.
bool verb_noun_is_known(const Verbs *verbs, Str noun);
/// Append the verb's positional arguments, "FLEET": its own, or the parameters of its path.
void verb_args(const Verb *verb, Text *out);
/// Parse what follows the verb. ERR_INVALID: cli->message says what is wrong.
Err cli_parse(Cli *cli, const Verb *verb, int argc, char **argv);
/// The value of the option; absent: not given.
Str cli_option(const Cli *cli, const char *name);
/// The same, which must be given. ERR_INVALID.
Err cli_need(Cli *cli, const char *name, Str *ret_value);

/// Fail because of how the program was called, with a text of its own: exit code 2.
__attribute__((format(printf, 2, 3))) Err cli_usage(Cli *cli, const char *format, ...);
/// Fail for `code` with a text of its own.
__attribute__((format(printf, 3, 4))) Err cli_fail(Cli *cli, ErrCode code, const char *format, ...);

/// Print why the run failed. Returns its exit code.
int cli_error(Cli *cli, Err err);

/// Print the text. ERR_SYSTEM: the output cannot be written.
Err cli_print(Cli *cli, const Text *text);
/// Show one record by --output.
Err cli_show(Cli *cli, const Schema *schema, const void *record);
/// Show records by --output.
Err cli_show_list(Cli *cli, const Schema *schema, const void *items, size_t count);

/// Any verb without a `run`: its one call. ERR_*: as the server answered.
Err row_run(Cli *cli, const Verb *verb);
/// muster login.
Err login_run(Cli *cli, const Verb *verb);
/// muster logout.
Err logout_run(Cli *cli, const Verb *verb);
/// muster release create.
Err release_run(Cli *cli, const Verb *verb);
/// muster events: what there is of the journal, or what comes; it comes back by itself.
Err events_run(Cli *cli, const Verb *verb);
/// muster deploy.
Err deploy_run(Cli *cli, const Verb *verb);
/// muster audit verify: exit code 1 and a line that says where, if it is broken.
Err audit_verify_run(Cli *cli, const Verb *verb);
/// muster audit checkpoint.
Err audit_checkpoint_run(Cli *cli, const Verb *verb);
/// muster audit export: a line of JSON an entry.
Err audit_export_run(Cli *cli, const Verb *verb);
/// muster help.
Err help_run(Cli *cli, const Verb *verb);
/// muster man.
Err man_run(Cli *cli, const Verb *verb);
/// muster version.
Err version_run(Cli *cli, const Verb *verb);
/// muster completion.
Err completion_run(Cli *cli, const Verb *verb);
