// SPDX-License-Identifier: Apache-2.0
// How a run fails, and what is printed of it.
#include "cli/cli.h"

#include <stdarg.h>
#include <string.h>

/// Marks an Err as one of usage; compared by address.
static const char usage_text[] = "the command line is wrong";

__attribute__((format(printf, 2, 0))) static void
error_message_set(Cli *cli, const char *format, va_list args) {
    char text[1024];
    vsnprintf(text, sizeof(text), format, args);
    cli->message = str_dup(&cli->arena, str_from(text));
}

Err cli_usage(Cli *cli, const char *format, ...) {
    va_list args;
    va_start(args, format);
    error_message_set(cli, format, args);
    va_end(args);
    return FAIL(ERR_INVALID, usage_text);
}

Err cli_fail(Cli *cli, ErrCode code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    error_message_set(cli, format, args);
    va_end(args);
    return FAIL(code, "the call failed");
}

/// One line, and one a bad field. Control characters of others do not reach the terminal.
static void error_line_print(Cli *cli, const char *indent, Str text) {
    fprintf(cli->err, "muster: %s", indent);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        fputc(c < 0x20 || c == 0x7f ? '?' : c, cli->err);
    }
    fputc('\n', cli->err);
}

int cli_error(Cli *cli, Err err) {
    Str message = cli->message.ptr ? cli->message : str_from(err.what);
    if (!cli->message.ptr && cli->said.text[0])
        message = str_print(&cli->arena, "%s: %s", err.what, cli->said.text);
    if (err.sys != 0) {
        char reason[128];
        const char *text = strerror_r(err.sys, reason, sizeof(reason));
        message = str_print(&cli->arena, "%.*s: %s", STR_FMT(message), text);
    }
    error_line_print(cli, "", message.ptr ? message : str_from(err.what));
    for (size_t i = 0; i < cli->faults.count; i++) {
        const Fault *fault = &cli->faults.items[i];
        Str line = str_print(&cli->arena,
                             "%.*s%s%.*s",
                             STR_FMT(fault->pointer),
                             fault->pointer.len ? ": " : "",
                             STR_FMT(fault->allowed));
        error_line_print(cli, "  ", line.ptr ? line : fault->allowed);
    }
    if (cli->faults.dropped) fprintf(cli->err, "muster:   and %zu more\n", cli->faults.dropped);
    return err.what == usage_text ? EXIT_USAGE : (int)err_exit_code(err.code);
}
