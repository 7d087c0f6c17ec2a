// SPDX-License-Identifier: Apache-2.0
// The table of routes: made once, then only read.
#include "http/router_parts.h"

#include "base/scope.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { OPENAPI_MAX = 4 * 1024 * 1024 };

/// Cut "/a/b" into "a", "b". False: no leading slash or too many segments.
static bool router_path_cut(Str path, Str ret_segments[ROUTE_SEGMENTS_MAX], size_t *ret_count) {
    if (!str_starts(path, S("/"))) return false;
    Str rest = str_slice(path, 1, path.len);
    size_t count = 0;
    Str segment;
    while (str_cut(&rest, '/', &segment)) {
        if (count == ROUTE_SEGMENTS_MAX) return false;
        ret_segments[count++] = segment;
    }
    *ret_count = count;
    return true;
}

static Entry router_entry_of(const Route *route) {
    Entry entry = {.route = route};
    bool is_path = router_path_cut(str_from(route->endpoint->path), entry.segments, &entry.count);
    assert(is_path);
    size_t args = 0;
    for (size_t i = 0; i < entry.count; i++)
        args += route_is_parameter(entry.segments[i]);
    assert(args <= ROUTE_ARGS_MAX);
    const Endpoint *endpoint = route->endpoint;
    assert(route->handler && endpoint->noun && endpoint->verb && endpoint->doc);
    assert(endpoint->method < METHOD_COUNT);
    assert(endpoint->shape == REPLY_NONE || endpoint->out);
    assert(endpoint->method != PATCH || endpoint->in);
    return entry;
}

/// Order of two paths: by segments, a literal before a parameter. 0: they match the same paths.
static int router_entry_path_cmp(const Entry *a, const Entry *b) {
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        bool a_is_parameter = route_is_parameter(a->segments[i]);
        bool b_is_parameter = route_is_parameter(b->segments[i]);
        if (a_is_parameter != b_is_parameter) return a_is_parameter ? 1 : -1;
        int order = a_is_parameter ? 0 : str_cmp(a->segments[i], b->segments[i]);
        if (order) return order;
    }
    return (a->count > b->count) - (a->count < b->count);
}

static int router_entry_cmp(const void *left, const void *right) {
    const Entry *a = left;
    const Entry *b = right;
    int order = router_entry_path_cmp(a, b);
    Method a_method = a->route->endpoint->method, b_method = b->route->endpoint->method;
    return order ? order : (a_method > b_method) - (a_method < b_method);
}

/// Both are the same operation.
static bool router_endpoint_is_same(const Endpoint *a, const Endpoint *b) {
    return strcmp(a->noun, b->noun) == 0 && strcmp(a->verb, b->verb) == 0;
}

static bool router_is_sound(const Schema *schema) {
    return !schema || schema_check(schema, NULL).code == OK;
}

static void router_entries_check(const Entry *entries, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const Endpoint *endpoint = entries[i].route->endpoint;
        assert(router_is_sound(endpoint->in) && router_is_sound(endpoint->out)
               && router_is_sound(endpoint->query));
        for (size_t j = i + 1; j < count; j++)
            assert(!router_endpoint_is_same(endpoint, entries[j].route->endpoint));
        if (i == 0 || router_entry_path_cmp(&entries[i - 1], &entries[i]) != 0) continue;
        assert(strcmp(entries[i - 1].route->endpoint->path, endpoint->path) == 0);
        assert(entries[i - 1].route->endpoint->method != endpoint->method);
    }
}

static void router_closep(Router **router) {
    router_close(*router);
}

Err router_open(const RouterOptions *options, Router **ret_router) {
    assert(options->authorise && options->begin && options->finish && options->clock.now_ms);
    SCOPED(router_closep) Router *router = calloc(1, sizeof(*router));
    if (!router) return FAIL(ERR_MEMORY, "no memory for the routes");
    router->options = *options;
    text_init(&router->openapi, OPENAPI_MAX);
    size_t count = 0;
    for (size_t i = 0; i < options->table_count; i++)
        count += options->tables[i].count;
    router->entries = calloc(count ? count : 1, sizeof(*router->entries));
    if (!router->entries) return FAIL(ERR_MEMORY, "no memory for the routes");
    for (size_t i = 0; i < options->table_count; i++) {
        for (size_t j = 0; j < options->tables[i].count; j++)
            router->entries[router->count++] = router_entry_of(&options->tables[i].routes[j]);
    }
    qsort(router->entries, count, sizeof(*router->entries), router_entry_cmp);
    router_entries_check(router->entries, count);
    openapi_write(router, &router->openapi);
    TRY(text_check(&router->openapi));
    *ret_router = TAKE_PTR(router);
    return SUCCESS;
}

Router *router_close(Router *router) {
    if (!router) return NULL;
    text_done(&router->openapi);
    free(router->entries);
    free(router);
    return NULL;
}

Str router_openapi(const Router *router) {
    return text_str(&router->openapi);
}

static bool router_entry_matches(const Entry *entry,
                                 const Str *segments,
                                 size_t count,
                                 Str ret_args[ROUTE_ARGS_MAX]) {
    if (entry->count != count) return false;
    size_t args = 0;
    for (size_t i = 0; i < count; i++) {
        if (!route_is_parameter(entry->segments[i])) {
            if (!str_eq(entry->segments[i], segments[i])) return false;
            continue;
        }
        if (segments[i].len == 0 || segments[i].len > ROUTE_ARG_MAX) return false;
        ret_args[args++] = segments[i];
    }
    return true;
}

/// "GET, PATCH": the methods of the entries that share the path of the one at `first`.
static Str router_allow_list(const Router *router, size_t first, Arena *arena) {
    Str allow = S("");
    for (size_t i = first; i < router->count; i++) {
        if (router_entry_path_cmp(&router->entries[first], &router->entries[i]) != 0) break;
        Str name = str_from(method_name(router->entries[i].route->endpoint->method));
        if (arena)
            allow = str_print(
                arena, "%.*s%s%.*s", STR_FMT(allow), i == first ? "" : ", ", STR_FMT(name));
    }
    return allow.ptr ? allow : S("");
}

Match router_match(const Router *router, Str method, Str path, Arena *arena) {
    Match match = {};
    Str segments[ROUTE_SEGMENTS_MAX];
    size_t count;
    if (!router_path_cut(path, segments, &count)) return match;
    size_t at = 0;
    while (at < router->count
           && !router_entry_matches(&router->entries[at], segments, count, match.args))
        at++;
    if (at == router->count) return (Match){};
    const Entry *first = &router->entries[at];
    for (size_t i = at; i < router->count; i++) {
        const Entry *entry = &router->entries[i];
        if (router_entry_path_cmp(first, entry) != 0) break;
        if (str_eq(str_from(method_name(entry->route->endpoint->method)), method))
            match.route = entry->route;
    }
    match.allow = match.route ? S("") : router_allow_list(router, at, arena);
    return match;
}

uint32_t router_pool(const Router *router, Str method, Str path) {
    const Route *route = router_match(router, method, path, NULL).route;
    return route ? route->pool : 0;
}

uint32_t router_body_max(const Router *router, Str method, Str path) {
    const Route *route = router_match(router, method, path, NULL).route;
    if (!route) return 0;
    uint32_t body_max = route->endpoint->body_max;
    return body_max ? body_max : ENDPOINT_BODY_MAX;
}
