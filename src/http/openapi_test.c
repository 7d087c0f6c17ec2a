// SPDX-License-Identifier: Apache-2.0
#include "http/fixture.h"

#include <jansson.h>
#include <string.h>

#include "test.h"

/// The document as it is served; the caller drops it.
static json_t *document(Fixture *fixture) {
    HttpReply reply =
        fixture_run(fixture, &(HttpRequest){.method = S("GET"), .path = S("/openapi.json")});
    CHECK(reply.status == 200);
    CHECK_STR(reply.body, router_openapi(fixture->router));
    json_t *root = json_loadb(reply.body.ptr, reply.body.len, JSON_REJECT_DUPLICATES, NULL);
    CHECK(root);
    return root;
}

/// The value at `path`, whose keys are separated by blanks.
static json_t *at(json_t *root, const char *path) {
    Str rest = str_from(path);
    Str key;
    while (root && str_cut(&rest, ' ', &key)) {
        if (json_is_array(root)) {
            uint64_t index;
            CHECK_OK(str_u64(key, &index));
            root = json_array_get(root, index);
        } else {
            root = json_object_getn(root, key.ptr, key.len);
        }
    }
    return root;
}

static void check_text(json_t *root, const char *path, const char *expected) {
    CHECK_STR(str_from(json_string_value(at(root, path))), str_from(expected));
}

TEST(the_document_has_every_operation_of_the_tables) {
    Fixture fixture;
    fixture_open(&fixture);
    json_t *root = document(&fixture);
    CHECK(json_object_size(at(root, "paths")) == 4);
    check_text(root, "openapi", "3.1.0");
    check_text(root, "info title", "Boxes");
    check_text(root, "info license identifier", "Apache-2.0");
    check_text(root, "servers 0 url", "/");
    check_text(root, "paths /v1/boxes get operationId", "box_list");
    check_text(root, "paths /v1/boxes post summary", "A new box");
    check_text(root, "paths /v1/boxes/{name} delete tags 0", "boxes");
    CHECK(json_array_size(at(root, "tags")) == 1);
    CHECK(at(root, "paths /v1/boxes post responses 201"));
    CHECK(at(root, "paths /v1/boxes/{name} delete responses 204"));
    CHECK(!at(root, "paths /v1/boxes/{name} delete responses 204 content"));
    json_decref(root);
    fixture_close(&fixture);
}

TEST(parameters_bodies_and_answers_are_described) {
    Fixture fixture;
    fixture_open(&fixture);
    json_t *root = document(&fixture);
    check_text(root, "paths /v1/boxes get parameters 0 in", "query");
    check_text(root, "paths /v1/boxes/{name} get parameters 0 in", "path");
    check_text(root, "paths /v1/boxes/{name} get parameters 0 name", "name");
    check_text(root,
               "paths /v1/boxes post requestBody content application/json schema $ref",
               "#/components/schemas/BoxInput");
    check_text(root,
               "paths /v1/boxes/{name} patch requestBody content application/merge-patch+json "
               "schema $ref",
               "#/components/schemas/BoxPatch");
    check_text(root,
               "paths /v1/boxes/sync post requestBody content application/json schema $ref",
               "#/components/schemas/BoxPeer");
    check_text(root,
               "paths /v1/boxes get responses 200 content application/json schema $ref",
               "#/components/schemas/BoxList");
    check_text(
        root, "paths /v1/boxes get responses default $ref", "#/components/responses/Problem");
    json_decref(root);
    fixture_close(&fixture);
}

TEST(who_may_call_is_told) {
    Fixture fixture;
    fixture_open(&fixture);
    json_t *root = document(&fixture);
    CHECK(at(root, "paths /v1/boxes get security 0 bearer"));
    check_text(root, "paths /v1/boxes get x-access 0", "read");
    CHECK(json_array_size(at(root, "paths /v1/boxes get x-access")) == 1);
    CHECK(json_is_array(at(root, "paths /v1/boxes/best get security")));
    CHECK(json_array_size(at(root, "paths /v1/boxes/best get security")) == 0);
    check_text(root, "components securitySchemes bearer scheme", "bearer");
    json_decref(root);
    fixture_close(&fixture);
}

/// Whether `text` refers to the component.
static bool is_referred(Str text, const char *name) {
    char ref[128];
    int len = snprintf(ref, sizeof(ref), "\"#/components/schemas/%s\"", name);
    return memmem(text.ptr, text.len, ref, (size_t)len) != NULL;
}

TEST(each_component_is_used_and_each_reference_has_its_component) {
    static const char *const expected[] = {"Box",
                                           "BoxInput",
                                           "BoxPatch",
                                           "BoxPeer",
                                           "BoxList",
                                           "Part",
                                           "PartInput",
                                           "PartPeer",
                                           "Problem",
                                           "ProblemFault"};
    size_t count = sizeof(expected) / sizeof(expected[0]);
    Fixture fixture;
    fixture_open(&fixture);
    json_t *root = document(&fixture);
    json_t *schemas = at(root, "components schemas");
    CHECK(json_object_size(schemas) == count);
    for (size_t i = 0; i < count; i++) {
        CHECK(json_object_get(schemas, expected[i]));
        CHECK(is_referred(router_openapi(fixture.router), expected[i]));
    }
    json_decref(root);
    fixture_close(&fixture);
}

TEST_MAIN(CASE(the_document_has_every_operation_of_the_tables),
          CASE(parameters_bodies_and_answers_are_described),
          CASE(who_may_call_is_told),
          CASE(each_component_is_used_and_each_reference_has_its_component))
