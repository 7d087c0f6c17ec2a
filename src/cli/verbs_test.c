// SPDX-License-Identifier: Apache-2.0
// The rows of verbs, the options made of them, and what is printed from them.
#include "cli/cli.h"

#include "api/endpoints.h"
#include "base/scope.h"
#include "cli/cli_fixture.h"
#include "cli/manual.h"
#include "cli/registry.h"
#include "test.h"

#include <string.h>

enum { OUTPUT_MAX = 1024 * 1024 };

TEST(every_verb_is_documented_and_there_once) {
    Verb verb, found;
    const char *last = "";
    for (size_t at = 0; verb_at(&muster_verbs, at, &verb); at++) {
        CHECK(verb.doc && *verb.doc);
        CHECK(verb_find(&muster_verbs, str_from(verb.noun), str_from(verb.name), &found));
        CHECK(found.endpoint == verb.endpoint && found.run == verb.run);
        CHECK(verb.run || verb.endpoint);
        CHECK(strcmp(last, verb.noun) <= 0);
        last = verb.noun;
    }
}

TEST(every_endpoint_of_an_operator_is_a_verb_of_the_same_words) {
    for (size_t i = 0; i < endpoint_count; i++) {
        const Endpoint *endpoint = endpoints[i];
        Verb verb;
        char dashed[32] = {}; // as words are joined on a command line
        char all[32];         // of a noun, where that says it better than a verb
        snprintf(all, sizeof(all), "%ss", endpoint->noun);
        for (size_t at = 0; endpoint->verb[at]; at++) {
            CHECK(at + 1 < sizeof(dashed));
            dashed[at] = endpoint->verb[at] == '_' ? '-' : endpoint->verb[at];
        }
        Str noun = str_from(endpoint->noun), name = str_from(dashed);
        bool found = verb_find(&muster_verbs, noun, name, &verb)
                     || verb_find(&muster_verbs, S(""), name, &verb)
                     || verb_find(&muster_verbs, S(""), str_from(all), &verb);
        CHECK(found && verb.endpoint == endpoint);
    }
}

TEST(options_have_different_names_and_a_doc) {
    Verb verb;
    for (size_t i = 0; verb_at(&muster_verbs, i, &verb); i++) {
        OptionView one, other;
        for (size_t at = 0; verb_option(&verb, at, &one); at++) {
            CHECK(one.doc && *one.doc);
            for (size_t before = 0; before < at; before++) {
                CHECK(verb_option(&verb, before, &other));
                CHECK(strcmp(one.name, other.name) != 0);
            }
        }
    }
}

/// The verb has an option for this field.
static bool has_option(const Verb *verb, const Field *field) {
    OptionView view;
    for (size_t at = 0; verb_option(verb, at, &view); at++)
        if (view.field == field) return true;
    return false;
}

TEST(every_field_and_filter_that_the_server_accepts_has_an_option) {
    Verb verb;
    for (size_t i = 0; verb_at(&muster_verbs, i, &verb); i++) {
        if (verb.run) continue;
        const Schema *in = verb.endpoint->in, *query = verb.endpoint->query;
        uint32_t refused = READ_ONLY | HIDDEN | COMPUTED;
        if (verb.endpoint->method == PATCH) refused |= IMMUTABLE;
        for (size_t f = 0; in && f < in->count; f++)
            CHECK((in->fields[f].flags & refused) || has_option(&verb, &in->fields[f]));
        for (size_t f = 2; query && f < query->count; f++) // behind after and limit
            CHECK(has_option(&verb, &query->fields[f]));
    }
}

TEST(what_a_path_needs_is_a_positional_argument) {
    Verb verb;
    Text args;
    text_init(&args, 64);
    CHECK(verb_find(&muster_verbs, S("fleet"), S("update"), &verb));
    verb_args(&verb, &args);
    CHECK_STR(text_str(&args), S("FLEET"));
    text_clear(&args);
    CHECK(verb_find(&muster_verbs, S("fleet"), S("list"), &verb));
    verb_args(&verb, &args);
    CHECK_STR(text_str(&args), S(""));
    text_done(&args);
}

TEST(options_parse_in_both_forms_and_maps_by_key) {
    Cli cli = {};
    arena_init(&cli.arena, OUTPUT_MAX);
    Verb verb;
    CHECK(verb_find(&muster_verbs, S("device"), S("update"), &verb));
    char *words[] = {(char[]){"cam-1"},
                     (char[]){"--name=a=b"},
                     (char[]){"--labels.site"},
                     (char[]){"north"},
                     (char[]){"--fleet"},
                     (char[]){"edge"}};
    CHECK_OK(cli_parse(&cli, &verb, 6, words));
    CHECK_STR(cli.args.positionals[0], S("cam-1"));
    CHECK_STR(cli_option(&cli, "name"), S("a=b"));
    CHECK_STR(cli_option(&cli, "labels.site"), S("north"));
    CHECK_STR(cli_option(&cli, "fleet"), S("edge"));
    arena_done(&cli.arena);
}

TEST(the_letter_of_an_option_is_the_option) {
    static const char *const lines[][3] = {
        {"-l", "a=b,!c"},
        {"-la=b,!c"   },
        {"--selector=a=b,!c"}
    };
    for (size_t i = 0; i < 3; i++) {
        Cli cli = {.verbs = &muster_verbs};
        arena_init(&cli.arena, 4096);
        Verb verb;
        CHECK(verb_find(&muster_verbs, S("device"), S("list"), &verb));
        char words[2][32] = {};
        int count = 0;
        for (; count < 2 && lines[i][count]; count++)
            snprintf(words[count], sizeof(words[count]), "%s", lines[i][count]);
        CHECK_OK(cli_parse(&cli, &verb, count, (char *[]){words[0], words[1]}));
        CHECK_STR(cli_option(&cli, "selector"), S("a=b,!c"));
        arena_done(&cli.arena);
    }
    SCOPED(run_done) Run help = RUN("muster", "help", "device", "list");
    CHECK(strstr(help.out, "\n-l, --selector VALUE"));
    SCOPED(run_done) Run flag = RUN("muster", "help", "events");
    CHECK(strstr(flag.out, "\n-f, --follow "));
    SCOPED(run_done) Run alone = RUN("muster", "device", "list", "-l");
    CHECK(alone.code == EXIT_USAGE && strstr(alone.err, "--selector needs a value"));
    SCOPED(run_done) Run elsewhere = RUN("muster", "fleet", "list", "-l", "a=b");
    CHECK(elsewhere.code == EXIT_USAGE && strstr(elsewhere.err, "one argument too many"));
}

TEST(a_wrong_command_line_is_told_and_is_exit_code_2) {
    static const struct {
        const char *words[5];
        const char *said;
    } cases[] = {
        {{"muster", "bake"},                        "muster: \"bake\" is not known"    },
        {{"muster", "fleet"},                       "fleet needs a verb"               },
        {{"muster", "fleet", "bake"},               "fleet needs a verb"               },
        {{"muster", "fleet", "show"},               "arguments are missing: FLEET"     },
        {{"muster", "fleet", "show", "a", "b"},     "one argument too many"            },
        {{"muster", "fleet", "list", "--bake"},     "--bake is no option of fleet list"},
        {{"muster", "fleet", "list", "--limit"},    "--limit needs a value"            },
        {{"muster", "deploy", "--wait=x"},          "--wait takes no value"            },
        {{"muster", "deploy", "--wait", "--wait"},  "--wait is given twice"            },
        {{"muster", "fleet", "list", "--output=x"}, "--output must be table or json"   },
        {{"muster", "completion", "fish"},          "completions are there for bash"   },
        {{"muster", "login"},                       "--server must be given"           },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int count = 0;
        while (count < 5 && cases[i].words[count])
            count++;
        const char *words[5];
        memcpy(words, cases[i].words, sizeof(words));
        SCOPED(run_done) Run result = run(count, words);
        if (!strstr(result.err, cases[i].said)) fail_msg("%s, not %s", result.err, cases[i].said);
        CHECK(strncmp(result.err, "muster: ", 8) == 0);
        CHECK(result.code == EXIT_USAGE);
    }
}

TEST(without_a_session_the_way_to_one_is_told) {
    SCOPED(run_done) Run result = RUN("muster", "fleet", "list", "--config", "/nowhere/session");
    CHECK(result.code == EXIT_ACCESS);
    CHECK(strcmp(result.err, "muster: not signed in: use muster login --server URL\n") == 0);
}

TEST(every_verb_is_in_help_manual_and_completion) {
    SCOPED(run_done) Run help = RUN("muster", "help");
    SCOPED(run_done) Run man = RUN("muster", "man");
    SCOPED(run_done) Run completion = RUN("muster", "completion", "bash");
    CHECK(help.code == 0 && man.code == 0 && completion.code == 0);
    Verb verb;
    for (size_t i = 0; verb_at(&muster_verbs, i, &verb); i++) {
        char words[128];
        snprintf(words, sizeof(words), "%s%s%s", verb.noun, *verb.noun ? " " : "", verb.name);
        CHECK(strstr(help.out, words));
        CHECK(strstr(man.out, words));
        CHECK(strstr(completion.out, words));
        SCOPED(run_done)
        Run one = *verb.noun ? RUN("muster", "help", verb.noun, verb.name)
                             : RUN("muster", "help", verb.name);
        CHECK(one.code == 0 && strstr(one.out, verb.doc));
    }
}

TEST(every_reason_has_an_exit_code_and_every_exit_code_a_meaning) {
    for (ErrCode code = OK; code < ERR_CODE_COUNT; code++)
        CHECK((err_exit_code(code) == EXIT_OK) == (code == OK));
    for (ExitCode code = 0; code < EXIT_CODE_COUNT; code++)
        CHECK(*exit_code_doc(code));
    CHECK(err_exit_code(ERR_NOT_FOUND) == 4 && err_exit_code(ERR_EXISTS) == 5);
}

TEST(names_of_images_are_understood_as_engines_do) {
    static const struct {
        const char *image, *registry, *repository, *full, *tag;
    } cases[] = {
        {"nginx",                "registry-1.docker.io", "library/nginx", "docker.io/library/nginx", "latest"},
        {"a/b:1",                "registry-1.docker.io", "a/b",           "docker.io/a/b",           "1"     },
        {"docker.io/a/b:1",      "registry-1.docker.io", "a/b",           "docker.io/a/b",           "1"     },
        {"ghcr.io/a/b/c:v1.0",   "ghcr.io",              "a/b/c",         "ghcr.io/a/b/c",           "v1.0"  },
        {"localhost/web",        "localhost",            "web",           "localhost/web",           "latest"},
        {"127.0.0.1:5000/web:1", "127.0.0.1:5000",       "web",           "127.0.0.1:5000/web",      "1"     },
    };
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, OUTPUT_MAX);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ImageName name;
        CHECK_OK(image_parse(str_from(cases[i].image), &arena, &name));
        CHECK_STR(name.registry, str_from(cases[i].registry));
        CHECK_STR(name.repository, str_from(cases[i].repository));
        CHECK_STR(name.full, str_from(cases[i].full));
        CHECK_STR(name.tag, str_from(cases[i].tag));
    }
    ImageName name;
    CHECK_ERR(image_parse(S("a b"), &arena, &name), ERR_INVALID);
    CHECK_ERR(image_parse(S("a?x=y"), &arena, &name), ERR_INVALID);
    CHECK_ERR(image_parse(S("x:"), &arena, &name), ERR_INVALID);
    CHECK_STR(image_without_tag(S("h:1/a:2@sha256:0"), &arena), S("h:1/a@sha256:0"));
    CHECK_STR(image_without_tag(S("h:1/a@sha256:0"), &arena), S("h:1/a@sha256:0"));
}

TEST_MAIN(CASE(every_verb_is_documented_and_there_once),
          CASE(options_have_different_names_and_a_doc),
          CASE(every_endpoint_of_an_operator_is_a_verb_of_the_same_words),
          CASE(every_field_and_filter_that_the_server_accepts_has_an_option),
          CASE(what_a_path_needs_is_a_positional_argument),
          CASE(options_parse_in_both_forms_and_maps_by_key),
          CASE(the_letter_of_an_option_is_the_option),
          CASE(a_wrong_command_line_is_told_and_is_exit_code_2),
          CASE(without_a_session_the_way_to_one_is_told),
          CASE(every_verb_is_in_help_manual_and_completion),
          CASE(every_reason_has_an_exit_code_and_every_exit_code_a_meaning),
          CASE(names_of_images_are_understood_as_engines_do))
