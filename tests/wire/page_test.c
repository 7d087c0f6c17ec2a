// SPDX-License-Identifier: Apache-2.0
/// docs/protocol.md and the tables of src/wire say the same: the fields of each record and which of
/// them are required, the words of each enumeration, the abilities, the refusals.
///
/// In the page a comment before a table names its record: `<!-- record: Hello -->`.
#include "api/endpoints.h"
#include "base/field.h"
#include "base/scope.h"
#include "test.h"
#include "wire/manifest.h"
#include "wire/state.h"
#include "wire/token_text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_MAX = 256 * 1024, CELLS_MAX = 8, RECORDS_MAX = 64 };

static Arena arena;
static Str page;

static const Schema *const records[] = {
    &Application_schema, &ApplicationReport_schema,
    &Challenge_schema,   &Dependency_schema,
    &Desired_schema,     &DesiredFile_schema,
    &Document_schema,    &DocumentHead_schema,
    &EnrolInput_schema,  &Enrolled_schema,
    &Facts_schema,       &Healthcheck_schema,
    &Hello_schema,       &IdentityFile_schema,
    &Manifest_schema,    &Membership_schema,
    &Need_schema,        &NextKey_schema,
    &Policy_schema,      &Port_schema,
    &Proof_schema,       &Refusal_schema,
    &Reported_schema,    &ReportedFile_schema,
    &Sealed_schema,      &ServerEntry_schema,
    &Servers_schema,     &ServersFile_schema,
    &Service_schema,     &ServiceStatus_schema,
    &Signature_schema,   &Stamp_schema,
    &StateHead_schema,   &SyncDown_schema,
    &SyncUp_schema,      &Telemetry_schema,
    &TokenText_schema,   &Volume_schema,
};
enum { RECORD_COUNT = sizeof(records) / sizeof(records[0]) };

/// The table behind the line `mark`: its heading in `*ret_head`, its rows what is returned.
static Str table_find(const char *mark, Str *ret_head) {
    const char *at = strstr(page.ptr, mark);
    if (!at) fail_msg("docs/protocol.md has no table marked %s", mark);
    Str rest = str_slice(page, (size_t)(at - page.ptr), page.len), line;
    CHECK(str_cut(&rest, '\n', &line) && str_cut(&rest, '\n', ret_head));
    CHECK(str_starts(*ret_head, S("| ")));
    CHECK(str_cut(&rest, '\n', &line) && str_starts(line, S("|--")));
    return rest;
}

/// The next row of the table, cut into its cells. False behind the last one.
static bool row_next(Str *rows, Str ret_cells[CELLS_MAX]) {
    Str line;
    if (!str_cut(rows, '\n', &line) || !str_starts(line, S("|"))) return false;
    Str rest = str_slice(line, 1, line.len), cell;
    memset(ret_cells, 0, CELLS_MAX * sizeof(Str));
    for (size_t i = 0; i < CELLS_MAX && str_cut(&rest, '|', &cell); i++)
        ret_cells[i] = str_trim(cell);
    return true;
}

/// The next text in backticks.
static bool word_next(Str *cell, Str *ret_word) {
    Str before;
    return str_cut(cell, '`', &before) && cell->ptr && str_cut(cell, '`', ret_word);
}

static bool has_word(Str cell, const char *word) {
    for (Str at; word_next(&cell, &at);)
        if (str_eq(at, str_from(word))) return true;
    return false;
}

/// Every word of the field's enumeration stands in the row.
static void words_check(const Schema *schema, const Field *field, Str meaning) {
    for (size_t i = 0; field->kind == KIND_ENUM && i < field->names->count; i++)
        if (!has_word(meaning, field->names->items[i]))
            fail_msg("%s.%s: the page does not have the word %s",
                     schema->title,
                     field->name.ptr,
                     field->names->items[i]);
}

/// `on_page[i]`: the page has the schema's field i.
static void record_check(const Schema *schema, bool on_page[SCHEMA_FIELDS_MAX]) {
    Str head, cells[CELLS_MAX], word;
    Str rows = table_find(str_print(&arena, "<!-- record: %s -->", schema->title).ptr, &head);
    bool tells = strstr(str_dup(&arena, head).ptr, "| required |");
    while (row_next(&rows, cells)) {
        for (Str names = cells[0]; word_next(&names, &word);) {
            const Field *field = schema_field(schema, word);
            if (!field || !field_is_accepted(field, DECODE_INPUT))
                fail_msg("%s has no field %.*s", schema->title, STR_FMT(word));
            CHECK(!on_page[field - schema->fields]);
            on_page[field - schema->fields] = true;
            if (tells && str_eq(cells[1], S("yes")) != ((field->flags & REQUIRED) != 0))
                fail_msg("%s.%.*s: required or not?", schema->title, STR_FMT(word));
            words_check(schema, field, cells[tells ? 2 : 1]);
        }
    }
}

TEST(each_record_has_the_fields_that_the_page_says) {
    for (size_t i = 0; i < RECORD_COUNT; i++) {
        bool on_page[SCHEMA_FIELDS_MAX] = {};
        record_check(records[i], on_page);
        for (size_t f = 0; f < records[i]->count; f++)
            if (field_is_accepted(&records[i]->fields[f], DECODE_INPUT) && !on_page[f])
                fail_msg("the page does not have %s.%s",
                         records[i]->title,
                         records[i]->fields[f].name.ptr);
    }
}

static bool is_listed(const Schema *schema) {
    for (size_t i = 0; i < RECORD_COUNT; i++)
        if (records[i] == schema) return true;
    return false;
}

TEST(no_record_is_left_out) {
    for (size_t i = 0; i < RECORD_COUNT; i++)
        for (size_t f = 0; f < records[i]->count; f++) {
            const Schema *inner = records[i]->fields[f].record;
            if (inner && !is_listed(inner)) fail_msg("%s is not compared", inner->title);
        }
    size_t marks = 0;
    for (const char *at = page.ptr; (at = strstr(at, "<!-- record: ")); at++)
        marks++;
    CHECK(marks == RECORD_COUNT);
}

TEST(the_page_has_every_ability_and_no_other) {
    Str head, cells[CELLS_MAX], word;
    Str rows = table_find("<!-- abilities -->", &head);
    size_t count = 0;
    while (row_next(&rows, cells)) {
        if (str_eq(cells[1], S("reserved"))) continue;
        CHECK(count < ABILITY_COUNT && word_next(&cells[0], &word));
        Need need = ability_need((Ability)count++);
        CHECK_STR(word, need.ability);
        CHECK_STR(cells[1], need.since);
    }
    CHECK(count == ABILITY_COUNT);
}

TEST(what_is_reserved_is_no_ability_yet) {
    Str head, cells[CELLS_MAX], word;
    Str rows = table_find("<!-- abilities -->", &head);
    size_t count = 0;
    while (row_next(&rows, cells))
        while (str_eq(cells[1], S("reserved")) && word_next(&cells[0], &word)) {
            count++;
            for (size_t i = 0; i < ABILITY_COUNT; i++)
                CHECK(!str_eq(ability_need((Ability)i).ability, word));
            CHECK(schema_field(&Application_schema, word));
        }
    CHECK(count > 0);
}

/// The page's sentence about streams names a part of a message, a path and a query parameter.
TEST(nothing_uses_what_is_reserved_for_streams) {
    const char *at = strstr(page.ptr, "**Streams**");
    const char *end = at ? strstr(at, "\n\n") : NULL;
    CHECK(end);
    Str sentence = {at, (size_t)(end - at)}, part, path = {}, parameter;
    CHECK(word_next(&sentence, &part) && word_next(&sentence, &path));
    CHECK(word_next(&sentence, &parameter));
    CHECK(!schema_field(&SyncDown_schema, part) && !schema_field(&SyncUp_schema, part));
    CHECK(!str_eq(path, S(AGENT_CHANNEL_PATH)));
    for (size_t i = 0; i < endpoint_count; i++) {
        const Endpoint *endpoint = endpoints[i];
        CHECK(!str_eq(path, str_from(endpoint->path)));
        CHECK(!endpoint->query || !schema_field(endpoint->query, parameter));
    }
}

TEST(the_page_has_every_refusal_with_its_class_and_no_other) {
    Str head, cells[CELLS_MAX], word;
    Str rows = table_find("<!-- refusals -->", &head);
    size_t count = 0;
    while (row_next(&rows, cells)) {
        CHECK(count < REFUSED_COUNT && word_next(&cells[0], &word));
        Refusal refusal = refusal_make((RefusalCode)count++, (Str){});
        CHECK_STR(word, refusal.code);
        CHECK_STR(cells[1], str_from(RefusalClass_names.items[refusal.class]));
    }
    CHECK(count == REFUSED_COUNT);
}

TEST(the_tables_are_what_tables_may_be) {
    for (size_t i = 0; i < RECORD_COUNT; i++) {
        Reason reason = {};
        if (schema_check(records[i], &reason).code != OK)
            fail_msg("%s: %s", records[i]->title, reason.text);
    }
}

static void page_load(const char *path) {
    char *bytes = ARENA_ARRAY(&arena, char, PAGE_MAX);
    FILE *file = fopen(path, "rb");
    assert(bytes && file);
    page = (Str){bytes, fread(bytes, 1, PAGE_MAX - 1, file)};
    assert(feof(file));
    fclose(file);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        CASE(each_record_has_the_fields_that_the_page_says),
        CASE(no_record_is_left_out),
        CASE(the_page_has_every_ability_and_no_other),
        CASE(what_is_reserved_is_no_ability_yet),
        CASE(nothing_uses_what_is_reserved_for_streams),
        CASE(the_page_has_every_refusal_with_its_class_and_no_other),
        CASE(the_tables_are_what_tables_may_be),
    };
    assert(argc == 2);
    arena_init(&arena, (size_t)4 * PAGE_MAX);
    page_load(argv[1]);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_done(&arena);
    return failed == 0 ? 0 : 1;
}
