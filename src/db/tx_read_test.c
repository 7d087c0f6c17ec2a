// SPDX-License-Identifier: Apache-2.0
/// The contract of Tx over both engines: what reads see, and of which scope.
#include "db/db_fixture.h"

#include "test.h"
#include "wide.h"

static Crate add(Fixture *fixture, const char *yard, const char *name, unsigned number) {
    Crate crate = crate_new(&fixture->arena, yard, name, number);
    CHECK_OK(crate_create(fixture->db, &crate));
    crate.rev = 1;
    return crate;
}

static Crate crate_get(Fixture *fixture, const Id *id) {
    Crate crate = {};
    CHECK_OK(tx_get(fixture_tx(fixture, NULL), &Crate_schema, id_str(id), &crate));
    return crate;
}

TEST_BOTH(every_kind_of_field_comes_back) {
    Crate crate = crate_new(&fixture->arena, "north", "a", 1);
    crate.colour = COLOUR_BLUE;
    crate.size = (1ull << 53) - 1;
    crate.offset = -5;
    crate.weight = 0.1;
    crate.sealed = true;
    crate.packed_at.ms = 1'764'000'000'123;
    crate.keeps_for.ms = 90'000;
    crate.mark = (Bytes){(const uint8_t *)"\0\1\xff", 3};
    crate.note.text = S("{\"a\":[1,2]}");
    crate.owners = (StrList){
        (Str[]){S("ann"), S("b\"ob")},
        2
    };
    crate.labels = (StrMap){(StrPair[]){{S("k"), S("v")}}, 1};
    CHECK_OK(crate_create(fixture->db, &crate));

    Crate got = crate_get(fixture, &crate.id);
    CHECK(id_eq(&got.id, &crate.id));
    CHECK_STR(got.yard, S("north"));
    CHECK_STR(got.name, S("a"));
    CHECK(got.colour == COLOUR_BLUE && got.size == crate.size && got.offset == -5);
    CHECK(got.weight <= 0.1 && got.weight >= 0.1 && got.sealed);
    CHECK(got.packed_at.ms == crate.packed_at.ms && got.keeps_for.ms == 90'000);
    CHECK_STR(((Str){(const char *)got.mark.ptr, got.mark.len}), ((Str){"\0\1\xff", 3}));
    CHECK_STR(got.note.text, crate.note.text);
    CHECK(got.owners.count == 2);
    CHECK_STR(got.owners.items[1], S("b\"ob"));
    CHECK_STR(str_map_find(got.labels, S("k")), S("v"));
    CHECK(got.rev == 1);
}

TEST_BOTH(absent_comes_back_absent_and_empty_comes_back_empty) {
    Crate crate = crate_new(&fixture->arena, "north", NULL, 1);
    crate.note.text = (Str){};
    crate.mark = (Bytes){(const uint8_t *)"", 0};
    crate.owners = (StrList){(Str[1]){}, 0};
    CHECK_OK(crate_create(fixture->db, &crate));
    Crate got = crate_get(fixture, &crate.id);
    CHECK(!got.name.ptr && !got.note.text.ptr && !got.labels.items && got.packed_at.ms == 0);
    CHECK(got.mark.ptr && got.mark.len == 0);
    CHECK(got.owners.items && got.owners.count == 0);
}

TEST(a_record_may_have_many_fields) {
    static const Schema *const schemas[] = {&Wide_schema};
    static const Migration migrations[] = {
        {1,
         "wide", .sql = "CREATE TABLE wide (id TEXT PRIMARY KEY" WIDE_EACH(WIDE_COLUMN) ") STRICT;"}
    };
    for (EngineKind kind = ENGINE_MEMORY; kind <= ENGINE_SQLITE; kind++) {
        SCOPED(fixture_close) Fixture fixture = {};
        CHECK_OK(fixture_init(&fixture));
        DbOptions options = fixture_options(&fixture);
        options.schemas = schemas;
        options.schema_count = 1;
        options.migrations = migrations;
        options.migration_count = 1;
        CHECK_OK(kind == ENGINE_SQLITE ? db_open_sqlite(&options, &fixture.db, NULL)
                                       : db_open_memory(&options, &fixture.db));
        Wide wide = {WIDE_EACH(WIDE_SET).id = id_new(S("wide"), 1)};
        Tx *tx = fixture_tx(&fixture, NULL);
        CHECK_OK(tx_create(tx, &Wide_schema, &wide));
        CHECK_OK(tx_commit(tx, NULL));
        Wide got = {};
        CHECK_OK(tx_get(fixture_tx(&fixture, NULL), &Wide_schema, id_str(&wide.id), &got));
        CHECK(got.n10 == 10 && got.n58 == 58 && got.n99 == 99);
    }
}

TEST_BOTH(another_scope_is_invisible_to_reads) {
    Crate north = add(fixture, "north", "a", 1);
    add(fixture, "south", "a", 2);
    Tx *tx = fixture_tx(fixture, "south");
    Crate got = {};
    CHECK_ERR(tx_get(tx, &Crate_schema, id_str(&north.id), &got), ERR_NOT_FOUND);
    CHECK_OK(tx_find(tx, &(Query){.where = {WHERE(Crate, name, IS, S("a"))}}, &got));
    CHECK_STR(got.yard, S("south"));
    Query theirs = {.where = {WHERE(Crate, yard, IS, S("north"))}, .limit = 10};
    Page page = {.count = 9};
    CHECK_OK(tx_list(tx, &Crate_schema, &theirs, &page));
    CHECK(page.count == 0 && page.items && !page.next.ptr);
    uint64_t count = 0;
    CHECK_OK(tx_count(tx, &Crate_schema, &(Query){}, &count));
    CHECK(count == 1);
    CHECK_OK(tx_count(fixture_tx(fixture, NULL), &Crate_schema, &(Query){}, &count));
    CHECK(count == 2);
    CHECK_OK(tx_count(fixture_tx(fixture, ""), &Crate_schema, &(Query){}, &count));
    CHECK(count == 0); // an empty scope is not an absent one
}

TEST_BOTH(another_scope_is_invisible_to_writes) {
    Crate north = add(fixture, "north", "a", 1);
    Tx *tx = fixture_tx(fixture, "south");
    CHECK_ERR(tx_create(tx, &Crate_schema, &north), ERR_NOT_FOUND);
    CHECK_ERR(tx_update(tx, &Crate_schema, &north), ERR_NOT_FOUND);
    CHECK_ERR(tx_delete(tx, &Crate_schema, &north), ERR_NOT_FOUND);
    CHECK_ERR(tx_expect(tx, &Crate_schema, &north), ERR_NOT_FOUND);
    Gauge gauge = {.name = S("g"), .yard = S("north")};
    CHECK_ERR(tx_put(tx, &Gauge_schema, &gauge), ERR_NOT_FOUND);
    const Note note = {.org_id = {"north"}, .action = S("crate.create")};
    CHECK_ERR(tx_note(tx, &note), ERR_NOT_FOUND);
    CHECK_ERR(tx_put(tx, &Gauge_schema, &(Gauge){.name = S("g")}), ERR_NOT_FOUND);
    CHECK_OK(tx_commit(tx, NULL));
    CHECK(crate_get(fixture, &north.id).rev == 1);
}

TEST_BOTH(a_record_that_lies_about_its_scope_reaches_no_row_of_another) {
    Crate crate = add(fixture, "north", "a", 1);
    Gauge gauge = {.name = S("g"), .yard = S("north"), .level = 1};
    Tx *north = fixture_tx(fixture, "north");
    CHECK_OK(tx_put(north, &Gauge_schema, &gauge));
    CHECK_OK(tx_commit(north, NULL));

    Tx *tx = fixture_tx(fixture, "south");
    crate.yard = S("south");
    CHECK_OK(tx_update(tx, &Crate_schema, &crate));
    CHECK_ERR(tx_commit(tx, NULL), ERR_CONFLICT);
    CHECK_OK(tx_delete(tx, &Crate_schema, &crate));
    CHECK_ERR(tx_commit(tx, NULL), ERR_CONFLICT);
    CHECK_OK(tx_expect(tx, &Crate_schema, &crate));
    CHECK_ERR(tx_commit(tx, NULL), ERR_CONFLICT);
    gauge = (Gauge){.name = S("g"), .yard = S("south"), .level = 2};
    CHECK_OK(tx_put(tx, &Gauge_schema, &gauge));
    CHECK_ERR(tx_commit(tx, NULL), ERR_EXISTS);
    CHECK_OK(tx_delete(tx, &Gauge_schema, &gauge));
    CHECK_OK(tx_commit(tx, NULL));
    CHECK_OK(tx_get(north, &Gauge_schema, S("g"), &gauge));
    CHECK(gauge.level == 1);
}

TEST_BOTH(a_long_page_holds_every_record_whole) {
    enum { COUNT = 100 };
    for (unsigned i = 0; i < COUNT; i++)
        add(fixture, "north", str_print(&fixture->arena, "name %u", i).ptr, i);
    Page page = {};
    Tx *tx = fixture_tx(fixture, "north");
    CHECK_OK(tx_list(tx, &Crate_schema, &(Query){.limit = TX_PAGE_MAX}, &page));
    CHECK(page.count == COUNT);
    const Crate *crates = page.items;
    for (unsigned i = 0; i < COUNT; i++)
        CHECK_STR(crates[i].name, str_print(&fixture->arena, "name %u", i));
}

TEST_BOTH(an_exhausted_arena_is_an_error_and_loses_nothing_else) {
    add(fixture, "north", "a", 1);
    for (size_t bytes = 0; bytes < 8192; bytes += 64) {
        Arena small;
        arena_init(&small, bytes);
        Tx *tx = NULL;
        Crate crate = crate_new(&fixture->arena, "north", "b", 2);
        crate.owners = (StrList){(Str[]){S("ann")}, 1};
        Err err = tx_open(fixture->db, &small, S("north"), &tx);
        if (err.code == OK) err = tx_create(tx, &Crate_schema, &crate);
        if (err.code == OK)
            err = tx_get(tx, &Crate_schema, S("crate_00000000000000000000000001"), &crate);
        CHECK(err.code == OK || err.code == ERR_LIMIT);
        arena_done(&small);
    }
    CHECK_OK(db_check(fixture->db));
}

TEST_MAIN(CASE_BOTH(every_kind_of_field_comes_back),
          CASE_BOTH(absent_comes_back_absent_and_empty_comes_back_empty),
          CASE(a_record_may_have_many_fields),
          CASE_BOTH(another_scope_is_invisible_to_reads),
          CASE_BOTH(another_scope_is_invisible_to_writes),
          CASE_BOTH(a_record_that_lies_about_its_scope_reaches_no_row_of_another),
          CASE_BOTH(a_long_page_holds_every_record_whole),
          CASE_BOTH(an_exhausted_arena_is_an_error_and_loses_nothing_else))
