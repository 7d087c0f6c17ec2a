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
        {1, "wide", "CREATE TABLE wide (id TEXT PRIMARY KEY" WIDE_EACH(WIDE_COLUMN) ") STRICT;"}
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
    CHECK_ERR(tx_append(tx, &Entry_schema, &(Entry){.yard = S("north")}, entry_link),
              ERR_NOT_FOUND);
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

TEST_BOTH(find_takes_the_first_that_meets_all_conditions) {
    for (unsigned i = 1; i <= 4; i++) {
        Crate crate = crate_new(&fixture->arena, "north", NULL, i);
        crate.colour = i % 2 ? COLOUR_RED : COLOUR_GREEN;
        crate.size = i / 3;
        CHECK_OK(crate_create(fixture->db, &crate));
    }
    Tx *tx = fixture_tx(fixture, "north");
    Crate got = {};
    Query query = {
        .where = {WHERE(Crate, colour, IS, COLOUR_RED), WHERE(Crate, size, IS, 1)}
    };
    CHECK_OK(tx_find(tx, &query, &got));
    CHECK_STR(id_str(&got.id), S("crate_00000000000000000000000003"));
    query.where[1] = WHERE(Crate, size, IS, 7);
    CHECK_ERR(tx_find(tx, &query, &got), ERR_NOT_FOUND);
    query = (Query){.where = {WHERE(Crate, name, IS, (Str){})}};
    CHECK_ERR(tx_find(tx, &query, &got), ERR_NOT_FOUND); // absent equals nothing
}

/// Keys of a page, as their last digits; the query's cursor moves on.
static Str page_text(Fixture *fixture, Tx *tx, Query *query) {
    Page page = {};
    CHECK_OK(tx_list(tx, &Crate_schema, query, &page));
    const Crate *crates = page.items;
    Str text = S("");
    for (size_t i = 0; i < page.count; i++) {
        Str key = id_str(&crates[i].id);
        text = str_print(&fixture->arena, "%.*s%c", STR_FMT(text), key.ptr[key.len - 1]);
    }
    query->cursor = page.next;
    return text;
}

/// All pages of the query.
static Str pages_text(Fixture *fixture, Tx *tx, Query query) {
    Str text = S("");
    do {
        Str page = page_text(fixture, tx, &query);
        text = str_print(&fixture->arena, "%.*s%.*s ", STR_FMT(text), STR_FMT(page));
    } while (query.cursor.ptr);
    return text;
}

TEST_BOTH(pages_follow_each_other_in_both_directions) {
    static const unsigned order[] = {4, 1, 5, 3, 2};
    for (size_t i = 0; i < 5; i++)
        add(fixture, "north", NULL, order[i]);
    Tx *tx = fixture_tx(fixture, "north");
    CHECK_STR(pages_text(fixture, tx, (Query){.limit = 9}), S("12345 "));
    CHECK_STR(pages_text(fixture, tx, (Query){.limit = 5}), S("12345 ")); // the end is known
    CHECK_STR(pages_text(fixture, tx, (Query){.limit = 2}), S("12 34 5 "));
    CHECK_STR(pages_text(fixture, tx, (Query){.limit = 3, .descending = true}), S("543 21 "));
    Query down = {.limit = 3, .descending = true};
    Crate gone = crate_new(&fixture->arena, "north", NULL, 3);
    CHECK_OK(tx_cursor(tx, &Crate_schema, &down, &gone, &down.cursor));
    gone.rev = 1;
    CHECK_OK(tx_delete(tx, &Crate_schema, &gone));
    CHECK_OK(tx_commit(tx, NULL));
    CHECK_STR(page_text(fixture, tx, &down), S("21")); // behind a row that is not there
}

TEST_BOTH(rows_come_in_the_order_of_a_field_and_then_of_the_key) {
    static const uint64_t packed[] = {30, 10, 0, 30, 20, 10};
    for (unsigned i = 0; i < 6; i++) {
        Crate crate = crate_new(&fixture->arena, "north", NULL, i + 1);
        crate.packed_at.ms = packed[i];
        if (i < 4) crate.shelf = str_print(&fixture->arena, "%c", "bab\xc3"[i]);
        if (i == 3) crate.shelf = S("\xc3\xa9");
        CHECK_OK(crate_create(fixture->db, &crate));
    }
    add(fixture, "south", NULL, 9);
    Tx *tx = fixture_tx(fixture, "north");
    Query query = {.order = BY(Crate, packed_at), .limit = 4};
    CHECK_STR(pages_text(fixture, tx, query), S("3265 14 ")); // an absent one is the least
    query.descending = true;
    query.limit = 1;
    CHECK_STR(pages_text(fixture, tx, query), S("4 1 5 6 2 3 "));
    query = (Query){.order = BY(Crate, shelf), .limit = 2};
    CHECK_STR(pages_text(fixture, tx, query), S("56 21 34 "));
    Crate got = {};
    CHECK_OK(tx_get(tx, &Crate_schema, S("crate_00000000000000000000000005"), &got));
    CHECK(!got.shelf.ptr);
}

TEST_BOTH(a_cursor_of_another_query_is_refused) {
    for (unsigned i = 1; i <= 3; i++)
        add(fixture, "north", NULL, i);
    Tx *tx = fixture_tx(fixture, "north");
    Page page = {};
    Query by_key = {.limit = 1};
    CHECK_OK(tx_list(tx, &Crate_schema, &by_key, &page));
    Query by_time = {.order = BY(Crate, packed_at), .cursor = page.next, .limit = 1};
    CHECK_ERR(tx_list(tx, &Crate_schema, &by_time, &page), ERR_INVALID);
    by_time.cursor = (Str){};
    CHECK_OK(tx_list(tx, &Crate_schema, &by_time, &page));
    by_key.cursor = page.next;
    CHECK_ERR(tx_list(tx, &Crate_schema, &by_key, &page), ERR_INVALID);
    static const char *const bad[] = {"", "x", "!", "crate_1", "aWQAAA", "AAAA", "c2l6ZQAxADI"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        by_key.cursor = str_from(bad[i]);
        Err err = tx_list(tx, &Crate_schema, &by_key, &page);
        if (err.code != ERR_INVALID && i != 4) fail_msg("%s", bad[i]); // 4: behind the empty key
    }
}

/// Keys of those that meet a condition.
static Str met(Fixture *fixture, Condition condition) {
    Query query = {.where = {condition}, .limit = 9};
    return page_text(fixture, fixture_tx(fixture, "north"), &query);
}

TEST_BOTH(conditions_compare_numbers_times_and_texts) {
    static const char *const names[] = {"n1", "n10", "n2", "N1", "n\xf4\x8f\xbf\xbf", NULL};
    for (unsigned i = 0; i < 6; i++) {
        Crate crate = crate_new(&fixture->arena, "north", names[i], i + 1);
        crate.size = i;
        crate.packed_at.ms = 100 * i;
        CHECK_OK(crate_create(fixture->db, &crate));
    }
    CHECK_STR(met(fixture, WHERE(Crate, size, BELOW, 2)), S("12"));
    CHECK_STR(met(fixture, WHERE(Crate, size, AT_LEAST, 4)), S("56"));
    CHECK_STR(met(fixture, WHERE(Crate, packed_at, AT_LEAST, ((Time){300}))), S("456"));
    CHECK_STR(met(fixture, WHERE(Crate, name, BELOW, S("n10"))), S("14"));
    CHECK_STR(met(fixture, WHERE(Crate, name, BEGINS, S("n1"))), S("12"));
    CHECK_STR(met(fixture, WHERE(Crate, name, BEGINS, S("n"))), S("1235"));
    CHECK_STR(met(fixture, WHERE(Crate, name, BEGINS, S("n\xf4\x8f\xbf\xbf"))), S("5"));
    CHECK_STR(met(fixture, WHERE(Crate, name, BEGINS, S(""))), S("12345"));
    CHECK_STR(met(fixture, WHERE(Crate, name, BEGINS, S("\xf4"))), S(""));
    CHECK_STR(met(fixture, WHERE(Crate, name, BEGINS, (Str){})), S(""));
    CHECK_STR(met(fixture, WHERE(Crate, id, BEGINS, S("crate_"))), S("123456"));
}

TEST_BOTH(one_of_several_may_be_of_any_kind_that_is_found) {
    for (unsigned i = 1; i <= 4; i++) {
        Crate crate = crate_new(&fixture->arena, "north", i == 1 ? "\"a\\" : NULL, i);
        crate.size = i;
        crate.colour = i % 3;
        CHECK_OK(crate_create(fixture->db, &crate));
    }
    const uint64_t sizes[] = {4, 2, 9, 2};
    CHECK_STR(met(fixture, WHERE_ONE_OF(Crate, size, sizes, 4)), S("24"));
    CHECK_STR(met(fixture, WHERE_ONE_OF(Crate, size, sizes, 0)), S(""));
    Str names[] = {S("\"a\\"), {}};
    CHECK_STR(met(fixture, WHERE_ONE_OF(Crate, name, names, 2)), S("1"));
    const Colour colours[] = {COLOUR_RED, COLOUR_BLUE};
    CHECK_STR(met(fixture, WHERE_ONE_OF(Crate, colour, colours, 2)), S("23"));
}

TEST_BOTH(many_are_read_by_their_keys_in_the_order_of_these) {
    for (unsigned i = 1; i <= 3; i++)
        add(fixture, i == 3 ? "south" : "north", str_print(&fixture->arena, "%u", i).ptr, i);
    const Str keys[] = {S("crate_00000000000000000000000002"),
                        {},
                        S("crate_00000000000000000000000001"),
                        S("crate_00000000000000000000000003"), // of another scope
                        S("crate_00000000000000000000000009"), // of nobody
                        S("crate_00000000000000000000000002")};
    void *items = NULL;
    CHECK_OK(tx_get_many(fixture_tx(fixture, "north"), &Crate_schema, keys, 6, &items));
    const Crate *crates = items;
    CHECK_STR(crates[0].name, S("2"));
    CHECK_STR(crates[2].name, S("1"));
    CHECK_STR(crates[5].name, S("2"));
    CHECK(id_is_absent(&crates[1].id) && id_is_absent(&crates[3].id));
    CHECK(id_is_absent(&crates[4].id));
    CHECK_OK(tx_get_many(fixture_tx(fixture, "north"), &Crate_schema, keys, 0, &items));
}

TEST_BOTH(rows_are_counted_by_what_they_have) {
    static const char *const names[] = {"b", "a", NULL, NULL, "a"};
    for (unsigned i = 0; i < 5; i++) {
        Crate crate = crate_new(&fixture->arena, i == 4 ? "south" : "north", names[i], i + 1);
        crate.colour = i % 2 ? COLOUR_RED : COLOUR_GREEN;
        CHECK_OK(crate_create(fixture->db, &crate));
    }
    Group *groups = NULL;
    size_t count = 0;
    Tx *tx = fixture_tx(fixture, "north");
    CHECK_OK(tx_count_by(tx, &(Query){}, BY(Crate, name), &groups, &count));
    CHECK(count == 3);
    CHECK(groups[0].value.kind == VALUE_NULL && groups[0].count == 2);
    CHECK_STR(groups[1].value.text, S("a"));
    CHECK(groups[1].count == 1 && groups[2].count == 1);
    Query named = {.where = {WHERE(Crate, name, AT_LEAST, S(""))}};
    CHECK_OK(tx_count_by(tx, &named, BY(Crate, colour), &groups, &count));
    CHECK(count == 2);
    CHECK_STR(groups[0].value.text, S("green"));
    CHECK_STR(groups[1].value.text, S("red"));
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
          CASE_BOTH(find_takes_the_first_that_meets_all_conditions),
          CASE_BOTH(pages_follow_each_other_in_both_directions),
          CASE_BOTH(rows_come_in_the_order_of_a_field_and_then_of_the_key),
          CASE_BOTH(a_cursor_of_another_query_is_refused),
          CASE_BOTH(conditions_compare_numbers_times_and_texts),
          CASE_BOTH(one_of_several_may_be_of_any_kind_that_is_found),
          CASE_BOTH(many_are_read_by_their_keys_in_the_order_of_these),
          CASE_BOTH(rows_are_counted_by_what_they_have),
          CASE_BOTH(a_long_page_holds_every_record_whole),
          CASE_BOTH(an_exhausted_arena_is_an_error_and_loses_nothing_else))
