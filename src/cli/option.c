// SPDX-License-Identifier: Apache-2.0
// What a verb takes: its own options, or the fields of its body and its query, and the common ones.
#include "api/page.h"
#include "base/scope.h"
#include "cli/cli.h"

#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ARGS_MAX = 256 };

static const Option common_options[] = {
    {.name = "output", .value = "table|json", .doc = "how to show what comes back (table)"    },
    {.name = "config", .value = "FILE",       .doc = "the session's file, also $MUSTER_CONFIG"},
    {.name = "help",   .value = NULL,         .doc = "what this verb takes"                   },
};
static const Option list_options[] = {
    {.name = "limit", .value = "N", .doc = "most records to show (1000)"},
};

static bool option_has_suffix(Str text, Str suffix) {
    return text.len > suffix.len && str_ends(text, suffix);
}

/// Whether the operator gives this field: what the server accepts, and this verb may set.
static bool option_is_of(const Verb *verb, const Field *field) {
    if (field->flags & (READ_ONLY | HIDDEN | COMPUTED)) return false;
    if (verb->endpoint->method == PATCH && (field->flags & IMMUTABLE)) return false;
    return field->kind != KIND_RECORD && field->kind != KIND_RECORDS && field->kind != KIND_JSON;
}

static void option_view_field(const Field *field, OptionView *view) {
    Str name = field->name;
    bool is_id = field->kind == KIND_ID && option_has_suffix(name, S("_id"));
    if (is_id) name = str_slice(name, 0, name.len - 3);
    bool is_secret = field->kind == KIND_STR && (field->flags & WRITE_ONLY);
    snprintf(view->name,
             sizeof(view->name),
             "%.*s%s",
             STR_FMT(name),
             is_secret                 ? "-file"
             : field->kind == KIND_MAP ? ".KEY"
                                       : "");
    for (char *c = view->name; *c; c++)
        if (*c == '_') *c = '-';
    view->value = is_secret ? "FILE" : is_id ? "ID|NAME" : "VALUE";
    if (field->kind == KIND_BOOL && view->is_filter) view->value = NULL;
    view->doc = field->doc;
    view->field = field;
}

static void option_view(const Option *option, OptionView *view) {
    snprintf(view->name, sizeof(view->name), "%s", option->name);
    view->letter = option->letter;
    view->value = option->value;
    view->doc = option->doc;
}

/// Step through `count` rows: true when `*at` falls among them.
static bool option_view_rows(const Option *rows, size_t count, size_t *at, OptionView *view) {
    if (*at < count) {
        option_view(&rows[*at], view);
        return true;
    }
    *at -= count;
    return false;
}

/// The same for the fields of the body that may be given.
static bool option_view_body(const Verb *verb, size_t *at, OptionView *view) {
    const Schema *in = verb->endpoint->in;
    for (size_t i = 0; in && i < in->count; i++) {
        if (!option_is_of(verb, &in->fields[i]) || (*at)-- > 0) continue;
        option_view_field(&in->fields[i], view);
        return true;
    }
    return false;
}

/// And for filters: every field of the query but those with which a list is read page by page.
static bool option_view_query(const Verb *verb, size_t *at, OptionView *view) {
    const Schema *query = verb->endpoint->query;
    for (size_t i = 0; query && i < query->count; i++) {
        Str name = query->fields[i].name;
        if (str_eq(name, S("after")) || str_eq(name, S("limit")) || (*at)-- > 0) continue;
        view->is_filter = true;
        option_view_field(&query->fields[i], view);
        if (str_eq(name, S(QUERY_SELECTOR))) view->letter = 'l';
        return true;
    }
    return false;
}

bool verb_option(const Verb *verb, size_t at, OptionView *ret_option) {
    OptionView view = {};
    bool is_list = !verb->run && verb->endpoint->shape == REPLY_LIST;
    bool found = option_view_rows(verb->options, verb->option_count, &at, &view);
    if (!found && !verb->run)
        found = option_view_body(verb, &at, &view) || option_view_query(verb, &at, &view);
    if (!found && is_list) found = option_view_rows(list_options, 1, &at, &view);
    if (!found)
        found = option_view_rows(
            common_options, sizeof(common_options) / sizeof(common_options[0]), &at, &view);
    if (found) *ret_option = view;
    return found;
}

void verb_args(const Verb *verb, Text *out) {
    if (verb->args) text_add(out, str_from(verb->args));
    if (verb->run) return;
    Str rest = str_from(verb->endpoint->path);
    const char *gap = "";
    for (Str segment; str_cut(&rest, '/', &segment);) {
        if (!str_starts(segment, S("{"))) continue;
        text_print(out, "%s", gap);
        for (size_t i = 1; i + strlen("_id}") < segment.len; i++)
            text_add_char(out, (char)toupper((unsigned char)segment.ptr[i]));
        gap = " ";
    }
}

/// The option called `name`; "labels.site" is "labels.KEY".
static bool option_find(const Verb *verb, Str name, OptionView *ret_option) {
    size_t dot = str_index(name, '.', 0);
    for (size_t at = 0; verb_option(verb, at, ret_option); at++) {
        Str known = str_from(ret_option->name);
        bool is_map = ret_option->field && ret_option->field->kind == KIND_MAP;
        if (!is_map && str_eq(name, known)) return true;
        if (is_map && dot + 1 < name.len
            && str_eq(str_slice(name, 0, dot), str_slice(known, 0, known.len - 4)))
            return true;
    }
    return false;
}

/// The option whose letter the word begins with: "-l", "-lVALUE".
static bool option_find_letter(const Verb *verb, Str word, OptionView *ret_option) {
    if (word.len < 2 || word.ptr[0] != '-') return false;
    for (size_t at = 0; verb_option(verb, at, ret_option); at++)
        if (ret_option->letter && ret_option->letter == word.ptr[1]) return true;
    return false;
}

static Err option_put(Cli *cli, Str name, Str value) {
    bool repeats = cli_option(cli, str_dup(&cli->arena, name).ptr).ptr != NULL;
    TRY(arena_check(&cli->arena));
    if (repeats) return cli_usage(cli, "--%.*s is given twice", STR_FMT(name));
    if (cli->args.option_count == CLI_OPTIONS_MAX) return cli_usage(cli, "too many options");
    cli->args.options[cli->args.option_count++] = (StrPair){name, value};
    return SUCCESS;
}

/// The option takes `value`, or where that is absent, the next word.
static Err option_parse_value(Cli *cli, Str name, Str value, int argc, char **argv, int *at) {
    if (!value.ptr) {
        if (*at + 1 >= argc) return cli_usage(cli, "--%.*s needs a value", STR_FMT(name));
        value = str_from(argv[++*at]);
    }
    return option_put(cli, name, value);
}

/// `argv[*at]` begins with the letter of `view`.
static Err option_parse_letter(Cli *cli, const OptionView *view, int argc, char **argv, int *at) {
    Str word = str_from(argv[*at]);
    Str value = word.len > 2 ? str_slice(word, 2, word.len) : (Str){};
    Str name = str_dup(&cli->arena, str_from(view->name));
    TRY(arena_check(&cli->arena));
    if (view->value) return option_parse_value(cli, name, value, argc, argv, at);
    if (value.ptr) return cli_usage(cli, "-%c takes no value", view->letter);
    return option_put(cli, name, S("true"));
}

/// `argv[*at]` begins with "--".
static Err option_parse(Cli *cli, const Verb *verb, int argc, char **argv, int *at) {
    Str value = str_slice(str_from(argv[*at]), 2, SIZE_MAX);
    Str name = {};
    (void)str_cut(&value, '=', &name);
    OptionView view;
    if (!option_find(verb, name, &view))
        return cli_usage(cli,
                         "--%.*s is no option of %s%s%s",
                         STR_FMT(name),
                         verb->noun,
                         *verb->noun ? " " : "",
                         verb->name);
    if (!view.value) {
        if (value.ptr) return cli_usage(cli, "--%.*s takes no value", STR_FMT(name));
        return option_put(cli, name, S("true"));
    }
    return option_parse_value(cli, name, value, argc, argv, at);
}

/// The words of `args`; one in brackets may be left out.
static void option_args_range(Str args, size_t *ret_least, size_t *ret_most) {
    *ret_least = 0;
    *ret_most = 0;
    Str rest = args;
    for (Str word; str_cut(&rest, ' ', &word);) {
        if (word.len == 0) continue;
        ++*ret_most;
        if (word.ptr[0] != '[') ++*ret_least;
    }
}

Err cli_parse(Cli *cli, const Verb *verb, int argc, char **argv) {
    SCOPED(text_done) Text args;
    text_init(&args, ARGS_MAX);
    verb_args(verb, &args);
    size_t least, most;
    option_args_range(text_str(&args), &least, &most);
    assert(most <= CLI_POSITIONALS_MAX);
    bool options_end = false;
    OptionView view;
    for (int at = 0; at < argc; at++) {
        Str word = str_from(argv[at]);
        if (!options_end && str_eq(word, S("--"))) {
            options_end = true;
        } else if (!options_end && str_starts(word, S("--"))) {
            TRY(option_parse(cli, verb, argc, argv, &at));
        } else if (!options_end && option_find_letter(verb, word, &view)) {
            TRY(option_parse_letter(cli, &view, argc, argv, &at));
        } else if (cli->args.positional_count == most) {
            return cli_usage(cli, "\"%.*s\" is one argument too many", STR_FMT(word));
        } else {
            cli->args.positionals[cli->args.positional_count++] = word;
        }
    }
    if (cli->args.positional_count < least && !cli_option(cli, "help").ptr)
        return cli_usage(cli, "arguments are missing: %.*s", STR_FMT(text_str(&args)));
    return SUCCESS;
}

Str cli_option(const Cli *cli, const char *name) {
    for (size_t i = 0; i < cli->args.option_count; i++)
        if (str_eq(cli->args.options[i].key, str_from(name))) return cli->args.options[i].value;
    return (Str){};
}

Err cli_need(Cli *cli, const char *name, Str *ret_value) {
    Str value = cli_option(cli, name);
    if (!value.ptr) return cli_usage(cli, "--%s must be given", name);
    *ret_value = value;
    return SUCCESS;
}
