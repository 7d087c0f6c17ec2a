// SPDX-License-Identifier: Apache-2.0
#include "cli/manual.h"

#include "base/field.h"

#include <string.h>

enum { NAME_WIDTH = 26, OPTION_WIDTH = 30 };

static void manual_usage_add(const Verb *verb, Text *out) {
    text_print(out, "%s%s%s", verb->noun, *verb->noun ? " " : "", verb->name);
    text_add_char(out, ' ');
    verb_args(verb, out);
    if (out->len > 0 && out->ptr[out->len - 1] == ' ') out->len--;
}

static bool manual_is_of(const Verb *verb, Str noun) {
    return !noun.ptr || str_eq(noun, str_from(verb->noun));
}

void help_overview(const Verbs *verbs, Str noun, Text *out) {
    text_print(out, "usage: muster [NOUN] VERB [ARGUMENT...] [--OPTION VALUE...]\n\n");
    Verb verb;
    for (size_t at = 0; verb_at(verbs, at, &verb); at++) {
        if (!manual_is_of(&verb, noun)) continue;
        size_t from = out->len;
        manual_usage_add(&verb, out);
        Str usage = str_slice(text_str(out), from, out->len);
        text_print(out, "%*s", usage.len < NAME_WIDTH ? (int)(NAME_WIDTH - usage.len) : 1, "");
        text_print(out, " %s\n", verb.doc);
    }
    text_print(out,
               "\nmuster help NOUN VERB tells a verb's options; a thing goes by its id or name.\n");
}

/// "--name VALUE", "-l, --selector VALUE"
static void manual_option_usage(const OptionView *view, Text *out) {
    if (view->letter) text_print(out, "-%c, ", view->letter);
    text_print(out, "--%s%s%s", view->name, view->value ? " " : "", view->value ? view->value : "");
}

/// ", must be given; a slug ...": what a field may be and its default.
static void manual_field_note(const Field *field, Text *out) {
    text_print(out, "; ");
    field_allowed(field, out);
    if (field->fallback) text_print(out, " (%s)", field->fallback);
}

void help_verb(const Verb *verb, Text *out) {
    text_print(out, "usage: muster ");
    manual_usage_add(verb, out);
    text_print(out, " [--OPTION VALUE...]\n\n%s\n\n", verb->doc);
    OptionView view;
    for (size_t at = 0; verb_option(verb, at, &view); at++) {
        size_t from = out->len;
        manual_option_usage(&view, out);
        size_t len = out->len - from;
        text_print(out, "%*s", len < OPTION_WIDTH ? (int)(OPTION_WIDTH - len) : 1, "");
        text_print(out, " %s", view.doc);
        if (view.field && view.value) manual_field_note(view.field, out);
        text_add_char(out, '\n');
    }
}

/// Text of roff: a backslash and a leading dot or quote are not its own.
static void manual_roff_add(Str text, Text *out) {
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (i == 0 && (c == '.' || c == '\'')) text_add(out, S("\\&"));
        if (c == '\\') {
            text_add(out, S("\\e"));
        } else if (c == '-') {
            text_add(out, S("\\-"));
        } else {
            text_add_char(out, c);
        }
    }
}

static void manual_man_verb(const Verb *verb, Text *out) {
    text_add(out, S(".SS \"muster "));
    manual_usage_add(verb, out);
    text_add(out, S("\"\n"));
    manual_roff_add(str_from(verb->doc), out);
    text_add(out, S(".\n"));
    OptionView view;
    for (size_t at = 0; verb_option(verb, at, &view); at++) {
        text_add(out, S(".TP\n.B "));
        if (view.letter) text_print(out, "\\-%c, ", view.letter);
        text_add(out, S("\\-\\-"));
        manual_roff_add(str_from(view.name), out);
        if (view.value) text_print(out, " \\fI%s\\fR", view.value);
        text_add_char(out, '\n');
        manual_roff_add(str_from(view.doc), out);
        text_add_char(out, '\n');
    }
}

void man_page(const Verbs *verbs, Str noun, Text *out) {
    text_print(out, ".TH MUSTER 1 \"\" \"muster " MUSTER_VERSION "\"\n.SH NAME\n");
    text_print(out, "muster \\- manage fleets of devices\n.SH SYNOPSIS\n.B muster\n");
    text_print(out,
               "[\\fINOUN\\fR] \\fIVERB\\fR [\\fIARGUMENT\\fR...] "
               "[\\fB\\-\\-\\fIOPTION VALUE\\fR...]\n.SH DESCRIPTION\n");
    text_print(out,
               "The command line of the Muster control plane. Wherever an id is expected, "
               "the name of the thing is taken as well; a release goes by "
               "APPLICATION@VERSION.\n.SH COMMANDS\n");
    Verb verb;
    for (size_t at = 0; verb_at(verbs, at, &verb); at++)
        if (manual_is_of(&verb, noun)) manual_man_verb(&verb, out);
    text_print(out, ".SH EXIT STATUS\n");
    for (ExitCode code = 0; code < EXIT_CODE_COUNT; code++) {
        text_print(out, ".TP\n.B %d\n", code);
        manual_roff_add(str_from(exit_code_doc(code)), out);
        text_add_char(out, '\n');
    }
    text_print(out,
               ".SH FILES\n.TP\n.I ~/.config/muster/session.json\n"
               "the session, readable by its owner only\n.SH ENVIRONMENT\n");
    text_print(out,
               ".TP\n.B MUSTER_CONFIG\nthe session's file\n.TP\n.B MUSTER_PASSWORD\n"
               "the password to sign in with\n");
}

static void manual_completion_verb(const Verb *verb, Text *out) {
    bool top = verb->noun[0] == '\0';
    text_print(out, "    '%s%s%s') words='", verb->noun, top ? "" : " ", verb->name);
    OptionView view;
    for (size_t at = 0; verb_option(verb, at, &view); at++) {
        Str name = str_from(view.name);
        bool is_map = str_ends(name, S(".KEY"));
        if (is_map) name.len -= 3; // "--labels."
        text_print(out, "%s--%.*s", at ? " " : "", STR_FMT(name));
    }
    text_print(out, "' ;;\n");
}

/// The words that may stand first: verbs without a noun, and each noun once.
static void manual_completion_first(const Verbs *verbs, Text *out) {
    const char *last = "";
    Verb verb;
    for (size_t at = 0; verb_at(verbs, at, &verb); at++) {
        bool top = verb.noun[0] == '\0';
        if (top || strcmp(verb.noun, last) != 0)
            text_print(out, "%s%s", at ? " " : "", top ? verb.name : verb.noun);
        last = verb.noun;
    }
}

static void manual_completion_noun(const Verbs *verbs, const char *noun, Text *out) {
    text_print(out, "    '%s') words='", noun);
    const char *gap = "";
    Verb verb;
    for (size_t at = 0; verb_at(verbs, at, &verb); at++) {
        if (strcmp(verb.noun, noun) != 0) continue;
        text_print(out, "%s%s", gap, verb.name);
        gap = " ";
    }
    text_print(out, "' ;;\n");
}

void completion_bash(const Verbs *verbs, Text *out) {
    text_print(out, "# bash completion for muster\n_muster() {\n");
    text_print(out, "    local word=${COMP_WORDS[COMP_CWORD]} words= key=\n");
    text_print(out, "    [ \"$COMP_CWORD\" -gt 1 ] && key=${COMP_WORDS[1]}\n");
    text_print(out, "    case $key in\n    '') words='");
    manual_completion_first(verbs, out);
    text_print(out, "' ;;\n");
    const char *last = "";
    Verb verb;
    for (size_t at = 0; verb_at(verbs, at, &verb); at++) {
        if (*verb.noun && strcmp(verb.noun, last) != 0)
            manual_completion_noun(verbs, verb.noun, out);
        if (!*verb.noun) manual_completion_verb(&verb, out);
        last = verb.noun;
    }
    text_print(out,
               "    esac\n    [ \"$COMP_CWORD\" -gt 2 ] && case \"$key ${COMP_WORDS[2]}\" in\n");
    for (size_t at = 0; verb_at(verbs, at, &verb); at++)
        if (*verb.noun) manual_completion_verb(&verb, out);
    text_print(out, "    esac\n    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n");
    text_print(out, "}\ncomplete -o default -F _muster muster\n");
}
