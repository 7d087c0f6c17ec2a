// SPDX-License-Identifier: Apache-2.0
// The verbs that tell about muster itself.
#include "base/scope.h"
#include "cli/manual.h"

enum { MANUAL_MAX = 256 * 1024 };

static Err docs_noun_check(Cli *cli, Str noun) {
    if (verb_noun_is_known(cli->verbs, noun)) return SUCCESS;
    return cli_usage(cli, "\"%.*s\" is not known: muster help tells what is", STR_FMT(noun));
}

Err help_run(Cli *cli, const Verb *) {
    SCOPED(text_done) Text text;
    text_init(&text, MANUAL_MAX);
    Str noun = cli->args.positionals[0];
    Str name = cli->args.positionals[1];
    Verb verb;
    bool found = name.ptr ? verb_find(cli->verbs, noun, name, &verb)
                          : verb_find(cli->verbs, S(""), noun, &verb);
    if (noun.ptr && found) {
        help_verb(&verb, &text);
    } else {
        if (noun.ptr) TRY(docs_noun_check(cli, noun));
        if (name.ptr)
            return cli_usage(cli, "%.*s has no verb \"%.*s\"", STR_FMT(noun), STR_FMT(name));
        help_overview(cli->verbs, noun, &text);
    }
    return cli_print(cli, &text);
}

Err man_run(Cli *cli, const Verb *) {
    SCOPED(text_done) Text text;
    text_init(&text, MANUAL_MAX);
    Str noun = cli->args.positionals[0];
    if (noun.ptr) TRY(docs_noun_check(cli, noun));
    man_page(cli->verbs, noun, &text);
    return cli_print(cli, &text);
}

Err completion_run(Cli *cli, const Verb *) {
    if (!str_eq(cli->args.positionals[0], S("bash")))
        return cli_usage(cli, "completions are there for bash");
    SCOPED(text_done) Text text;
    text_init(&text, MANUAL_MAX);
    completion_bash(cli->verbs, &text);
    return cli_print(cli, &text);
}

Err version_run(Cli *cli, const Verb *) {
    if (fprintf(cli->out, "muster " MUSTER_VERSION "\n") < 0)
        return FAIL_SYS("the output cannot be written");
    return SUCCESS;
}
