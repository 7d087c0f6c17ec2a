// SPDX-License-Identifier: Apache-2.0
// What muster tells about itself.
#include "base/scope.h"
#include "cli/cli.h"
#include "cli/cli_fixture.h"
#include "test.h"

#include <stdlib.h>

#define OVERVIEW "usage: muster [NOUN] VERB [ARGUMENT...] [--OPTION VALUE...]\n\n"

TEST(help_is_what_is_told_without_a_verb) {
    SCOPED(run_done) Run plain = RUN("muster");
    SCOPED(run_done) Run dashed = RUN("muster", "--help");
    SCOPED(run_done) Run asked = RUN("muster", "help");
    CHECK(plain.code == 0 && dashed.code == 0 && asked.code == 0);
    CHECK(str_starts(str_from(plain.out), S(OVERVIEW "login ")));
    CHECK(strcmp(plain.out, asked.out) == 0 && strcmp(plain.out, dashed.out) == 0);
}

TEST(help_of_a_noun_tells_its_verbs_only) {
    SCOPED(run_done) Run result = RUN("muster", "help", "token");
    CHECK(result.code == 0);
    CHECK(strstr(result.out, "\ntoken list ") && strstr(result.out, "\ntoken delete TOKEN "));
    CHECK(!strstr(result.out, "fleet list") && !strstr(result.out, "\nlogin"));
}

TEST(help_of_a_verb_is_the_same_as_its_option_help) {
    SCOPED(run_done) Run asked = RUN("muster", "help", "fleet", "show");
    SCOPED(run_done) Run option = RUN("muster", "fleet", "show", "--help");
    CHECK(asked.code == 0 && option.code == 0);
    CHECK(str_starts(str_from(asked.out),
                     S("usage: muster fleet show FLEET [--OPTION VALUE...]\n\nOne fleet\n\n")));
    CHECK(strcmp(asked.out, option.out) == 0);
    SCOPED(run_done) Run top = RUN("muster", "help", "login");
    SCOPED(run_done) Run top_option = RUN("muster", "login", "--help");
    CHECK(strstr(top.out, "--ca-fingerprint HEX") && strcmp(top.out, top_option.out) == 0);
}

TEST(a_field_is_told_with_what_is_allowed_and_its_default) {
    SCOPED(run_done) Run result = RUN("muster", "help", "operator", "create");
    CHECK(strstr(result.out, "--role VALUE"));
    CHECK(
        strstr(result.out, "what the operator may do; one of viewer, operator, owner (viewer)\n"));
    CHECK(strstr(result.out, "--password-file FILE"));
}

TEST(what_is_not_there_has_no_help) {
    SCOPED(run_done) Run noun = RUN("muster", "help", "bake");
    CHECK(noun.code == EXIT_USAGE);
    CHECK_STR(str_from(noun.err), S("muster: \"bake\" is not known: muster help tells what is\n"));
    SCOPED(run_done) Run verb = RUN("muster", "help", "fleet", "bake");
    CHECK(verb.code == EXIT_USAGE);
    CHECK_STR(str_from(verb.err), S("muster: fleet has no verb \"bake\"\n"));
    SCOPED(run_done) Run page = RUN("muster", "man", "bake");
    CHECK(page.code == EXIT_USAGE && page.out[0] == '\0');
}

TEST(the_manual_of_a_noun_has_its_verbs_and_every_exit_code) {
    SCOPED(run_done) Run result = RUN("muster", "man", "audit");
    CHECK(result.code == 0 && str_starts(str_from(result.out), S(".TH MUSTER 1 ")));
    CHECK(strstr(result.out, ".SS \"muster audit verify\"\n"));
    CHECK(strstr(result.out, ".B \\-\\-output \\fItable|json\\fR\n"));
    CHECK(!strstr(result.out, "muster fleet"));
    for (ExitCode code = 0; code < EXIT_CODE_COUNT; code++) {
        char entry[32];
        snprintf(entry, sizeof(entry), ".TP\n.B %d\n", code);
        CHECK(strstr(result.out, entry));
    }
}

TEST(completion_offers_first_words_then_verbs_then_options) {
    SCOPED(run_done) Run result = RUN("muster", "completion", "bash");
    CHECK(result.code == 0);
    CHECK(
        strstr(result.out,
               "'') words='login logout deploy events help man completion version audit device "));
    CHECK(strstr(result.out, "    'org') words='show update' ;;\n"));
    CHECK(strstr(result.out, "    'org show') words='--output --config --help' ;;\n"));
    CHECK(strstr(result.out, "    'logout') words='--all --output --config --help' ;;\n"));
    CHECK(strstr(result.out, " --labels. "));
}

TEST(the_version_is_told_both_ways) {
    SCOPED(run_done) Run verb = RUN("muster", "version");
    SCOPED(run_done) Run option = RUN("muster", "--version");
    CHECK_STR(str_from(verb.out), S("muster " MUSTER_VERSION "\n"));
    CHECK(option.code == 0 && strcmp(verb.out, option.out) == 0);
}

TEST(an_output_that_is_full_is_an_error_of_this_machine) {
    static const char *const words[][4] = {
        {"muster", "help",       NULL  },
        {"muster", "man",        NULL  },
        {"muster", "completion", "bash", NULL},
        {"muster",        "version",             NULL  },
    };
    for (size_t i = 0; i < 4; i++) {
        char *argv[4];
        int argc = 0;
        while (words[i][argc]) {
            argv[argc] = (char *)(uintptr_t)words[i][argc];
            argc++;
        }
        char *said = NULL;
        size_t len;
        FILE *full = fopen("/dev/full", "w");
        CHECK(full);
        setvbuf(full, NULL, _IONBF, 0);
        Cli cli = {.verbs = &muster_verbs,
                   .clock = clock_system(),
                   .out = full,
                   .err = open_memstream(&said, &len)};
        CHECK(cli_main(&cli, argc, argv) == EXIT_LOCAL);
        fclose(cli.err);
        fclose(full);
        CHECK_STR(str_from(said),
                  S("muster: the output cannot be written: No space left on device\n"));
        free(said);
    }
}

TEST_MAIN(CASE(help_is_what_is_told_without_a_verb),
          CASE(help_of_a_noun_tells_its_verbs_only),
          CASE(help_of_a_verb_is_the_same_as_its_option_help),
          CASE(a_field_is_told_with_what_is_allowed_and_its_default),
          CASE(what_is_not_there_has_no_help),
          CASE(the_manual_of_a_noun_has_its_verbs_and_every_exit_code),
          CASE(completion_offers_first_words_then_verbs_then_options),
          CASE(the_version_is_told_both_ways),
          CASE(an_output_that_is_full_is_an_error_of_this_machine))
