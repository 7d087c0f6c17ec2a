// SPDX-License-Identifier: Apache-2.0
// The action of a verb that is a call of the API and nothing else.
#include "base/scope.h"
#include "cli/api.h"
#include "cli/password.h"
#include "http/client.h"

#include <assert.h>
#include <string.h>

enum { BODY_MAX = 512 * 1024, TARGET_MAX = 4096 };

/// The path with each {noun_id} replaced by the id that the next positional argument means.
static Err row_path_fill(Cli *cli, const Verb *verb, Text *out) {
    Str rest = str_from(verb->endpoint->path);
    size_t used = 0;
    for (Str part; str_cut(&rest, '{', &part);) {
        text_add(out, part);
        if (!rest.ptr) break;
        Str noun;
        (void)str_cut(&rest, '}', &noun);
        noun = str_dup(&cli->arena, str_slice(noun, 0, noun.len - strlen("_id")));
        TRY(arena_check(&cli->arena));
        assert(used < cli->args.positional_count);
        Str id;
        TRY(api_resolve(cli, noun.ptr, cli->args.positionals[used++], &id));
        text_add(out, id);
    }
    return SUCCESS;
}

/// The filters that were given.
static Err row_query_fill(Cli *cli, const Verb *verb, Text *out) {
    char separator = '?';
    OptionView view;
    for (size_t at = 0; verb_option(verb, at, &view); at++) {
        Str value = cli_option(cli, view.name);
        if (!view.is_filter || !value.ptr) continue;
        if (view.field->prefix) TRY(api_resolve(cli, view.field->prefix, value, &value));
        text_print(out, "%c%s=", separator, view.field->name.ptr);
        http_encode(out, value);
        separator = '&';
    }
    return SUCCESS;
}

/// Add the pairs that the option gives: the field's name, or "labels.KEY", and its value.
static Err
row_pairs_add(Cli *cli, const Verb *verb, const OptionView *view, StrPair *pairs, size_t *n) {
    const Field *field = view->field;
    bool is_secret = field->kind == KIND_STR && (field->flags & WRITE_ONLY);
    Str value = cli_option(cli, view->name);
    if (is_secret && (value.ptr || verb->endpoint->method != PATCH))
        TRY(password_get(cli, view->name, "new password", &value));
    if (value.ptr && field->kind == KIND_ID && field->prefix)
        TRY(api_resolve(cli, field->prefix, value, &value));
    if (value.ptr) pairs[(*n)++] = (StrPair){field->name, value};
    if (field->kind != KIND_MAP) return SUCCESS;
    Str prefix = str_slice(str_from(view->name), 0, field->name.len + 1); // "labels."
    for (size_t i = 0; i < cli->args.option_count && *n < CLI_OPTIONS_MAX; i++)
        if (str_starts(cli->args.options[i].key, prefix)) pairs[(*n)++] = cli->args.options[i];
    return SUCCESS;
}

/// Pointers of faults are told as the options that the operator wrote.
static Err row_body_refused(Cli *cli, const Faults *faults) {
    cli->faults = *faults;
    return cli_fail(cli, ERR_INVALID, "the input is not what is allowed here");
}

/// The body: for a change only the given fields, checked by a schema of just their rows.
static Err row_body_fill(Cli *cli, const Verb *verb, Text *out) {
    StrPair pairs[CLI_OPTIONS_MAX];
    Field *fields = ARENA_ARRAY(&cli->arena, Field, verb->endpoint->in->count);
    if (!fields) return arena_check(&cli->arena);
    bool is_change = verb->endpoint->method == PATCH;
    size_t pair_count = 0;
    size_t field_count = 0;
    OptionView view;
    for (size_t at = 0; verb_option(verb, at, &view); at++) {
        if (!view.field || view.is_filter) continue;
        size_t before = pair_count;
        TRY(row_pairs_add(cli, verb, &view, pairs, &pair_count));
        if (pair_count > before || !is_change) fields[field_count++] = *view.field;
    }
    if (field_count == 0) return cli_usage(cli, "nothing to change is given");
    Schema given = *verb->endpoint->in;
    given.fields = fields;
    given.count = field_count;
    void *record = arena_alloc(&cli->arena, given.size, _Alignof(max_align_t));
    if (!record) return arena_check(&cli->arena);
    Faults faults;
    faults_init(&faults, &cli->arena);
    Err err = schema_decode_pairs(&given, pairs, pair_count, &cli->arena, &faults, record);
    if (err.code == ERR_INVALID) return row_body_refused(cli, &faults);
    TRY(err);
    schema_encode(&given, record, ENCODE_REQUEST, out);
    return text_check(out);
}

static Err row_limit_get(Cli *cli, size_t *ret_limit) {
    Str text = cli_option(cli, "limit");
    uint64_t limit = CLI_LIST_DEFAULT;
    if (text.ptr && (str_u64(text, &limit).code != OK || limit == 0 || limit > 100'000))
        return cli_usage(cli, "--limit must be a number from 1 to 100000");
    *ret_limit = (size_t)limit;
    return SUCCESS;
}

static Err row_list_run(Cli *cli, const Verb *verb, Str target) {
    size_t limit;
    TRY(row_limit_get(cli, &limit));
    void *items;
    size_t count;
    const Schema *out = verb->endpoint->out;
    TRY(api_list(cli, target, out, limit, &cli->arena, &items, &count));
    return cli_show_list(cli, out, items, count);
}

Err row_run(Cli *cli, const Verb *verb) {
    SCOPED(text_done) Text target;
    text_init(&target, TARGET_MAX);
    SCOPED(text_done) Text body;
    text_init(&body, BODY_MAX);
    TRY(row_path_fill(cli, verb, &target));
    TRY(row_query_fill(cli, verb, &target));
    TRY(text_check(&target));
    const Endpoint *endpoint = verb->endpoint;
    if (endpoint->in) TRY(row_body_fill(cli, verb, &body));
    if (endpoint->shape == REPLY_LIST) return row_list_run(cli, verb, text_str(&target));
    const ApiCall call = {
        .method = method_name(endpoint->method),
        .target = text_str(&target),
        .body = endpoint->in ? text_str(&body) : (Str){},
    };
    Str reply;
    TRY(api_send(cli, &call, &cli->arena, &reply));
    if (endpoint->shape == REPLY_NONE) return SUCCESS;
    void *record = arena_alloc(&cli->arena, endpoint->out->size, _Alignof(max_align_t));
    if (!record) return arena_check(&cli->arena);
    TRY(api_decode(cli, endpoint->out, reply, &cli->arena, record));
    return cli_show(cli, endpoint->out, record);
}
