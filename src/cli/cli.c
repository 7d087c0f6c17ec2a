// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"

#include "http/client.h"

static Err cli_output_set(Cli *cli) {
    Str output = cli_option(cli, "output");
    cli->json = str_eq(output, S("json"));
    if (output.ptr && !cli->json && !str_eq(output, S("table")))
        return cli_usage(cli, "--output must be table or json");
    return SUCCESS;
}

static Err cli_verb_run(Cli *cli, const Verb *verb, int argc, char **argv) {
    TRY(cli_parse(cli, verb, argc, argv));
    if (cli_option(cli, "help").ptr) {
        cli->args = (CliArgs){};
        const bool top = verb->noun[0] == '\0';
        cli->args.positionals[0] = str_from(top ? verb->name : verb->noun);
        if (!top) cli->args.positionals[1] = str_from(verb->name);
        cli->args.positional_count = top ? 1 : 2;
        return help_run(cli, verb);
    }
    TRY(cli_output_set(cli));
    return verb->run ? verb->run(cli, verb) : row_run(cli, verb);
}

/// Find the verb in the first words and run it with the rest.
static Err cli_command_run(Cli *cli, int argc, char **argv) {
    Str first = argc > 1 ? str_from(argv[1]) : S("help");
    Str second = argc > 2 ? str_from(argv[2]) : (Str){};
    if (str_eq(first, S("--help"))) first = S("help");
    if (str_eq(first, S("--version"))) first = S("version");
    Verb verb;
    if (verb_find(cli->verbs, S(""), first, &verb))
        return cli_verb_run(cli, &verb, argc > 2 ? argc - 2 : 0, argv + 2);
    if (second.ptr && verb_find(cli->verbs, first, second, &verb))
        return cli_verb_run(cli, &verb, argc - 3, argv + 3);
    if (verb_noun_is_known(cli->verbs, first))
        return cli_usage(
            cli, "%.*s needs a verb: muster help %.*s tells them", STR_FMT(first), STR_FMT(first));
    return cli_usage(cli, "\"%.*s\" is not known: muster help tells what is", STR_FMT(first));
}

int cli_main(Cli *cli, int argc, char **argv) {
    arena_init(&cli->arena, CLI_ARENA_MAX);
    faults_init(&cli->faults, &cli->arena);
    Err err = cli_command_run(cli, argc, argv);
    int code = err.code == OK ? cli->exit_code : cli_error(cli, err);
    cli->http = http_client_close(cli->http);
    arena_done(&cli->arena);
    return code;
}
