// SPDX-License-Identifier: Apache-2.0
#include "cli/password.h"

#include "api/operator.h"
#include "base/scope.h"
#include "io/file.h"

#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <termios.h>
#include <unistd.h>

/// Signals that end the program wait until the terminal echoes again.
static void password_signals_hold(sigset_t *ret_before) {
    sigset_t held;
    sigemptyset(&held);
    sigaddset(&held, SIGINT);
    sigaddset(&held, SIGTERM);
    sigaddset(&held, SIGQUIT);
    sigaddset(&held, SIGTSTP);
    sigprocmask(SIG_BLOCK, &held, ret_before);
}

/// One line from the terminal, byte by byte. ISIG is off, so Ctrl-C and Ctrl-D arrive as bytes and
/// end the question; no handler has to repair the terminal.
static bool password_line_read(int fd, char *line, size_t size, size_t *ret_len) {
    size_t len = 0;
    char c;
    while (read(fd, &c, 1) == 1) {
        if (c == 3 || c == 4 || c == 28) return false; // Ctrl-C, Ctrl-D, Ctrl-backslash
        if (c == '\n' || c == '\r') {
            *ret_len = len;
            return true;
        }
        if (c == 127 || c == 8) {
            if (len) len--;
        } else if (len < size) {
            line[len++] = c;
        }
    }
    return false;
}

static Err password_ask(Cli *cli, const char *prompt, Str *ret_password) {
    SCOPED(fd_closep) int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
    struct termios before;
    if (fd < 0 || tcgetattr(fd, &before) != 0)
        return cli_usage(
            cli, "no terminal to ask for the password: use --password-file or MUSTER_PASSWORD");
    struct termios quiet = before;
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ICANON | ISIG);
    sigset_t mask;
    password_signals_hold(&mask);
    char line[PASSWORD_MAX];
    size_t len = 0;
    bool got = tcsetattr(fd, TCSAFLUSH, &quiet) == 0;
    if (got) dprintf(fd, "%s: ", prompt); // what is typed from here on is neither lost nor shown
    got = got && password_line_read(fd, line, sizeof(line), &len);
    tcsetattr(fd, TCSAFLUSH, &before);
    dprintf(fd, "\n");
    sigprocmask(SIG_SETMASK, &mask, NULL);
    if (got) *ret_password = str_dup(&cli->arena, (Str){line, len});
    sodium_memzero(line, sizeof(line));
    return got ? arena_check(&cli->arena) : cli_usage(cli, "no password was given");
}

Err password_get(Cli *cli, const char *option, const char *prompt, Str *ret_password) {
    Str file = cli_option(cli, option);
    if (file.ptr) {
        Str text;
        Err err = file_load(
            str_dup(&cli->arena, file).ptr, PASSWORD_MAX + 2, &cli->arena, &text, &cli->said);
        if (err.code == ERR_NOT_FOUND)
            return cli_usage(cli, "there is no file \"%.*s\"", STR_FMT(file));
        TRY(err);
        (void)str_cut(&text, '\n', ret_password);
        return SUCCESS;
    }
    const char *given = cli->variable("MUSTER_PASSWORD");
    if (given && *given) {
        *ret_password = str_from(given);
        return SUCCESS;
    }
    return password_ask(cli, prompt, ret_password);
}
