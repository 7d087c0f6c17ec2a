// SPDX-License-Identifier: Apache-2.0
#include "http/openapi_schema.h"

#include "base/scope.h"
#include "every_kind.h"
#include "test.h"

#include <jansson.h>
#include <string.h>

static Str openapi(Text *out, const Schema *schema, SchemaView view) {
    text_clear(out);
    schema_openapi(schema, view, out);
    CHECK_OK(text_check(out));
    return text_str(out);
}

TEST(openapi_describes_what_creation_takes) {
    SCOPED(text_done) Text out;
    text_init(&out, 1 << 20);
    CHECK_STR(openapi(&out, &Part_schema, VIEW_INPUT),
              S("{\"type\":\"object\",\"description\":\"a part of a thing\","
                "\"additionalProperties\":false,\"required\":[\"name\"],\"properties\":{"
                "\"name\":{\"description\":\"its name\",\"type\":\"string\",\"minLength\":1,"
                "\"maxLength\":20,\"pattern\":\"^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$\"},"
                "\"weight\":{\"description\":\"grams\",\"type\":\"integer\",\"minimum\":0,"
                "\"maximum\":1000,\"default\":10},"
                "\"tags\":{\"description\":\"words\",\"type\":\"array\",\"maxItems\":64,"
                "\"items\":{\"type\":\"string\",\"maxLength\":255}}}}"));
}

/// The member at `path` (names separated by '.') of the view's schema.
static json_t *part_of(json_t *tree, const char *path) {
    Str rest = str_from(path);
    Str name;
    while (str_cut(&rest, '.', &name)) {
        char key[32];
        snprintf(key, sizeof(key), "%.*s", STR_FMT(name));
        tree = json_object_get(tree, key);
    }
    return tree;
}

static void drop(json_t **tree) {
    json_decref(*tree);
}

TEST(openapi_views_differ_in_what_they_show) {
    SCOPED(text_done) Text out;
    text_init(&out, 1 << 20);
    static const struct {
        SchemaView view;
        const char *shown[6];
        const char *hidden[6];
    } cases[] = {
        {VIEW_REPLY, {"id", "count", "home", "rev"}, {"password", "password_hash"}                  },
        {VIEW_INPUT, {"password", "home"},           {"id", "count", "rev", "password_hash"}        },
        {VIEW_PATCH, {"password"},                   {"id", "count", "rev", "password_hash", "home"}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        Str text = openapi(&out, &Thing_schema, cases[i].view);
        SCOPED(drop) json_t *tree = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
        json_t *properties = part_of(tree, "properties");
        CHECK(json_is_object(properties));
        for (size_t j = 0; cases[i].shown[j]; j++)
            CHECK(json_object_get(properties, cases[i].shown[j]) != NULL);
        for (size_t j = 0; cases[i].hidden[j]; j++)
            CHECK(json_object_get(properties, cases[i].hidden[j]) == NULL);
    }
}

TEST(in_a_change_nothing_is_required_and_null_clears) {
    SCOPED(text_done) Text out;
    text_init(&out, 1 << 20);
    Str text = openapi(&out, &Thing_schema, VIEW_PATCH);
    SCOPED(drop) json_t *tree = json_loadb(text.ptr, text.len, 0, NULL);
    CHECK(json_array_size(part_of(tree, "required")) == 0);
    CHECK(json_is_array(part_of(tree, "properties.note.type")));
    CHECK(json_is_string(part_of(tree, "properties.name.type")));
    CHECK(json_is_string(part_of(tree, "properties.size.type")));
    CHECK(json_is_array(part_of(tree, "properties.spare.anyOf")));
    CHECK(json_is_array(part_of(tree, "properties.labels.additionalProperties.type")));
    const char *ref = json_string_value(part_of(tree, "properties.main.$ref"));
    CHECK_STR(str_from(ref), S("#/components/schemas/PartInput"));
}

TEST(what_a_program_of_another_age_sends_may_have_more_fields_and_words) {
    SCOPED(text_done) Text out;
    text_init(&out, 1 << 20);
    Str text = openapi(&out, &Thing_schema, VIEW_PEER);
    SCOPED(drop) json_t *tree = json_loadb(text.ptr, text.len, 0, NULL);
    CHECK(!json_object_get(tree, "additionalProperties"));
    CHECK(json_array_size(part_of(tree, "required")) == 2);
    CHECK(!part_of(tree, "properties.mood.enum"));
    CHECK(!part_of(tree, "properties.id"));
    const char *ref = json_string_value(part_of(tree, "properties.main.$ref"));
    CHECK_STR(str_from(ref), S("#/components/schemas/PartPeer"));
}

TEST(what_is_not_stored_need_not_be_in_every_answer) {
    static const Field fields[] = {
        {.name = {"a", 1},
         .kind = KIND_RECORD,
         .flags = REQUIRED | UNSTORED,
         .doc = "x",
         .record = &Part_schema}
    };
    static const Schema schema = {
        .name = {"kit", 3},
        .title = "Kit",
        .doc = "a kit",
        .size = sizeof(Part),
        .fields = fields,
        .count = 1
    };
    SCOPED(text_done) Text out;
    text_init(&out, 1 << 20);
    CHECK(strstr(openapi(&out, &schema, VIEW_REPLY).ptr, "\"required\":[],\"properties\":{\"a\""));
    CHECK(strstr(openapi(&out, &schema, VIEW_INPUT).ptr, "\"required\":[\"a\"]"));
}

TEST_MAIN(CASE(openapi_describes_what_creation_takes),
          CASE(openapi_views_differ_in_what_they_show),
          CASE(in_a_change_nothing_is_required_and_null_clears),
          CASE(what_a_program_of_another_age_sends_may_have_more_fields_and_words),
          CASE(what_is_not_stored_need_not_be_in_every_answer))
