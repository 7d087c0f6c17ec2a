// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"

#include "base/scope.h"
#include "cli/table.h"
#include "http/client.h"

#include <stdarg.h>
#include <string.h>

enum { SHOW_MAX = 64 * 1024 * 1024 };

/// Marks an Err as one of usage; compared by address.
static const char usage_text[] = "the command line is wrong";

__attribute__((format(printf, 2, 0))) static void
message_set(Cli *cli, const char *format, va_list args) {
    char text[1024];
    vsnprintf(text, sizeof(text), format, args);
    cli->message = str_dup(&cli->arena, str_from(text));
}

Err cli_usage(Cli *cli, const char *format, ...) {
    va_list args;
    va_start(args, format);
    message_set(cli, format, args);
    va_end(args);
    return FAIL(ERR_INVALID, usage_text);
}

Err cli_fail(Cli *cli, ErrCode code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    message_set(cli, format, args);
    va_end(args);
    return FAIL(code, "the call failed");
}

static Err show_text(Cli *cli, const Text *text) {
    TRY(text_check(text));
    if (fwrite(text->ptr ? text->ptr : "", 1, text->len, cli->out) != text->len
        || fflush(cli->out) != 0)
        return FAIL_SYS("the output cannot be written");
    return SUCCESS;
}

Err cli_show(Cli *cli, const Schema *schema, const void *record) {
    SCOPED(text_done) Text text;
    text_init(&text, SHOW_MAX);
    if (cli->json) {
        schema_encode(schema, record, ENCODE_REPLY, &text);
        text_add_char(&text, '\n');
    } else {
        table_card(schema, record, &text);
    }
    return show_text(cli, &text);
}

Err cli_show_list(Cli *cli, const Schema *schema, const void *items, size_t count) {
    SCOPED(text_done) Text text;
    text_init(&text, SHOW_MAX);
    if (cli->json) {
        schema_encode_list(schema, items, count, ENCODE_REPLY, &text);
        text_add_char(&text, '\n');
    } else {
        table_show(schema, items, count, &text);
    }
    return show_text(cli, &text);
}

static Err output_set(Cli *cli) {
    Str output = cli_option(cli, "output");
    cli->json = str_eq(output, S("json"));
    if (output.ptr && !cli->json && !str_eq(output, S("table")))
        return cli_usage(cli, "--output must be table or json");
    return SUCCESS;
}

static Err verb_run(Cli *cli, const Verb *verb, int argc, char **argv) {
    TRY(cli_parse(cli, verb, argc, argv));
    if (cli_option(cli, "help").ptr) {
        cli->args = (CliArgs){};
        const bool top = verb->noun[0] == '\0';
        cli->args.positionals[0] = str_from(top ? verb->name : verb->noun);
        if (!top) cli->args.positionals[1] = str_from(verb->name);
        cli->args.positional_count = top ? 1 : 2;
        return help_run(cli, verb);
    }
    TRY(output_set(cli));
    return verb->run ? verb->run(cli, verb) : cli_run_row(cli, verb);
}

/// Find the verb in the first words and run it with the rest.
static Err command_run(Cli *cli, int argc, char **argv) {
    Str first = argc > 1 ? str_from(argv[1]) : S("help");
    Str second = argc > 2 ? str_from(argv[2]) : (Str){};
    if (str_eq(first, S("--help"))) first = S("help");
    if (str_eq(first, S("--version"))) first = S("version");
    Verb verb;
    if (verb_find(S(""), first, &verb))
        return verb_run(cli, &verb, argc > 2 ? argc - 2 : 0, argv + 2);
    if (second.ptr && verb_find(first, second, &verb))
        return verb_run(cli, &verb, argc - 3, argv + 3);
    if (noun_is_known(first))
        return cli_usage(
            cli, "%.*s needs a verb: muster help %.*s tells them", STR_FMT(first), STR_FMT(first));
    return cli_usage(cli, "\"%.*s\" is not known: muster help tells what is", STR_FMT(first));
}

/// One line, and one a bad field. Control characters of others do not reach the terminal.
static void line_print(Cli *cli, const char *indent, Str text) {
    fprintf(cli->err, "muster: %s", indent);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        fputc(c < 0x20 || c == 0x7f ? '?' : c, cli->err);
    }
    fputc('\n', cli->err);
}

static void error_print(Cli *cli, Err err) {
    Str message = cli->message.ptr ? cli->message : str_from(err.what);
    if (!cli->message.ptr && cli->said.text[0])
        message = str_print(&cli->arena, "%s: %s", err.what, cli->said.text);
    if (err.code == ERR_SYSTEM) {
        char reason[128];
        const char *text = strerror_r(err.sys, reason, sizeof(reason));
        message = str_print(&cli->arena, "%.*s: %s", STR_FMT(message), text);
    }
    line_print(cli, "", message.ptr ? message : str_from(err.what));
    for (size_t i = 0; i < cli->faults.count; i++) {
        const Fault *fault = &cli->faults.items[i];
        Str line = str_print(&cli->arena,
                             "%.*s%s%.*s",
                             STR_FMT(fault->pointer),
                             fault->pointer.len ? ": " : "",
                             STR_FMT(fault->allowed));
        line_print(cli, "  ", line.ptr ? line : fault->allowed);
    }
    if (cli->faults.dropped) fprintf(cli->err, "muster:   and %zu more\n", cli->faults.dropped);
}

int cli_main(Cli *cli, int argc, char **argv) {
    arena_init(&cli->arena, CLI_ARENA_MAX);
    faults_init(&cli->faults, &cli->arena);
    Err err = command_run(cli, argc, argv);
    int code = cli->exit_code;
    if (err.code != OK) {
        error_print(cli, err);
        code = err.what == usage_text ? EXIT_USAGE : (int)err_exit_code(err.code);
    }
    cli->http = http_client_close(cli->http);
    arena_done(&cli->arena);
    return code;
}
