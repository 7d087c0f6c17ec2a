// SPDX-License-Identifier: Apache-2.0
// Rules that every endpoint and every record of the API keeps, and the chain of audit entries.
#include "api/endpoints.h"
#include "api/page.h"
#include "test.h"

#include <string.h>

TEST(an_operation_is_there_once_and_sorted_by_noun) {
    for (size_t i = 0; i < endpoint_count; i++) {
        const Endpoint *one = endpoints[i];
        if (i) CHECK(strcmp(endpoints[i - 1]->noun, one->noun) <= 0);
        for (size_t j = 0; j < i; j++)
            CHECK(strcmp(endpoints[j]->noun, one->noun) || strcmp(endpoints[j]->verb, one->verb));
    }
}

TEST(a_filter_has_the_name_and_kind_of_a_field_that_lists_may_be_filtered_by) {
    for (size_t i = 0; i < endpoint_count; i++) {
        const Schema *query = endpoints[i]->shape == REPLY_LIST ? endpoints[i]->query : NULL;
        for (size_t f = PAGE_FIELD_COUNT; query && f < query->count; f++) {
            if (str_eq(query->fields[f].name, S(QUERY_SELECTOR))) continue;
            const Field *field = schema_field(endpoints[i]->out, query->fields[f].name);
            CHECK(field && field->kind == query->fields[f].kind);
            CHECK(field->kind == KIND_STR || field->kind == KIND_ID); // they can be absent
            CHECK(field->flags & (INDEXED | UNIQUE));
        }
    }
}

/// "fleet_id" has "fleet_name", "release_id" has "release_ref".
static bool has_name_beside(const Schema *schema, const Field *id) {
    char name[64];
    Str stem = str_slice(id->name, 0, id->name.len - strlen("_id"));
    snprintf(name, sizeof(name), "%.*s_name", STR_FMT(stem));
    if (schema_field(schema, str_from(name))) return true;
    snprintf(name, sizeof(name), "%.*s_ref", STR_FMT(stem));
    return schema_field(schema, str_from(name)) != NULL;
}

TEST(where_a_record_shows_the_id_of_another_it_shows_its_name_too) {
    for (size_t i = 0; i < endpoint_count; i++) {
        const Schema *out = endpoints[i]->out;
        if (!out || endpoints[i]->query == NULL) continue;
        for (size_t f = 0; f < out->count; f++) {
            const Field *field = &out->fields[f];
            if (field->kind != KIND_ID || (field->flags & (KEY | SCOPE | HIDDEN))) continue;
            CHECK(!(field->flags & LISTED));
            CHECK(has_name_beside(out, field));
        }
    }
}

TEST_MAIN(CASE(an_operation_is_there_once_and_sorted_by_noun),
          CASE(a_filter_has_the_name_and_kind_of_a_field_that_lists_may_be_filtered_by),
          CASE(where_a_record_shows_the_id_of_another_it_shows_its_name_too))
