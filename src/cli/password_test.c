// SPDX-License-Identifier: Apache-2.0
// muster itself on a terminal of its own, asking for a password.
#include "cli/password.h"

#include "base/scope.h"
#include "cli/cli_fixture.h"
#include "test.h"

#include <poll.h>
#include <pty.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { SAID_MAX = 4096, PATIENCE_MS = 10'000 };

/// muster on a terminal.
typedef struct Terminal {
    int fd;
    pid_t pid;
    char said[SAID_MAX]; ///< all that was shown
    size_t len;
    bool echoes; ///< as it was left
} Terminal;

static void terminal_login(Terminal *terminal, const char *url, const char *config) {
    *terminal = (Terminal){};
    terminal->pid = forkpty(&terminal->fd, NULL, NULL, NULL);
    CHECK(terminal->pid >= 0);
    if (terminal->pid > 0) return;
    execl(getenv("MUSTER"), "muster", "login", "--server", url, "--config", config, NULL);
    _exit(127);
}

/// Read what is shown until `text` is there; absent: until the end.
static void terminal_read(Terminal *terminal, const char *text) {
    while (!text || !strstr(terminal->said, text)) {
        struct pollfd poller = {.fd = terminal->fd, .events = POLLIN};
        CHECK(poll(&poller, 1, PATIENCE_MS) == 1);
        ssize_t got =
            read(terminal->fd, terminal->said + terminal->len, SAID_MAX - 1 - terminal->len);
        if (got <= 0) break; // EIO: the program has ended
        terminal->len += (size_t)got;
        terminal->said[terminal->len] = '\0';
    }
    CHECK(!text || strstr(terminal->said, text));
}

/// Type this at the prompt; gives the exit code.
static int terminal_type(Terminal *terminal, const char *keys) {
    terminal_read(terminal, "password: ");
    struct termios while_asked, at_end;
    CHECK(tcgetattr(terminal->fd, &while_asked) == 0);
    CHECK(!(while_asked.c_lflag & (ECHO | ISIG | ICANON)));
    CHECK(write(terminal->fd, keys, strlen(keys)) == (ssize_t)strlen(keys));
    terminal_read(terminal, NULL);
    CHECK(tcgetattr(terminal->fd, &at_end) == 0);
    terminal->echoes = (at_end.c_lflag & ECHO) && (at_end.c_lflag & ISIG);
    close(terminal->fd);
    int status = 0;
    CHECK(waitpid(terminal->pid, &status, 0) == terminal->pid && WIFEXITED(status));
    return WEXITSTATUS(status);
}

TEST(a_typed_password_is_not_shown_and_may_be_corrected) {
    World world;
    WORLD_OPEN(&world, TOKENS);
    Terminal terminal;
    terminal_login(&terminal, world.url, world.config);
    CHECK(terminal_type(&terminal, "secrexx\x7f\bt word\r") == 0);
    CHECK(terminal.echoes);
    CHECK(!strstr(terminal.said, "secr"));
    CHECK(strstr(terminal.said, "password: \r\nsigned in to "));
    CHECK(access(world.config, R_OK) == 0);
    world_close(&world);
    CHECK(strstr(world.peer.requests[0], "\"password\":\"secret word\""));
}

TEST(keys_that_end_a_program_end_the_question_and_leave_the_terminal_as_it_was) {
    World world;
    static const char *const keys[] = {"\x03", "abc\x04", "\x1c"};
    world_open(&world, NULL, 0);
    for (size_t i = 0; i < 3; i++) {
        Terminal terminal;
        terminal_login(&terminal, "http://127.0.0.1:1", world.config);
        CHECK(terminal_type(&terminal, keys[i]) == EXIT_USAGE);
        CHECK(terminal.echoes);
        CHECK(strstr(terminal.said, "muster: no password was given\r\n"));
        CHECK(access(world.config, F_OK) != 0);
    }
    world_close(&world);
}

TEST(without_a_terminal_the_other_ways_are_told) {
    World world;
    world_open(&world, NULL, 0);
    int ends[2];
    CHECK(pipe(ends) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        setsid();
        dup2(ends[1], STDERR_FILENO);
        execl(getenv("MUSTER"), "muster", "login", "--server", "http://127.0.0.1:1", NULL);
        _exit(127);
    }
    close(ends[1]);
    char said[SAID_MAX] = "";
    size_t len = 0;
    for (ssize_t got; (got = read(ends[0], said + len, sizeof(said) - 1 - len)) > 0;)
        len += (size_t)got;
    close(ends[0]);
    int status = 0;
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == EXIT_USAGE);
    CHECK_STR(str_from(said),
              S("muster: no terminal to ask for the password: use --password-file or "
                "MUSTER_PASSWORD\n"));
    world_close(&world);
}

TEST_MAIN(CASE(a_typed_password_is_not_shown_and_may_be_corrected),
          CASE(keys_that_end_a_program_end_the_question_and_leave_the_terminal_as_it_was),
          CASE(without_a_terminal_the_other_ways_are_told))
