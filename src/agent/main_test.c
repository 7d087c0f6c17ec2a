// SPDX-License-Identifier: Apache-2.0
/// The words of muster-agent's command line, by the program itself.
#include "folder.h"
#include "program.h"
#include "test.h"

#include "base/err.h"

#include <stdlib.h>

#define CHECK_AGENT(words, code, part) CHECK_ENDS(getenv("MUSTER_AGENT"), words, code, part)

TEST(it_says_what_it_is_and_how_it_is_used) {
    CHECK_AGENT("--version", EXIT_OK, "muster-agent " MUSTER_VERSION "\n");
    CHECK_AGENT("--help", EXIT_OK, "usage: muster-agent enrol TOKEN");
    CHECK_AGENT("run --help", EXIT_OK, "usage: muster-agent enrol TOKEN");
    CHECK_AGENT("enrol --help", EXIT_OK, "--enrol-file FILE");
}

TEST(a_wrong_command_line_is_told_and_is_exit_code_2) {
    static const char *const rows[][2] = {
        {"",                            "missing verb"                  },
        {"fly",                         "no such verb: fly"             },
        {"enrol",                       "missing TOKEN"                 },
        {"enrol a b",                   "unexpected argument b"         },
        {"run now",                     "unexpected argument now"       },
        {"run --colour red",            "unrecognized option '--colour'"},
        {"run --state",                 "requires an argument"          },
        {"run --force",                 "wrong option for run"          },
        {"run --name cam",              "wrong option for run"          },
        {"enrol a --poll 5",            "wrong option for enrol"        },
        {"enrol a --engine unix:///x",  "wrong option for enrol"        },
        {"run --poll 0",                "wrong option for run"          },
        {"run --poll 86401",            "wrong option for run"          },
        {"run --poll soon",             "wrong option for run"          },
        {"enrol a --name 'Not a slug'", "--name must be "               },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CHECK_AGENT(rows[i][0], EXIT_USAGE, rows[i][1]);
}

TEST(what_fails_is_told_with_its_exit_code) {
    char folder[] = "/tmp/muster-agent-main-XXXXXX", words[256];
    CHECK(mkdtemp(folder));
    snprintf(words, sizeof(words), "enrol nonsense --force --name cam --state %s", folder);
    CHECK_AGENT(words, EXIT_INVALID, "muster-agent enrol: ");
    snprintf(words,
             sizeof(words),
             "run --poll 60 --engine tcp://x --enrol-file %s/enrol --state %s",
             folder,
             folder);
    CHECK_AGENT(words, EXIT_CONFLICT, "this machine is not enrolled");
    snprintf(words, sizeof(words), "run --state %s/a/b --enrol-file /nonexistent", folder);
    CHECK_AGENT(words, EXIT_LOCAL, "/a/b");
    CHECK(folder_remove(folder) == 0);
}

TEST_MAIN(CASE(it_says_what_it_is_and_how_it_is_used),
          CASE(a_wrong_command_line_is_told_and_is_exit_code_2),
          CASE(what_fails_is_told_with_its_exit_code))
