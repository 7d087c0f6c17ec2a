// SPDX-License-Identifier: Apache-2.0
// The OpenAPI 3.1 document, written once from the sorted entries. A component is written only if
// an operation reaches it, so the list of components is collected first.
#include "base/problem.h"
#include "http/openapi_schema.h"
#include "http/router_parts.h"

#include <assert.h>

enum { COMPONENTS_MAX = 256 };

typedef struct Component {
    const Schema *schema;
    SchemaView view;
    bool is_list; ///< a page of it
} Component;

typedef struct Components {
    Component items[COMPONENTS_MAX];
    size_t count;
} Components;

/// Add a component unless it is there, with what it refers to. Ends because each is added once.
static void openapi_components_add(Components *components, Component component) {
    for (size_t i = 0; i < components->count; i++) {
        const Component *other = &components->items[i];
        if (other->schema == component.schema && other->view == component.view
            && other->is_list == component.is_list)
            return;
    }
    assert(components->count < COMPONENTS_MAX);
    components->items[components->count++] = component;
    if (component.is_list) {
        openapi_components_add(components, (Component){component.schema, VIEW_REPLY, false});
        return;
    }
    SchemaView nested = component.view == VIEW_PATCH ? VIEW_INPUT : component.view;
    for (size_t i = 0; i < component.schema->count; i++) {
        const Field *field = &component.schema->fields[i];
        if (field->record && field_is_viewed(field, component.view))
            openapi_components_add(components, (Component){field->record, nested, false});
    }
}

static Component openapi_body(const Endpoint *endpoint) {
    SchemaView view = endpoint->method == PATCH ? VIEW_PATCH
                      : endpoint->peer          ? VIEW_PEER
                                                : VIEW_INPUT;
    return (Component){endpoint->in, view, false};
}

static void openapi_components_collect(Components *components, const Router *router) {
    if (router->count)
        openapi_components_add(components, (Component){&Problem_schema, VIEW_REPLY, false});
    for (size_t i = 0; i < router->count; i++) {
        const Endpoint *endpoint = router->entries[i].route->endpoint;
        if (endpoint->in) openapi_components_add(components, openapi_body(endpoint));
        if (endpoint->shape == REPLY_NONE) continue;
        bool is_list = endpoint->shape == REPLY_LIST;
        openapi_components_add(components, (Component){endpoint->out, VIEW_REPLY, is_list});
    }
}

static void openapi_add_name(Component component, Text *out) {
    schema_openapi_name(component.schema, component.view, out);
    if (component.is_list) text_add(out, S("List"));
}

static void openapi_add_ref(Component component, Text *out) {
    text_add(out, S("{\"$ref\":\"#/components/schemas/"));
    openapi_add_name(component, out);
    text_add(out, S("\"}"));
}

static void openapi_add_component(Component component, Text *out) {
    text_add_char(out, '"');
    openapi_add_name(component, out);
    text_add(out, S("\":"));
    if (!component.is_list) {
        schema_openapi(component.schema, component.view, out);
        return;
    }
    text_add(
        out,
        S("{\"type\":\"object\",\"description\":\"one page\",\"additionalProperties\":false,"
          "\"required\":[\"items\"],\"properties\":{\"items\":{\"type\":\"array\",\"items\":"));
    openapi_add_ref((Component){component.schema, VIEW_REPLY, false}, out);
    text_add(out,
             S("},\"next\":{\"type\":\"string\","
               "\"description\":\"cursor of the next page; absent at the end\"}}}"));
}

/// The noun of a path: its first segment behind /v1.
static Str openapi_entry_tag(const Entry *entry) {
    bool is_versioned = entry->count > 1 && str_eq(entry->segments[0], S("v1"));
    return entry->segments[is_versioned ? 1 : 0];
}

static void openapi_add_tags(const Router *router, Text *out) {
    const char *separator = "";
    for (size_t i = 0; i < router->count; i++) {
        Str tag = openapi_entry_tag(&router->entries[i]);
        bool is_known = false; // the order of the entries does not put all of a tag together
        for (size_t j = 0; j < i; j++)
            is_known = is_known || str_eq(openapi_entry_tag(&router->entries[j]), tag);
        if (is_known) continue;
        text_print(out, "%s{\"name\":", separator);
        text_add_json(out, tag);
        text_add(out, S(",\"description\":"));
        text_add_json(out, tag);
        text_add_char(out, '}');
        separator = ",";
    }
}

static void openapi_add_parameters(const Entry *entry, Text *out) {
    const char *separator = "";
    for (size_t i = 0; i < entry->count; i++) {
        Str segment = entry->segments[i];
        if (!route_is_parameter(segment)) continue;
        text_print(out, "%s{\"name\":", separator);
        text_add_json(out, str_slice(segment, 1, segment.len - 1));
        text_print(out,
                   ",\"in\":\"path\",\"required\":true,"
                   "\"schema\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":%d}}",
                   ROUTE_ARG_MAX);
        separator = ",";
    }
    if (entry->route->endpoint->shape == REPLY_EVENTS) {
        text_print(out,
                   "%s{\"name\":\"Last-Event-ID\",\"in\":\"header\",\"required\":false,"
                   "\"description\":\"id of the last event that was seen\","
                   "\"schema\":{\"type\":\"string\"}}",
                   separator);
        separator = ",";
    }
    const Schema *query = entry->route->endpoint->query;
    for (size_t i = 0; query && i < query->count; i++) {
        const Field *field = &query->fields[i];
        // A map is given as "NAME.KEY", for which OpenAPI has no words.
        if (field->kind == KIND_MAP || !field_is_viewed(field, VIEW_INPUT)) continue;
        bool is_required = (field->flags & REQUIRED) && !field->fallback;
        text_print(out,
                   "%s{\"name\":\"%s\",\"in\":\"query\",\"required\":%s,%s\"schema\":",
                   separator,
                   field->name.ptr,
                   is_required ? "true" : "false",
                   field->kind == KIND_STRS ? "\"style\":\"form\",\"explode\":false," : "");
        field_openapi(field, VIEW_INPUT, out);
        text_add_char(out, '}');
        separator = ",";
    }
}

static void openapi_add_responses(const Endpoint *endpoint, Text *out) {
    text_print(out, "\"%u\":{\"description\":\"success\"", endpoint_status(endpoint));
    const Component body = {endpoint->out, VIEW_REPLY, endpoint->shape == REPLY_LIST};
    if (endpoint->shape == REPLY_EVENTS) { // for what is within one, OpenAPI 3.1 has no words
        text_add(out,
                 S(",\"content\":{\"text/event-stream\":{\"schema\":{\"type\":\"string\"},"
                   "\"x-event-data\":"));
        openapi_add_ref(body, out);
        text_add(out, S("}}"));
    } else if (endpoint->shape != REPLY_NONE) {
        text_add(out, S(",\"content\":{\"application/json\":{\"schema\":"));
        openapi_add_ref(body, out);
        text_add(out, S("}}"));
    }
    text_add(out,
             S("},\"4XX\":{\"$ref\":\"#/components/responses/Problem\"},"
               "\"default\":{\"$ref\":\"#/components/responses/Problem\"}"));
}

static void openapi_add_access(const Router *router, const Route *route, Text *out) {
    text_add(out, route->access ? S(",\"security\":[{\"bearer\":[]}]") : S(",\"security\":[]"));
    text_add(out, S(",\"x-access\":["));
    const char *separator = "";
    for (size_t i = 0; i < router->options.access_count; i++) {
        const AccessName *name = &router->options.access_names[i];
        if (!(route->access & name->bit)) continue;
        text_print(out, "%s\"%s\"", separator, name->name);
        separator = ",";
    }
    text_add_char(out, ']');
}

static void openapi_add_request_body(const Endpoint *endpoint, Text *out) {
    bool patch = endpoint->method == PATCH;
    text_add(out, S(",\"requestBody\":{\"required\":true,\"content\":{"));
    Component body = openapi_body(endpoint);
    if (patch) { // which is also taken as plain JSON
        text_add(out, S("\"application/merge-patch+json\":{\"schema\":"));
        openapi_add_ref(body, out);
        text_add(out, S("},"));
    }
    text_add(out, S("\"application/json\":{\"schema\":"));
    openapi_add_ref(body, out);
    text_add(out, S("}}}"));
}

static void openapi_add_operation(const Router *router, const Entry *entry, Text *out) {
    static const char *const keys[METHOD_COUNT] = {
        [GET] = "get", [POST] = "post", [PATCH] = "patch", [DELETE] = "delete"};
    const Endpoint *endpoint = entry->route->endpoint;
    text_print(out,
               "\"%s\":{\"operationId\":\"%s_%s\",\"summary\":",
               keys[endpoint->method],
               endpoint->noun,
               endpoint->verb);
    text_add_json(out, str_from(endpoint->doc));
    text_add(out, S(",\"tags\":["));
    text_add_json(out, openapi_entry_tag(entry));
    text_add(out, S("],\"parameters\":["));
    openapi_add_parameters(entry, out);
    text_add_char(out, ']');
    if (endpoint->in) openapi_add_request_body(endpoint, out);
    text_add(out, S(",\"responses\":{"));
    openapi_add_responses(endpoint, out);
    text_add_char(out, '}');
    openapi_add_access(router, entry->route, out);
    text_add_char(out, '}');
}

/// The entries of one path are adjacent.
static void openapi_add_paths(const Router *router, Text *out) {
    Str path = {};
    for (size_t i = 0; i < router->count; i++) {
        const Entry *entry = &router->entries[i];
        bool is_new = !str_eq(path, str_from(entry->route->endpoint->path));
        path = str_from(entry->route->endpoint->path);
        if (is_new) {
            if (i) text_add(out, S("},"));
            text_add_json(out, path);
            text_add(out, S(":{"));
        } else {
            text_add_char(out, ',');
        }
        openapi_add_operation(router, entry, out);
    }
    if (router->count) text_add_char(out, '}');
}

static void openapi_add_info(const RouterOptions *options, Text *out) {
    text_add(out, S("{\"openapi\":\"3.1.0\",\"info\":{\"title\":"));
    text_add_json(out, str_from(options->title));
    text_add(out, S(",\"version\":"));
    text_add_json(out, str_from(options->version));
    text_add(out, S(",\"license\":{\"name\":\"Apache-2.0\",\"identifier\":\"Apache-2.0\"}}"));
    text_add(out, S(",\"servers\":[{\"url\":\"/\"}],\"x-access\":["));
    for (size_t i = 0; i < options->access_count; i++) {
        text_print(out, "%s{\"name\":", i ? "," : "");
        text_add_json(out, str_from(options->access_names[i].name));
        text_add(out, S(",\"description\":"));
        text_add_json(out, str_from(options->access_names[i].doc));
        text_add_char(out, '}');
    }
    text_add_char(out, ']');
}

void openapi_write(const Router *router, Text *out) {
    Components components = {};
    openapi_components_collect(&components, router);
    openapi_add_info(&router->options, out);
    text_add(out, S(",\"tags\":["));
    openapi_add_tags(router, out);
    text_add(out, S("],\"paths\":{"));
    openapi_add_paths(router, out);
    text_add(out,
             S("},\"components\":{\"securitySchemes\":{\"bearer\":{\"type\":\"http\","
               "\"scheme\":\"bearer\"}},\"schemas\":{"));
    for (size_t i = 0; i < components.count; i++) {
        if (i) text_add_char(out, ',');
        openapi_add_component(components.items[i], out);
    }
    text_add(out, S("},\"responses\":{"));
    if (router->count)
        text_add(out,
                 S("\"Problem\":{\"description\":\"why it failed\",\"content\":"
                   "{\"" PROBLEM_CONTENT_TYPE
                   "\":{\"schema\":{\"$ref\":\"#/components/schemas/Problem\"}}}}"));
    text_add(out, S("}}}"));
}
