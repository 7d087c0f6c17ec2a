// SPDX-License-Identifier: Apache-2.0
#include "cli/api.h"

#include "api/endpoints.h"
#include "api/session.h"
#include "base/problem.h"
#include "base/scope.h"
#include "http/client.h"

#include <assert.h>
#include <string.h>

enum {
    CALL_WITHIN_MS = 60'000,
    REPLY_BYTES_MAX = 32 * 1024 * 1024,
    REQUEST_BYTES_MAX = 64 * 1024,
    REFRESH_AHEAD_MS = 10'000, ///< before the token's end, so that it does not end on the way
    PAGE_ITEMS = 200,
    PAGES_MAX = 10'000, ///< of one list
};

Err api_place(Cli *cli) {
    return session_path(cli_option(cli, "config"), cli->variable, &cli->arena, &cli->config_path);
}

Err api_connect(Cli *cli) {
    cli->http = http_client_close(cli->http);
    const HttpClientOptions options = {
        .base_url = str_dup(&cli->arena, cli->session.server).ptr,
        .ca_path = cli->session.ca.ptr ? str_dup(&cli->arena, cli->session.ca).ptr : NULL,
        .user_agent = "muster/" MUSTER_VERSION,
    };
    TRY(arena_check(&cli->arena));
    return http_client_open(&options, &cli->http);
}

Err api_open(Cli *cli) {
    if (cli->http) return SUCCESS;
    TRY(api_place(cli));
    TRY(session_load(cli->config_path, &cli->arena, &cli->session, &cli->said));
    return api_connect(cli);
}

Err api_decode(Cli *cli, const Schema *schema, Str json, Arena *arena, void *record) {
    Reason reason = {};
    Err err = schema_read(schema, json, DECODE_REPLY, arena, record, &reason);
    if (err.code != ERR_INVALID) return err;
    return cli_fail(cli,
                    ERR_UNAVAILABLE,
                    "the server's answer is no %.*s: %s",
                    STR_FMT(schema->name),
                    reason.text);
}

/// Keep what a problem document says; an answer without one is told by its status.
static Err api_problem_take(Cli *cli, const HttpAnswer *answer) {
    Problem problem;
    ErrCode code = problem_read(answer->status, text_str(&answer->body), &cli->arena, &problem);
    for (size_t i = 0; i < problem.errors.count; i++)
        faults_add(&cli->faults,
                   problem.errors.items[i].pointer,
                   "%.*s",
                   STR_FMT(problem.errors.items[i].detail));
    if (problem.detail.len == 0)
        return cli_fail(cli, code, "the server answered with status %u", (unsigned)answer->status);
    return cli_fail(cli, code, "%.*s", STR_FMT(problem.detail));
}

static Err api_exchange(Cli *cli, const ApiCall *call, Str bearer, HttpAnswer *ret_answer) {
    const HttpCall http = {
        .method = call->method,
        .target = call->target,
        .bearer = bearer,
        .body = call->body,
        .accept = call->take ? S("text/event-stream") : (Str){},
        .last_event_id = call->last_event_id,
        .take = call->take,
        .ctx = call->ctx,
        .within_ms = CALL_WITHIN_MS,
        .reply_max = REPLY_BYTES_MAX,
    };
    Reason said = {};
    Err err = http_client_call(cli->http, &http, ret_answer, &said);
    if (!said.text[0]) return err; // of who takes the answer, in its own words
    return err.code == OK ? SUCCESS : cli_fail(cli, err.code, "%s: %s", err.what, said.text);
}

static void api_answer_done(HttpAnswer *answer) {
    text_done(&answer->body);
}

static Err api_answer_take(Cli *cli, const HttpAnswer *answer, Arena *arena, Str *ret_body) {
    if (answer->status >= 400) return api_problem_take(cli, answer);
    if (answer->status < 200 || answer->status >= 300)
        return cli_fail(
            cli, ERR_UNAVAILABLE, "the server answered with status %u", (unsigned)answer->status);
    *ret_body = str_dup(arena, text_str(&answer->body));
    return arena_check(arena);
}

Err api_send_open(Cli *cli, const ApiCall *call, Arena *arena, Str *ret_body) {
    SCOPED(api_answer_done) HttpAnswer answer = {};
    TRY(api_exchange(cli, call, (Str){}, &answer));
    return api_answer_take(cli, &answer, arena, ret_body);
}

Err api_keep(Cli *cli, Str reply_json) {
    LoginReply reply;
    TRY(api_decode(cli, &LoginReply_schema, reply_json, &cli->arena, &reply));
    cli->session.access_token = reply.access_token;
    cli->session.refresh_token = reply.refresh_token;
    cli->session.expires_at.ms = clock_now_ms(&cli->clock) + reply.expires_in_s * 1000;
    return session_save(cli->config_path, &cli->session, &cli->arena, &cli->said);
}

static Err api_refresh(Cli *cli) {
    const RefreshInput input = {.refresh_token = cli->session.refresh_token};
    SCOPED(text_done) Text body;
    text_init(&body, REQUEST_BYTES_MAX);
    schema_encode(&RefreshInput_schema, &input, ENCODE_REQUEST, &body);
    TRY(text_check(&body));
    const ApiCall call = {.method = method_name(Session_refresh.method),
                          .target = str_from(Session_refresh.path),
                          .body = text_str(&body)};
    Str reply;
    Err err = api_send_open(cli, &call, &cli->arena, &reply);
    if (err.code == ERR_UNAUTHENTICATED || err.code == ERR_INVALID)
        return cli_fail(cli, ERR_UNAUTHENTICATED, "the session has ended: use muster login");
    TRY(err);
    return api_keep(cli, reply);
}

Str api_target(const Endpoint *endpoint, Str id, Arena *arena) {
    Str path = str_from(endpoint->path);
    size_t begin = str_index(path, '{', 0), end = str_index(path, '}', begin);
    assert(end < path.len);
    Str before = str_slice(path, 0, begin), behind = str_slice(path, end + 1, path.len);
    return str_print(arena, "%.*s%.*s%.*s", STR_FMT(before), STR_FMT(id), STR_FMT(behind));
}

Err api_send(Cli *cli, const ApiCall *call, Arena *arena, Str *ret_body) {
    TRY(api_open(cli));
    bool fresh = false;
    if (clock_now_ms(&cli->clock) + REFRESH_AHEAD_MS >= cli->session.expires_at.ms) {
        TRY(api_refresh(cli));
        fresh = true;
    }
    SCOPED(api_answer_done) HttpAnswer answer = {};
    TRY(api_exchange(cli, call, cli->session.access_token, &answer));
    if (answer.status == 401 && !fresh) {
        TRY(api_refresh(cli));
        text_done(&answer.body);
        TRY(api_exchange(cli, call, cli->session.access_token, &answer));
    }
    return api_answer_take(cli, &answer, arena, ret_body);
}

Err api_get(Cli *cli, Str target, const Schema *schema, Arena *arena, void *record) {
    Str body;
    TRY(api_send(cli, &(ApiCall){.method = "GET", .target = target}, arena, &body));
    return api_decode(cli, schema, body, arena, record);
}

/// One page of any list.
typedef struct Page {
    struct {
        void *items;
        size_t count;
    } items;
    Str next;
} Page;

static Err api_page_get(Cli *cli, Str target, const Schema *item, Arena *arena, Page *ret_page) {
    const Field fields[] = {
        FIELD_LIST_BY(Page, items, item, REQUIRED, "records"),
        FIELD(Page, next, 0, "cursor"),
    };
    const Schema schema = {
        .name = S("page"), .title = "Page", .size = sizeof(Page), .fields = fields, .count = 2};
    return api_get(cli, target, &schema, arena, ret_page);
}

Err api_encode(Str text, Arena *arena, Str *ret_text) {
    SCOPED(text_done) Text encoded;
    text_init(&encoded, REQUEST_BYTES_MAX);
    http_encode(&encoded, text);
    TRY(text_check(&encoded));
    *ret_text = str_dup(arena, text_str(&encoded));
    return arena_check(arena);
}

static Str api_page_target(Str target, size_t limit, Str after, Arena *arena) {
    bool has_query = str_index(target, '?', 0) < target.len;
    return str_print(arena,
                     "%.*s%climit=%zu%s%.*s",
                     STR_FMT(target),
                     has_query ? '&' : '?',
                     limit,
                     after.ptr ? "&after=" : "",
                     STR_FMT(after));
}

Err api_list(Cli *cli,
             Str target,
             const Schema *schema,
             size_t max,
             Arena *arena,
             void **ret_items,
             size_t *ret_count) {
    char *items = arena_array(arena, max, schema->size, _Alignof(max_align_t));
    if (!items && arena->failed == ERR_LIMIT)
        return FAIL(ERR_LIMIT, "the list is too long: use a smaller --limit");
    TRY(arena_check(arena));
    size_t count = 0;
    Str after = {};
    for (size_t pages = 0; count < max; pages++) {
        if (pages == PAGES_MAX)
            return FAIL(ERR_UNAVAILABLE, "the server's list has no end: use a smaller --limit");
        size_t want = max - count < PAGE_ITEMS ? max - count : PAGE_ITEMS;
        Str at = api_page_target(target, want, after, arena);
        TRY(arena_check(arena));
        Page page = {};
        TRY(api_page_get(cli, at, schema, arena, &page));
        size_t got = page.items.count < max - count ? page.items.count : max - count;
        if (got) memcpy(items + count * schema->size, page.items.items, got * schema->size);
        count += got;
        if (page.next.len == 0) break; // a page of a selection may be empty, and not the last
        TRY(api_encode(page.next, arena, &after));
    }
    *ret_items = items;
    *ret_count = count;
    return SUCCESS;
}

/// The items of `list` that may be called `name`: those, where the list can be filtered by it.
static Err api_list_named(Cli *cli,
                          const Endpoint *list,
                          const Field *name,
                          Str text,
                          void **ret_items,
                          size_t *ret_count) {
    Str target = str_from(list->path);
    if (schema_field(list->query, name->name)) {
        Str value;
        TRY(api_encode(text, &cli->arena, &value));
        target = str_print(&cli->arena, "%s?%s=%.*s", list->path, name->name.ptr, STR_FMT(value));
        TRY(arena_check(&cli->arena));
    }
    return api_list(cli, target, list->out, CLI_LIST_DEFAULT, &cli->arena, ret_items, ret_count);
}

/// The endpoint that lists the things of `noun`; NULL: there is none.
static const Endpoint *api_list_of(const char *noun) {
    for (size_t i = 0; i < endpoint_count; i++)
        if (strcmp(endpoints[i]->noun, noun) == 0 && strcmp(endpoints[i]->verb, "list") == 0)
            return endpoints[i];
    return NULL;
}

Err api_resolve(Cli *cli, const char *noun, Str text, Str *ret_id) {
    Id id;
    if (id_parse(text, str_from(noun), &id).code == OK) {
        *ret_id = text;
        return SUCCESS;
    }
    const Endpoint *list = api_list_of(noun);
    const Field *name = list ? schema_name_field(list->out) : NULL;
    if (!name) return cli_usage(cli, "\"%.*s\" is not the id of a %s", STR_FMT(text), noun);
    const Schema *schema = list->out;
    void *items;
    size_t count;
    TRY(api_list_named(cli, list, name, text, &items, &count));
    const Field *key = schema_flagged(schema, KEY);
    for (size_t i = 0; i < count; i++) {
        const char *item = (const char *)items + i * schema->size;
        if (!str_eq(*(const Str *)field_in(name, item), text)) continue;
        *ret_id = id_str(field_in(key, item));
        return SUCCESS;
    }
    return cli_fail(cli, ERR_NOT_FOUND, "there is no %s \"%.*s\"", noun, STR_FMT(text));
}
